"""A question in, keys of an index out."""
