"""Extractive reading: the answer to a question is a span of a passage, written under a trie of its spans."""
