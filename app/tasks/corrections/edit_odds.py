"""How sure single edits are: by generalised additive models of their text, and of their gains, places and kinds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import rjieba

from app.tasks.corrections.edits import Edit
from app.tasks.corrections.gains import HORIZON, Gain
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.proposals import Proposal
from models.confusions.characters import CHARACTERS
from models.confusions.words import count_of
from models.odds import Features, Odds

LEAST_GAIN = -3.0
"""What an edit has to gain at least, in nats, to be one of those that may be made."""
FLOOR = 0.1
"""Confidence below which a single edit is not even offered."""
MUCH = 3.0
"""Gain of an edit that is much, in nats."""
WORD = 4
"""Characters of the longest words that are looked for over an edit."""
ITEMS = frozenset(
    f"{way}:{word}"
    for way, words in {
        "inserted": "的 了 是 会 我 就 在 到 有 都 人 也 能 要 上 地 里 还 来 过 和 ， 但是 对于",
        "left_out": "的 了 是 有 也 在 就 对 一个",
        "punctuated": "，、 ，。 、， 。，",
        "exchanged": "的地 的得 地的 得的",
    }.items()
    for word in words.split()
)
"""Edits that have a weight of their own: those that learners' texts need most often."""

TEXT_KNOTS: Mapping[str, tuple[float, ...]] = {
    "text": (-5.4, -4.8, -4.3, -3.9),
    "length": (3.3, 3.6, 3.9, 4.1),
    "best": (8.0, 10.0, 14.0, 17.0),
    "better": (8.0, 11.0, 14.0, 17.0),
    "proposed": (0.0, 0.4, 0.7, 0.9),
    "gaining": (-0.85, -0.45, -0.1, 0.2),
    "gaining_much": (-1.8, -1.4, -1.0, -0.6),
    "token_length": (1.4, 1.5, 1.6, 1.7),
    "word_length": (1.6, 1.7, 1.8, 2.0),
    "word_frequency": (8.9, 9.5, 10.0, 10.5),
}
"""The features of texts, and where their functions may bend: about quartiles and last tenths in development texts."""
EDIT_KNOTS: Mapping[str, tuple[float, ...]] = {
    "gain": (-1.9, -0.5, 1.8, 4.7),
    "lead": (-6.8, -3.5, -1.1, 1.4),
    "next": (-1.5, 0.0, 1.1, 2.6),
    "near": (-0.8, 0.0, 0.6, 1.6),
    "row": (-4.8, -3.8, -2.5, -1.4),
    "given": (-7.9, -5.7, -3.7, -1.6),
}
"""Where the functions of features of edits may bend, likewise."""
WEIGHTS = Path(__file__).with_name("odds")


@dataclass(frozen=True)
class EditOdds:
    """The probability that an edit is right: that its text has an error, times that it is right if the text has one.

    Attributes:
        text: odds of an error in the text, by the text's features.
        edit: odds of an edit of a text that has one, by the edit's.
    """

    text: Odds
    edit: Odds

    @classmethod
    def read(cls, folder: Path) -> EditOdds:
        """Of two files of weights."""
        return cls(Odds.read(folder / "text.json"), Odds.read(folder / "edit.json"))

    def write(self, folder: Path) -> None:
        """As :meth:`read` reads it."""
        self.text.write(folder / "text.json")
        self.edit.write(folder / "edit.json")

    def probability(self, features: Features) -> float:
        """The probability."""
        return self.text.probability(features) * self.edit.probability(features)


@cache
def odds() -> EditOdds:
    """Those fitted by ``benchmarks.corrections_grammar`` to development texts."""
    return EditOdds.read(WEIGHTS)


def features_of(
    text: str, log_prob: float, tokens: int, known: Sequence[tuple[Proposal, Gain]]
) -> Iterator[tuple[Proposal, Features]]:
    """Those edits that may be made, each with its features; nats throughout.

    Args:
        text: the text.
        log_prob: of the text.
        tokens: how many it has.
        known: single edits of it, and their gains.
    """
    of_text = dict(_of_text(text, log_prob, tokens, [gain.whole for _, gain in known]))
    for proposal, gain in known:
        if gain.whole > LEAST_GAIN:
            others = (
                other.whole
                for neighbour, other in known
                if neighbour is not proposal and touching(neighbour.edit, proposal.edit)
            )
            lead = gain.whole - max([0.0, *others])
            own = dict(_own(text, proposal, gain))
            both = {f"{name}*gain": of_text[name] * gain.whole for name in ("text", "proposed")}
            yield proposal, {**of_text, "lead": lead, **own, **both}


def _of_text(text: str, log_prob: float, tokens: int, wholes: Sequence[float]) -> Iterator[tuple[str, float]]:
    """What tells a text with errors from one without: fluent ones have fewer edits that gain, and longer words."""

    def share(least: float) -> float:
        return math.log((1 + sum(whole > least for whole in wholes)) / tokens)

    yield "text", log_prob / tokens
    yield "length", math.log(tokens)
    yield "best", max([0.0, *wholes])
    yield "better", math.log1p(sum(math.exp(min(whole, 20.0)) for whole in wholes))
    yield "proposed", share(LEAST_GAIN)
    yield "gaining", share(0.0)
    yield "gaining_much", share(MUCH)
    words = [word for word in rjieba.cut(text) if word[0] in CHARACTERS] or [text]
    yield "token_length", len(text) / tokens
    yield "word_length", sum(map(len, words)) / len(words)
    yield "word_frequency", sum(math.log1p(count_of(word)) for word in words) / len(words)


def agreeing(
    whole: Sequence[tuple[Edit, float]],
    single: Sequence[tuple[Edit, Features]],
    least: Callable[[Kind], float],
    by: EditOdds | None = None,
) -> list[tuple[Edit, float]]:
    """The edits in which there is enough confidence, from left to right, each with its own.

    A single edit is right by itself, so of it and those that touch it the surest is made.

    Args:
        whole: edits of one reading, which go together, with their confidence.
        single: edits each by itself.
        least: confidence of a kind; :data:`FLOOR` for single edits if that is more.
        by: None for :func:`odds`.
    """
    by = odds() if by is None else by
    known = [(its, edit, True) for edit, its in whole] + [(by.probability(each), edit, False) for edit, each in single]
    taken: list[tuple[float, Edit, bool]] = []
    for its, edit, together in sorted(known, key=lambda each: -each[0]):
        if its < least(edit.kind) or (its < FLOOR and not together):
            continue
        if not any(touching(edit, other) for _, other, also in taken if not (together and also)):
            taken.append((its, edit, together))
    return sorted((edit, its) for its, edit, _ in taken)


def touching(one: Edit, other: Edit) -> bool:
    """Whether two edits stand at most a character apart."""
    return one.start - 1 <= other.end and other.start - 1 <= one.end


def _own(text: str, proposal: Proposal, gain: Gain) -> Iterator[tuple[str, float]]:
    edit, way, whole = proposal.edit, proposal.way, gain.whole
    old, behind = text[edit.start : edit.end], len(text) - edit.end
    yield "gain", whole
    yield "loss", min(whole, 0.0)
    yield "next", gain.next
    yield "near", gain.near
    yield "rest", gain.rest
    yield "old", gain.old
    yield "new", gain.new
    yield "row", proposal.row
    yield "given", proposal.given
    yield "characters", len(edit.new) - len(old)
    yield "tokens", gain.tokens
    yield "end", behind == 0
    yield "behind", min(behind, HORIZON) / HORIZON
    yield "word_before", _longest_word(text, edit.start, edit.end)
    written = text[: edit.start] + edit.new + text[edit.end :]
    yield "word_after", _longest_word(written, edit.start, edit.start + len(edit.new))
    yield way, 1.0
    yield f"{way}*gain", whole
    yield f"{way}*next", gain.next
    yield f"{way}*row", proposal.row
    item = f"{way}:{old if not edit.new else edit.new if not old else old + edit.new}"
    if item in ITEMS:
        yield item, 1.0


def _longest_word(text: str, start: int, end: int) -> float:
    """The log of the occurrences of the most frequent word that goes over a piece and beyond; 0 if none does."""
    counts = (
        count_of(text[first:last])
        for first in range(max(0, end - WORD, start - WORD + 1), start + 1)
        for last in range(max(end, first + 2), min(len(text), first + WORD) + 1)
        if first < start or last > end
    )
    return math.log1p(max(counts, default=0))
