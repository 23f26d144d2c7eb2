"""Training of the models that write keys."""
