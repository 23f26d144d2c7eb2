"""Errors of indexes and of their sources."""

from __future__ import annotations


class RetrievalIndexError(RuntimeError):
    """An index cannot be built, opened or changed; the message holds the remedy."""


class CorruptIndexError(RetrievalIndexError):
    """A file of an index is missing, truncated, or differs from its checksum."""


class TokenizerMismatchError(RetrievalIndexError):
    """An index was built with another tokenizer than the one it is to be used with."""


class MalformedInputError(RetrievalIndexError):
    """A source holds lines that cannot be read, and was to be read strictly."""


class EmptyIndexError(RetrievalIndexError):
    """Sources hold no key."""


class RetiredIndexError(RetrievalIndexError):
    """An index was replaced or deleted by another process since it was opened."""


class UnknownIndexError(RetrievalIndexError):
    """No index has this name."""


class BadNameError(UnknownIndexError):
    """No index can have this name."""
