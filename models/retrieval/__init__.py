"""Retrieval: a model writes the key of a fact, and can only write keys that an index holds."""
