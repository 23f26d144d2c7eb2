"""What tasks that sample share."""
