"""All that holds weights or an index."""
