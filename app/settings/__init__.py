"""Settings: read from the environment, the .env file and the command line, and checked."""
