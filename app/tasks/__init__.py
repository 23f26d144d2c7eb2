"""Tasks: what a client may ask for, one folder each."""
