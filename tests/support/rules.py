"""A vocabulary rule of a user's own."""

from __future__ import annotations

from app.languages.zh import chinese_rule
from models.language.vocabulary import Role


def without_park(piece: str, rank: int) -> Role | None:
    """Chinese without 公园."""
    return None if piece == "公园" else chinese_rule(piece, rank)
