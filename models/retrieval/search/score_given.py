"""The scores of given keys."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from models.retrieval.search.beam import Complete
from models.retrieval.search.stem import Choice, Stem


def score_given(
    question: int, keys: Sequence[tuple[int, ...]], end: int
) -> Generator[Sequence[Choice], Sequence[Stem], list[Complete]]:
    """Yields choices to follow, is sent the stems behind them, returns the keys in their order, ranked by renormalised.

    Shared beginnings of the keys, which come without end tokens, are followed once.
    """
    (root,) = yield [Choice(question, None)]
    raw = float(root.written.sum())
    open_ = [(root, (*key, end), 0.0, raw) for key in dict.fromkeys(keys)]
    done: dict[tuple[int, ...], Complete] = {}
    while open_:
        choices: dict[tuple[int, int], Choice] = {}
        going: list[tuple[tuple[int, int], tuple[int, ...], float, float]] = []
        for stem, key, renormalised, raw in open_:
            written = len(stem.tokens)
            if written < len(key):
                at = stem.tokens_next.tolist().index(key[written])
                renormalised += float(stem.renormalised[at])
                raw += 0.0 if stem.raw is None else float(stem.raw[at])
            if written >= len(key) - 1:
                done[key] = Complete(key, renormalised, renormalised, raw)
            else:
                choices.setdefault((id(stem), at), Choice(question, stem, at))
                going.append(((id(stem), at), key, renormalised, raw))
        if not choices:
            break
        stems = dict(zip(choices, (yield list(choices.values())), strict=True))
        # The chosen token is in the sums already; those that it forced are not.
        open_ = [(stems[c], key, r, w + float(stems[c].written[1:].sum())) for c, key, r, w in going]
    return [done[*key, end] for key in dict.fromkeys(keys)]
