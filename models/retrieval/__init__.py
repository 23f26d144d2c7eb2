"""Generation that can only write the keys of an index: retrieval by a language model."""
