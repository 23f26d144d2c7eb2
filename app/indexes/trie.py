"""Walks through the trie of an index, a prefix at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.indexes.library import Library
from app.indexes.schemas import Branch, Branches, Token
from app.web.codes import Code
from app.web.problems import failure
from models.retrieval.loading import KeyTokenizer
from models.retrieval.subtree import nodes_of

MAX_BRANCHES = 200
"""Branches of one answer."""


def walk(name: str, tokens: Sequence[int], limit: int, offset: int, library: Library) -> Branches:
    """The branches after a prefix; counts are exact, and take no walk through the keys.

    Raises:
        RetrievalIndexError: the index cannot be opened.
        ProblemError: 404, no key begins with these tokens.
    """
    view, tokenizer = library.open(name).view, library.tokenizer
    (node,) = nodes_of(view, [tokens])
    if node is None:
        message = "no key begins with these tokens"
        remedy = "begin without tokens, and go on with the id of a branch that is answered"
        raise failure(404, Code.NOT_FOUND, message, remedy, field="tokens")
    here = np.array([node], np.int64)
    after, number = view.allowed(here), view.find(tokens)
    texts = tokenizer.pieces(tokens)
    return Branches(
        index=name,
        tokens=[Token(id=token, text=text) for token, text in zip(tokens, texts, strict=True)],
        text=" ".join(filter(None, tokenizer.codec.parts(tokens))),
        complete=number is not None,
        values=[] if number is None else view.values(number),
        keys=int(view.keys_below(here)[0]),
        branches=_page(after.tokens, view.keys_below(after.children), limit, offset, tokenizer),
        total=len(after.tokens),
    )


def _page(
    tokens: NDArray[np.int64], keys: NDArray[np.int64], limit: int, offset: int, tokenizer: KeyTokenizer
) -> list[Branch]:
    """Some branches, those with most keys first, then by their text."""
    if offset >= len(tokens):
        return []
    order = np.argsort(-keys, kind="stable")
    fewer = -keys[order]
    # Texts order the branches of equally many keys: those of other branches than on the page need not be known.
    first = int(np.searchsorted(fewer, fewer[offset]))
    stop = int(np.searchsorted(fewer, fewer[offset : offset + limit][-1], side="right"))
    some = order[first:stop]
    ids = tokens[some].tolist()
    ranked = sorted(zip((-keys[some]).tolist(), tokenizer.pieces(ids), ids, strict=True))
    return [Branch(id=id, text=text, keys=-less) for less, text, id in ranked[offset - first :][:limit]]
