"""`chainwright evaluate`."""
