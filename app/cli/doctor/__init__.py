"""`chainwright doctor`."""
