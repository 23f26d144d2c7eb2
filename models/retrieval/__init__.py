"""Retrieval: a Seq2Seq model that can only write keys of an index."""
