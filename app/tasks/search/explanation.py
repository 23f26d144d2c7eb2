"""Explanations of results, in texts."""

from __future__ import annotations

from app.tasks.search.schemas import Explanation, Feature, KeyToken, Mention
from models.retrieval.loading import KeyTokenizer
from models.retrieval.search import explanation as search
from models.retrieval.search import mentions


def explained(why: search.Explanation, question: str, key: dict[str, str], tokenizer: KeyTokenizer) -> Explanation:
    """Why a key, given by its parts, was answered."""
    texts = tokenizer.pieces([step.token for step in why.steps])
    return Explanation(
        source=why.source,
        mention=None if why.mention is None else _mention(why.mention, question, key["subject"]),
        tokens=[
            KeyToken(id=step.token, text=text, log_prob=step.renormalised, raw=step.raw, allowed=step.allowed)
            for step, text in zip(why.steps, texts, strict=True)
        ],
        order=why.order,
        features=[Feature.model_validate(term, from_attributes=True) for term in why.terms],
    )


def _mention(mention: mentions.Mention, question: str, name: str) -> Mention:
    start = mentions.place_of(mention.span, question)
    end = start + len(mention.span)
    return Mention(text=mention.span, start=start, end=end, name=name, misspelt=mention.misspelt)
