"""Passages made of facts, with questions: of the demo graph some for choosing and fitting, others for the figures.

Halves differ in their facts, in the sentences that tell these and in the words of the questions
(readings_wordings.json); the adapter is trained on facts of other subjects, in wordings of their own
(:mod:`benchmarks.readings_training`). A passage tells facts of one relation of several subjects, others of the same
subject, and some of neither, in mixed order; most questions ask for the object of a fact, some for its subject, some
for what the passage does not tell.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from models.retrieval.demo import Triple, demo_triples

Half = Literal["dev", "test", "check"]
"""The last: the test half's subjects in wordings by another writer, who had seen none of the others."""
Part = Literal["test", "dev", "train"]
Case = Literal["object", "subject", "absent subject", "absent relation", "apart"]
"""What is asked for; or why the passage does not tell it: it does not name the subject, it tells nothing of that
relation, or it does both, but not of one another."""

WORDINGS: dict[str, dict[Half, dict[str, Any]]] = json.loads(
    Path(__file__).with_name("readings_wordings.json").read_text("utf-8")
)
"""Of each language and half: sentences, clauses without a subject, questions for the object and for the subject, by
relation; lists of facts of one subject, each with the words of a fact and what parts them; what joins two sentences,
what stands between them, and sentences that answer nothing."""

SPOKEN = (("main language", "official language"), ("主要语言", "官方语言"))
"""Relations of which one may answer a question for the other."""
SHARES: Mapping[Part, tuple[float, float]] = {"test": (0, 1 / 3), "dev": (1 / 3, 1 / 2), "train": (1 / 2, 1)}
"""Of the subjects; those of one name are of one part."""


class Mix(NamedTuple):
    """What is asked about one passage."""

    answered: int = 4  # questions that it answers, at most
    rounds: int = 1  # questions about each fact
    turned: float = 0.15  # share of them for the subject
    untold: float = 1.0  # chance of a question of each kind that it does not answer ...
    kinds: int = 1  # ... of so many kinds


MIX = Mix()
"""For choosing, fitting and the figures."""


@dataclass(frozen=True)
class Asked:
    """A question about a passage; without an answer where the passage does not tell it."""

    language: str
    passage: str
    question: str
    answer: str | None
    relation: str
    case: Case


def made(half: Half, passages: int, seed: int = 0) -> list[list[Asked]]:
    """Questions about passages in both languages by turns; of each passage the questions together."""
    rng = random.Random(f"{half} {seed}")
    part: Part = "dev" if half == "dev" else "test"
    triples = [triple for triple in demo_triples() if of_part(triple.subject, part)]
    sides = [Passages(language, WORDINGS[language][half], triples) for language in ("zh", "en")]
    return [sides[i % 2].draw(rng) for i in range(passages)]


def of_part(subject: str, part: Part) -> bool:
    """Whether a subject of the demo graph is of a part."""
    low, high = SHARES[part]
    return low <= random.Random(subject).random() < high


class Passages:
    """Passages of one language, its wordings and facts.

    Args:
        language: its code.
        words: see :data:`WORDINGS`.
        triples: the facts; those of relations without wordings are left out.
    """

    def __init__(self, language: str, words: Mapping[str, Any], triples: Iterable[Triple]) -> None:
        self.language, self.words = language, words
        by_subject: dict[str, dict[str, list[Triple]]] = {}
        for triple in triples:
            if triple.predicate in words["sentences"]:
                by_subject.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple)
        self.by_subject = by_subject
        self.by_relation: dict[str, list[str]] = {}
        for subject, relations in by_subject.items():
            for relation in relations:
                self.by_relation.setdefault(relation, []).append(subject)

    def draw(self, rng: random.Random, mix: Mix = MIX) -> list[Asked]:
        """A passage with questions that it answers, and perhaps some that it does not."""
        relation = rng.choice(list(self.by_relation))
        facts = list(self._facts(rng, relation, rng.choice(self.by_relation[relation])))
        rng.shuffle(facts)
        passage = self._passage(rng, facts)
        objects = Counter((fact.subject, fact.predicate) for fact in facts)
        subjects = Counter(fact.object for fact in facts)
        asked = []
        for fact in facts * mix.rounds:
            turned = self.words["reversed"].get(fact.predicate)
            if turned and subjects[fact.object] == 1 and rng.random() < mix.turned:
                asked.append(self._asked(passage, rng.choice(turned), fact, fact.subject, "subject"))
            elif objects[fact.subject, fact.predicate] == 1:
                question = rng.choice(self.words["questions"][fact.predicate])
                asked.append(self._asked(passage, question, fact, fact.object, "object"))
        asked = asked[: mix.answered]
        untold = list(self._untold(rng, passage, facts))
        for _ in range(mix.kinds):
            if untold and rng.random() < mix.untold:
                fact, case = untold.pop(rng.randrange(len(untold)))
                words = self.words["questions"][fact.predicate]
                asked.append(self._asked(passage, rng.choice(words), fact, None, case))
        return asked

    def _asked(self, passage: str, question: str, fact: Triple, answer: str | None, case: Case) -> Asked:
        question = question.format(s=fact.subject, o=fact.object)
        return Asked(self.language, passage, question, answer, fact.predicate, case)

    def _untold(self, rng: random.Random, passage: str, facts: Sequence[Triple]) -> Iterator[tuple[Triple, Case]]:
        """A fact of each case that the passage does not tell, nor any of what else would answer it."""
        relations = list(dict.fromkeys(fact.predicate for fact in facts))
        subjects = list(dict.fromkeys(fact.subject for fact in facts))
        others = [subject for subject in self.by_subject if subject not in passage]
        pairs: list[tuple[str, str, Case]] = [
            *((rng.choice(others), relation, "absent subject") for relation in relations for _ in range(20)),
            *((each, other, "absent relation") for each in subjects for other in self.words["sentences"]),
            *((each, relation, "apart") for each in subjects for relation in relations),
        ]
        rng.shuffle(pairs)
        found: set[Case] = set()
        for subject, relation, case in pairs:
            its = self.by_subject[subject].get(relation, [])
            near = next((pair for pair in SPOKEN if relation in pair), (relation,))
            told = any(fact.predicate in near and (case != "apart" or fact.subject == subject) for fact in facts)
            if case == "absent subject":
                told = False
            if its and not told and case not in found and all(fact.object not in passage for fact in its):
                found.add(case)
                yield its[0], case

    def _passage(self, rng: random.Random, facts: Sequence[Triple]) -> str:
        """Sentences that tell facts, those of one subject perhaps together, and perhaps some that tell nothing."""
        parts: list[str] = []
        told = list(facts)
        for about in dict.fromkeys(fact.subject for fact in told):
            its = [fact for fact in told if fact.subject == about and fact.predicate in self.words["clauses"]]
            if its and rng.random() < (0.6 if len(its) > 1 else 0.1):
                together = self._listed if len(its) == 1 or rng.random() < 0.6 else self._told_on
                parts.insert(rng.randint(0, len(parts)), together(rng, its))
                told = [fact for fact in told if fact not in its]
        for fact in told:
            parts.insert(rng.randint(0, len(parts)), self._sentence(rng, fact))
        while rng.random() < 0.35:
            filler = rng.choice(self.words["fillers"]).format(s=rng.choice(facts).subject)
            parts.insert(rng.randint(0, len(parts)), filler)
        at = rng.randrange(len(parts))
        if at and rng.random() < 0.3 and parts[at - 1][-1] in ".。":
            second = parts.pop(at)
            parts[at - 1] = parts[at - 1][:-1] + rng.choice(self.words["joins"]) + _within(second)
        return str(rng.choice(self.words["between"])).join(parts).strip()

    def _listed(self, rng: random.Random, facts: Sequence[Triple]) -> str:
        form, each, comma = rng.choice(self.words["lists"])
        listed = comma.join(each.format(p=fact.predicate, o=fact.object) for fact in facts)
        return str(form.format(s=facts[0].subject, facts=listed))

    def _told_on(self, rng: random.Random, facts: Sequence[Triple]) -> str:
        """A sentence and what goes on about its subject without naming it."""
        first, *rest = facts
        comma, stop = ("，", "。") if self.language == "zh" else (", and ", ". ")
        clauses = [rng.choice(self.words["clauses"][fact.predicate]).format(o=fact.object) for fact in rest]
        opening = self._sentence(rng, first)
        if rng.random() < 0.5:
            return opening[:-1] + comma + comma.join(clauses) + stop.strip()
        return opening + stop[1:] + stop.join(clause[0].upper() + clause[1:] for clause in clauses) + stop.strip()

    def _facts(self, rng: random.Random, relation: str, subject: str) -> Iterator[Triple]:
        """The fact asked for, then others: of the relation, of the subject, and any; none that answers as well."""
        target = rng.choice(self.by_subject[subject][relation])
        yield target
        most = 6 if rng.random() < 0.15 else 3
        pool = self.by_relation[relation]
        for other in rng.sample(pool, min(len(pool), rng.randint(1, most))):
            fact = rng.choice(self.by_subject[other][relation])
            if other != subject and fact.object != target.object and subject not in (*fact, other):
                yield fact
        more = [each for each in self.by_subject[subject] if each != relation]
        for other in rng.sample(more, min(len(more), rng.randint(0, most - 1))):
            fact = rng.choice(self.by_subject[subject][other])
            if fact.object != target.object:
                yield fact
        for _ in range(rng.randint(0, most - 1)):
            other = rng.choice(list(self.by_subject))
            fact = rng.choice(rng.choice(list(self.by_subject[other].values())))
            if fact.predicate != relation and other != subject and target.object not in fact.object:
                yield fact

    def _sentence(self, rng: random.Random, fact: Triple) -> str:
        text = rng.choice(self.words["sentences"][fact.predicate])
        return str(text.format(s=fact.subject, o=fact.object))


def _within(sentence: str) -> str:
    """A sentence after a joining word: "The" and the like begin small, names stay."""
    first = sentence.split(" ", 1)[0]
    return sentence[0].lower() + sentence[1:] if first in ("The", "In", "Most", "Shops", "Clocks") else sentence
