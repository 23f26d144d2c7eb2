"""All that speaks HTTP or the command line; the only place with settings."""
