"""Indexes: keys (token sequences) with values, compiled to flat arrays, opened by mmap, changed in place."""
