"""Hard constraints, one a file."""
