"""Candidates that a question names."""

from __future__ import annotations

from models.retrieval.search.mentions import Mentions


def candidates(mentions: Mentions, question: str) -> list[tuple[int, ...]]:
    """The keys of all mentions, in order."""
    return [key for mention in mentions.of(question) for key in mention.keys]
