"""`chainwright doctor`: what would keep a service from working here, and how to mend it."""
