"""Writers: models that write keys."""
