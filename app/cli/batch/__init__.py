"""`chainwright batch`."""
