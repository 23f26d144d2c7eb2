"""`chainwright bundle`: all that an installation takes, for a machine without a network."""
