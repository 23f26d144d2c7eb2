"""Linking: each name in a text scored by the constrained search, the name marked, and the mentions chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.overlay import OverlayView
from models.retrieval.links.choice import heaviest
from models.retrieval.links.mention_law import MENTION_LAW, MentionLaw, features
from models.retrieval.links.names import Entity, Name
from models.retrieval.links.sequel import Sequels
from models.retrieval.loading import LoadedKeyModel
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.ranking.logistic import sigmoid
from models.retrieval.search.beam import Complete
from models.retrieval.search.score_given import score_given
from models.retrieval.search.stem import Course, Walker
from models.retrieval.writers.base import KeyModel

OPENING, CLOSING = "[START] ", " [END]"
"""Marks around a name (De Cao et al., Autoregressive Entity Retrieval, ICLR 2021)."""
WINDOW = 120
"""Characters that the model reads on either side of a name; fewer where it reads no longer questions."""
SMALL = 1e-9
"""Probability of a mention below, or above, which none counts as certain."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that a mention may mean."""

    entity: Entity
    score: float  # log p(entity | text, mention marked) among all keys of the index: the sum over the entity's keys
    confidence: float  # p among the candidates


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model says of a name in a text."""

    entities: tuple[float, ...]  # score of each entity that it may mean
    sequel: float  # see :class:`models.retrieval.links.sequel.Sequels`; 0 where none are asked


@dataclass(frozen=True, slots=True)
class Link:
    """A mention and the entities that it may mean."""

    name: Name
    probability: float  # that the name is a mention
    candidates: tuple[Candidate, ...]  # all, likeliest first


@dataclass(frozen=True, eq=False)
class Linker:
    """Links the names of texts to entities of an index of which the subject, or the key, comes first in its keys."""

    index: PrefixIndex
    key_format: KeyFormat
    model: KeyModel
    longest: int  # most tokens of a question
    sequels: Sequels | None = None  # by the language model without an adapter
    law: MentionLaw = MENTION_LAW

    @classmethod
    def of(cls, view: OverlayView, model: LoadedKeyModel) -> Linker:
        """With a loaded model, to an index as it is now."""
        key_format, codec, scorer = view.base.key_format, model.tokenizer.codec, model.language_model
        sequels = None
        if scorer is not None:
            sequels = Sequels(view, key_format, scorer, codec.encode, codec.decode, codec.before[0])
        return cls(view, key_format, model.model, model.tokenizer.longest, sequels)

    def rounds(
        self, texts: Sequence[str], names: Sequence[Sequence[Name]], least: float, together: int
    ) -> Iterator[dict[int, list[Link]]]:
        """Link texts, one forward at a time, so that other work can go between.

        Args:
            texts: in their normal form.
            names: of each.
            least: probability of a mention that is linked.
            together: names that share forwards.

        Yields:
            After each forward the links of the texts that it completed, often none, by the number of the text.
        """
        names = [self.readable(text, some) for text, some in zip(texts, names, strict=True)]
        for done in self.scores(texts, names, together):
            yield {number: self._links(texts[number], names[number], each, least) for number, each in done.items()}

    def readable(self, text: str, names: Sequence[Name]) -> list[Name]:
        """The names that the model reads with their marks, if only they."""
        return [name for name in names if self._reads(_with_marks(text, name, 0))]

    def scores(
        self, texts: Sequence[str], names: Sequence[Sequence[Name]], together: int
    ) -> Iterator[dict[int, list[Scored]]]:
        """As :meth:`rounds`, but what the model says of each of the names, all of them readable."""
        yield {number: [] for number, some in enumerate(names) if not some}
        every = [(number, name) for number, some in enumerate(names) for name in some]
        found: list[list[Scored]] = [[] for _ in texts]
        for at in range(0, len(every), together):
            part = every[at : at + together]
            for scored in self._scored([(texts[number], name) for number, name in part]):
                done = {}
                for (number, _), each in zip(part, scored, strict=False):
                    found[number].append(each)
                    if len(found[number]) == len(names[number]):
                        done[number] = found[number]
                yield done

    def _scored(self, marked: Sequence[tuple[str, Name]]) -> Iterator[list[Scored]]:
        """Nothing after each forward, and at last what the model says of each name."""
        codec = self.model.codec
        session = self.model.read([self._marked(text, name) for text, name in marked])
        walker = Walker(self.index, session, codec.end, raw=False)
        courses = {number: self._course(number, name) for number, (_, name) in enumerate(marked)}
        found: dict[int, list[Complete]] = {}
        for ended in walker.together(courses):
            found |= ended
            yield []
        gains = [0.0] * len(marked) if self.sequels is None else self.sequels.gains(marked)
        yield [
            _scored(name, [one.renormalised for one in found[number]], gain)
            for number, ((_, name), gain) in enumerate(zip(marked, gains, strict=True))
        ]

    def _course(self, number: int, name: Name) -> Course[list[Complete]]:
        """Scores the keys of a name's entities; of one entity alone the beginning that its keys share.

        Renormalised probabilities of the keys below a beginning sum to that of the beginning.
        """
        entities = [*name.entities, *name.others]
        if len(entities) == 1 and self.key_format.separators:
            separator = self.key_format.separators[0]
            return score_given(number, [(*name.tokens, *separator[:-1])], separator[-1])
        return score_given(number, [key for entity in entities for key in entity.keys], self.model.codec.end)

    def _marked(self, text: str, name: Name) -> str:
        """As much of the text around a name as the model reads, the name marked."""
        window = WINDOW
        while not self._reads(marked := _with_marks(text, name, window)):
            window //= 2
        return marked

    def _reads(self, question: str) -> bool:
        return len(self.model.codec.question(question)) <= self.longest

    def _links(self, text: str, names: Sequence[Name], scores: Sequence[Scored], least: float) -> list[Link]:
        """The mentions of a text."""
        odds = self.law.log_odds(features(text, names, [each.sequel for each in scores]))
        spans = [(name.start, name.stop) for name in names]
        least = min(max(least, SMALL), 1 - SMALL)
        weights = [float(each) - log(least / (1 - least)) for each in odds]
        sure = sigmoid(odds)
        return [Link(names[i], float(sure[i]), _candidates(names[i], scores[i])) for i in heaviest(spans, weights)]


def _with_marks(text: str, name: Name, window: int) -> str:
    before, after = text[max(0, name.start - window) : name.start], text[name.stop : name.stop + window]
    return f"{before}{OPENING}{text[name.start : name.stop]}{CLOSING}{after}"


def _scored(name: Name, logs: Sequence[float], sequel: float) -> Scored:
    """Of the log-probabilities of its entities' keys one after another, or of the beginning of its only entity's."""
    entities = [*name.entities, *name.others]
    rest = iter(logs)
    counts = [len(logs)] if len(entities) == 1 else [len(entity.keys) for entity in entities]
    sums = [float(np.logaddexp.reduce([next(rest) for _ in range(count)])) for count in counts]
    return Scored(tuple(sums[: len(name.entities)]), sequel)


def _candidates(name: Name, scored: Scored) -> tuple[Candidate, ...]:
    norm = float(np.logaddexp.reduce(scored.entities))
    found = [
        Candidate(entity, score, float(np.exp(score - norm)))
        for entity, score in zip(name.entities, scored.entities, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -one.score))
