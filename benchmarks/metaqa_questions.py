"""MetaQA's questions of one hop, and which key of its knowledge base answers each.

A question comes as ``who directed [Heat]<TAB>Michael Mann``; keys are an entity and a relation in one of its
directions, written as ``chainwright index build --both-ends`` writes them.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Keys = dict[str, dict[str, list[str]]]
"""Values by entity and relation, in order of appearance."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one entity.

    Attributes:
        text: as it is asked, without brackets.
        entity: what stood in brackets.
        template: the question with brackets alone in the entity's place.
        answers: all that counts as an answer.
    """

    text: str
    entity: str
    template: str
    answers: frozenset[str]

    @classmethod
    def of(cls, line: str) -> Question:
        """From a line of MetaQA.

        Raises:
            ValueError: no entity in brackets, or no answers.
        """
        written, _, answers = line.rstrip("\n").partition("\t")
        found = re.fullmatch(r"(.*?)\[(.+)\](.*)", written)
        if found is None or not answers:
            raise ValueError(f"no question with [entity]<TAB>answer|answer: {line!r}")
        before, entity, after = found.groups()
        return cls(f"{before}{entity}{after}", entity, f"{before}[]{after}", frozenset(answers.split("|")))


def read_questions(path: Path) -> list[Question]:
    """All questions of a file, one a line."""
    with path.open(encoding="utf-8") as file:
        return [Question.of(line) for line in file]


def read_keys(path: Path) -> Keys:
    """All keys of a gzipped file of triples, from both ends."""
    keys: Keys = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            subject, relation, value = line.rstrip("\n").split("\t")
            for entity, name, other in ((subject, relation, value), (value, f"^{relation}", subject)):
                values = keys.setdefault(entity, {}).setdefault(name, [])
                if other not in values:
                    values.append(other)
    return keys


def split(questions: Sequence[Question], held_out: float, seed: int) -> tuple[list[Question], list[Question]]:
    """Questions to learn from and held-out ones, no entity in both."""
    entities = sorted({question.entity for question in questions})
    order = np.random.default_rng(seed).permutation(len(entities))
    kept = {entities[i] for i in order[: round(held_out * len(entities))].tolist()}
    parts: tuple[list[Question], list[Question]] = ([], [])
    for question in questions:
        parts[question.entity in kept].append(question)
    return parts


def relations(keys: Keys, question: Question) -> list[str]:
    """Those of the question's entity whose values are just the right answers."""
    return [name for name, values in keys.get(question.entity, {}).items() if set(values) == question.answers]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Questions with the relation that answers each, and how many were left out.

    Attributes:
        pairs: question and relation.
        ambiguous: several relations of the entity have just these answers; the one that most often
            goes with the template was taken.
        unresolved: of these, left out, for that one is not among them.
        unmatched: left out, for no relation of the entity has just these answers.
    """

    pairs: list[tuple[Question, str]]
    ambiguous: int
    unresolved: int
    unmatched: int


def label(questions: Iterable[Question], keys: Keys) -> Labelled:
    """Find the relation whose values are the answers of each question."""
    fitting = [(question, relations(keys, question)) for question in questions]
    usual: dict[str, Counter[str]] = {}
    for question, names in fitting:
        if len(names) == 1:
            usual.setdefault(question.template, Counter())[names[0]] += 1
    pairs: list[tuple[Question, str]] = []
    ambiguous = unresolved = 0
    for question, names in fitting:
        if len(names) == 1:
            pairs.append((question, names[0]))
        elif names:
            ambiguous += 1
            likeliest = max(usual.get(question.template, Counter({"": 1})).items(), key=lambda item: item[1])[0]
            if likeliest in names:
                pairs.append((question, likeliest))
            else:
                unresolved += 1
    return Labelled(pairs, ambiguous, unresolved, sum(not names for _, names in fitting))
