"""Passages that the adapter of readings is trained on: facts of the demo graph, and of other matters.

Facts of the demo graph are those of its part "train" alone, in wordings of their own (readings_training.json). Of half
of these passages the objects have changed places, so that who answers from memory is wrong. The other matters are those
of KgCLUE's training questions, MetaQA's films, and attributes that are made up.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.readings_passages import Asked, Mix, Passages, of_part
from models.retrieval.demo import Triple, demo_triples

MIX = Mix(answered=10, rounds=2, turned=0.4, untold=0.8, kinds=3)
WIDE = 0.35
"""Share of passages on other matters than the demo graph's."""
HURRIED = 0.15
"""Share of questions without the mark at their end."""
FURTHER = 3
"""Facts that are made up of each subject besides its own."""

WORDS: Mapping[str, Any] = json.loads(Path(__file__).with_name("readings_training.json").read_text("utf-8"))
"""Of each language the wordings of :data:`benchmarks.readings_passages.WORDINGS`, besides those of any relation with
the nouns that name it and the types of its subjects; likewise of films; and attributes that are made up."""

TOLD = ("sentences", "clauses", "questions", "reversed")


def training_passages(data: Path, rng: random.Random, without: Sequence[str] = ()) -> Iterator[list[Asked]]:
    """Questions about passages without end, in both languages by turns; of each passage the questions together.

    Args:
        data: a folder with kgclue/train.jsonl, metaqa/1hop_dev.tsv and metaqa/kb.tsv.gz.
        rng: what decides them.
        without: relations of the demo graph that are left out.
    """
    triples = [one for one in demo_triples() if of_part(one.subject, "train") and one.predicate not in without]
    demo = {language: _of_relations(language, WORDS[language], without) for language in ("zh", "en")}
    moved = _moved(rng, triples)
    near = {code: [Passages(code, words, facts) for facts in (triples, moved)] for code, words in demo.items()}
    wide = {
        "zh": [_kgclue(data / "kgclue", rng)],
        "en": [_films(data / "metaqa", rng), _invented(data / "metaqa", rng)],
    }
    number = 0
    while True:
        language = ("zh", "en")[number % 2]
        asked = rng.choice((wide if rng.random() < WIDE else near)[language]).draw(rng, MIX)
        rng.shuffle(asked)
        if asked:
            number += 1
            yield [_hurried(one, rng) for one in asked]


def _hurried(asked: Asked, rng: random.Random) -> Asked:
    question = asked.question.rstrip("?？。.") if rng.random() < HURRIED else asked.question
    return replace(asked, question=question)


def _moved(rng: random.Random, triples: Sequence[Triple]) -> list[Triple]:
    """Triples whose objects have changed places within each relation."""
    result: list[Triple] = []
    for relation in dict.fromkeys(one.predicate for one in triples):
        its = [one for one in triples if one.predicate == relation]
        objects = [one.object for one in its]
        rng.shuffle(objects)
        result += [one._replace(object=other) for one, other in zip(its, objects, strict=True)]
    return result


def _of_relations(language: str, own: Mapping[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """Wordings of each relation: its own, and as many turns to one, those of any relation with its nouns and types."""
    common = WORDS[language]
    words = {name: common[name] for name in ("lists", "joins", "between", "fillers")}
    for told in TOLD:
        words[told] = {}
        for relation, nouns in own["nouns"].items():
            if relation in without:
                continue
            mine = own[told].get(relation, [])
            of_any = [
                form.replace("{n}", noun).replace("{t}", kind)
                for form in common["any"][told]
                for noun in nouns
                for kind in (own["types"][relation] if "{t}" in form else [""])
            ]
            words[told][relation] = [*mine * (len(of_any) // max(1, len(mine))), *of_any]
    return words


def _kgclue(folder: Path, rng: random.Random) -> Passages:
    """Subjects of KgCLUE's training questions, each with objects of others besides its own."""
    facts: dict[str, list[Triple]] = {}
    asked: dict[str, list[str]] = {}
    for line in (folder / "train.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        subject, predicate, object_ = row["answer"].split(" ||| ")
        subject = subject.split("（")[0]
        if not {"{", "}", "。", "！", "？"} & set("".join((subject, predicate, object_))) and len(object_) <= 30:
            facts.setdefault(predicate, []).append(Triple(subject, predicate, object_))
            if subject in row["question"] and not {"{", "}"} & set(row["question"]):
                asked.setdefault(predicate, []).append(row["question"].replace(subject, "{s}"))
    own = {
        "nouns": {predicate: [predicate] for predicate in facts},
        "types": {predicate: ["条目", "东西", "对象", "名称"] for predicate in facts},
        "questions": asked,
        **{told: {} for told in TOLD if told != "questions"},
    }
    return Passages("zh", _of_relations("zh", own), _further(facts, rng))


def _films(folder: Path, rng: random.Random) -> Passages:
    """MetaQA's films, with the questions of its development half that ask for one relation alone."""
    triples = _metaqa(folder)
    relations = {(one.subject, one.object): one.predicate for one in triples}
    own = {told: {name: list(its) for name, its in WORDS["films"][told].items()} for told in TOLD}
    for line in (folder / "1hop_dev.tsv").read_text("utf-8").splitlines():
        question, _, answers = line.partition("\t")
        name, answer = question[question.index("[") + 1 : question.index("]")], answers.split("|")[0]
        for told, pair in (("questions", (name, answer)), ("reversed", (answer, name))):
            if (relation := relations.get(pair)) in own["sentences"]:
                form = question.replace(f"[{name}]", "{s}" if told == "questions" else "{o}")
                if form not in own[told].setdefault(relation, []):
                    own[told][relation].append(form)
    return Passages("en", _of_relations("en", WORDS["films"] | own), [one for one in triples if rng.random() < 0.2])


def _invented(folder: Path, rng: random.Random) -> Passages:
    """Films and people with attributes that are made up."""
    made = WORDS["invented"]
    triples = _metaqa(folder)
    people = sorted({one.object for one in triples if one.predicate == "written by"})
    films = sorted({one.subject for one in triples})
    cities = sorted(
        {one.object.split("/")[-1].replace("_", " ") for one in demo_triples() if one.predicate == "time zone"}
    )
    pools: dict[str, Sequence[str]] = dict.fromkeys(made["people"], people)
    pools |= dict.fromkeys(made["years"], tuple(map(str, range(1450, 2020))))
    pools |= dict.fromkeys(made["places"], cities)
    pools |= {name: [form.format(number) for number in range(12, 990)] for name, form in made["numbers"].items()}
    pools |= made["words"]
    kinds = ("one", "entry", "name", "thing")
    own: dict[str, Any] = {told: {} for told in TOLD}
    own |= {"nouns": {name: [name] for name in pools}, "types": dict.fromkeys(pools, kinds)}
    facts = [
        Triple(subject, name, rng.choice(pools[name]))
        for subject in rng.sample(films, 1500) + rng.sample(people, 1500)
        for name in rng.sample(list(pools), 1 + FURTHER)
    ]
    return Passages("en", _of_relations("en", own), facts)


def _metaqa(folder: Path) -> list[Triple]:
    with gzip.open(folder / "kb.tsv.gz", "rt", encoding="utf-8") as lines:
        rows = [Triple(*line.rstrip("\n").split("\t")) for line in lines]
    return [one for one in rows if not {"{", "}", "?", "!"} & set(one.subject + one.object)]


def _further(facts: Mapping[str, Sequence[Triple]], rng: random.Random) -> Iterator[Triple]:
    """Facts, and made up ones of the same subjects with the objects of others."""
    for one in [each for its in facts.values() for each in its]:
        yield one
        for predicate in rng.sample(list(facts), FURTHER):
            yield Triple(one.subject, predicate, rng.choice(facts[predicate]).object)
