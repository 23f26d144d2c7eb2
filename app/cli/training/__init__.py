"""`chainwright train`."""
