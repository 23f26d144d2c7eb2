"""Passages made of the demo graph's facts, with questions: some for choosing and fitting, others for the figures.

Halves differ in their facts, in the sentences that tell these and in the words of the questions. A passage tells facts
of one relation of several subjects, and others of the same subject, in mixed order; about one in five questions
asks for what the passage does not tell.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.retrieval.demo import Triple, demo_triples

Half = Literal["dev", "test"]
Wordings = Mapping[str, tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[str]]]
"""Of each relation: sentences of dev and of test, questions of dev and of test."""

ENGLISH: Wordings = {
    "currency": (
        (
            "The currency of {s} is the {o}.",
            "In {s}, people pay with the {o}.",
            "{s} uses the {o} as its currency.",
            "The {o} is the money of {s}.",
            "Shops in {s} take the {o}.",
        ),
        ("{s}'s official currency is the {o}.", "The {o} is used as currency in {s}.", "Prices in {s} are in {o}."),
        (
            "What is the currency of {s}?",
            "Which currency is used in {s}?",
            "What do people pay with in {s}?",
            "What money does {s} have?",
            "In {s}, which currency do shops take?",
        ),
        ("What currency does {s} use?", "Which money can you spend in {s}?", "Name the currency of {s}."),
    ),
    "official language": (
        (
            "The official language of {s} is {o}.",
            "{o} is an official language in {s}.",
            "In {s}, {o} is the language of the state.",
            "Laws in {s} are written in {o}.",
        ),
        ("{s} has {o} as its official language.", "Officially, {o} is the language of {s}."),
        (
            "What is the official language of {s}?",
            "Which language is official in {s}?",
            "In which language are laws written in {s}?",
            "What language does the state of {s} use?",
        ),
        ("Which official language does {s} have?", "What language is spoken officially in {s}?"),
    ),
    "main language": (
        (
            "The main language of {s} is {o}.",
            "Most people in {s} speak {o}.",
            "{o} is the language that most people in {s} speak.",
            "The language spoken most in {s} is {o}.",
        ),
        ("In {s}, {o} is spoken by most.", "{o} is the main language spoken in {s}."),
        (
            "What is the main language of {s}?",
            "What do most people in {s} speak?",
            "Which language is spoken most in {s}?",
        ),
        ("Which language do most people speak in {s}?", "What is the main language people use in {s}?"),
    ),
    "time zone": (
        (
            "{s} lies in the time zone {o}.",
            "The time zone of {s} is {o}.",
            "Clocks in {s} follow {o}.",
            "{o} is the time zone of {s}.",
        ),
        ("Time in {s} goes by {o}.", "{s} is in {o}, as time zones go."),
        ("What is the time zone of {s}?", "In which time zone does {s} lie?", "Which time do clocks in {s} follow?"),
        ("Which time zone is {s} in?", "What time zone does {s} use?"),
    ),
    "code": (
        (
            "The code of {s} is {o}.",
            "{s} has the code {o}.",
            "{o} is the code for {s}.",
            "In tables, {s} appears as {o}.",
        ),
        ("{s} is abbreviated {o}.", "The short code for {s} is {o}."),
        ("What is the code of {s}?", "Which code does {s} have?", "How does {s} appear in tables?"),
        ("What code stands for {s}?", "What is the short code for {s}?"),
    ),
    "flag": (
        ("The flag of {s} is {o}.", "{s} flies {o}.", "{o} is the flag of {s}."),
        ("{s} has the flag {o}.", "As its flag, {s} shows {o}."),
        ("What is the flag of {s}?", "Which flag does {s} fly?", "What does the flag of {s} look like?"),
        ("Which flag belongs to {s}?", "What flag does {s} have?"),
    ),
    "Chinese name": (
        ("In Chinese, {s} is called {o}.", "The Chinese name of {s} is {o}.", "{o} is the Chinese name of {s}."),
        ("Chinese speakers call {s} {o}.", "{s} is known in Chinese as {o}."),
        ("What is the Chinese name of {s}?", "What is {s} called in Chinese?", "How do you say {s} in Chinese?"),
        ("What do Chinese speakers call {s}?", "Under what name is {s} known in Chinese?"),
    ),
    "script": (
        ("{s} is written in {o} script.", "The script of {s} is {o}.", "Texts in {s} use the script {o}."),
        ("One writes {s} in the {o} script.", "{s} uses {o} as its script."),
        ("What is the script of {s}?", "In which script is {s} written?", "Which script do texts in {s} use?"),
        ("Which script does {s} use?", "What script is used to write {s}?"),
    ),
    "own name": (
        ("Speakers of {s} call it {o}.", "The own name of {s} is {o}.", "{s} is called {o} by those who speak it."),
        ("In the language itself, {s} is {o}.", "Its speakers' name for {s} is {o}."),
        (
            "What do speakers of {s} call it?",
            "What is the own name of {s}?",
            "What is {s} called by those who speak it?",
        ),
        ("What is {s} called in the language itself?", "What name do its speakers have for {s}?"),
    ),
    "symbol": (
        ("The symbol of {s} is {o}.", "{o} is the sign for {s}.", "{s} is written {o} for short."),
        ("{s} has the symbol {o}.", "On price tags {s} is {o}."),
        ("What is the symbol of {s}?", "Which sign stands for {s}?", "How is {s} written for short?"),
        ("What symbol does {s} have?", "How does {s} look on price tags?"),
    ),
    "used in": (
        ("{s} is used in {o}.", "{o} is where {s} is used.", "People in {o} use {s}."),
        ("One finds {s} in {o}.", "{s} is in use in {o}."),
        ("Where is {s} used?", "In which place is {s} used?", "Who uses {s}?"),
        ("Where is {s} in use?", "Where does one find {s}?"),
    ),
    "languages": (
        ("The script {s} is used to write {o}.", "{o} is written in {s}.", "With {s} one writes {o}."),
        ("{s} serves to write {o}.", "Among the languages in {s} is {o}."),
        ("Which language is written in {s}?", "What is the script {s} used to write?", "What does one write with {s}?"),
        ("Which language uses {s}?", "What language does {s} serve to write?"),
    ),
}

CHINESE: Wordings = {
    "货币": (
        (
            "{s}的货币是{o}。",
            "在{s}，人们用{o}付款。",
            "{s}使用{o}作为货币。",
            "{o}是{s}的货币。",
            "{s}通行的货币叫{o}。",
        ),
        ("{s}的法定货币为{o}。", "在{s}买东西要用{o}。", "{o}是{s}流通的货币。"),
        ("{s}的货币是什么？", "{s}用什么货币？", "在{s}人们用什么付款？", "哪种货币在{s}通行？", "{s}的钱叫什么？"),
        ("{s}使用哪种货币？", "在{s}买东西用什么钱？", "{s}流通什么货币？"),
    ),
    "官方语言": (
        ("{s}的官方语言是{o}。", "{o}是{s}的官方语言。", "{s}把{o}定为官方语言。", "{s}政府使用{o}。"),
        ("{s}以{o}为官方语言。", "在{s}，{o}具有官方地位。"),
        ("{s}的官方语言是什么？", "{s}把哪种语言定为官方语言？", "{s}政府使用什么语言？", "哪种语言是{s}的官方语言？"),
        ("{s}以什么语言为官方语言？", "{s}官方使用哪种语言？"),
    ),
    "主要语言": (
        ("{s}的主要语言是{o}。", "{s}大多数人说{o}。", "在{s}，说{o}的人最多。"),
        ("{o}是{s}最主要的语言。", "{s}居民主要讲{o}。"),
        ("{s}的主要语言是什么？", "{s}大多数人说什么话？", "在{s}说哪种语言的人最多？"),
        ("{s}最主要的语言是哪种？", "{s}居民主要讲什么语言？"),
    ),
    "时区": (
        ("{s}的时区是{o}。", "{s}位于{o}时区。", "{o}是{s}所在的时区。"),
        ("{s}采用{o}时区。", "{s}所用的时区为{o}。"),
        ("{s}的时区是什么？", "{s}位于哪个时区？", "哪个时区是{s}所在的时区？"),
        ("{s}采用哪个时区？", "{s}在什么时区？"),
    ),
    "代码": (
        ("{s}的代码是{o}。", "{o}是{s}的代码。", "{s}的缩写代码为{o}。"),
        ("{s}用代码{o}表示。", "代表{s}的代码是{o}。"),
        ("{s}的代码是什么？", "哪个代码是{s}的代码？", "{s}的缩写代码是什么？"),
        ("{s}用什么代码表示？", "代表{s}的代码是哪个？"),
    ),
    "国旗": (
        ("{s}的国旗是{o}。", "{o}是{s}的国旗。"),
        ("{s}的旗帜为{o}。", "{s}悬挂的国旗是{o}。"),
        ("{s}的国旗是什么？", "哪面旗是{s}的国旗？", "{s}的国旗是什么样的？"),
        ("{s}悬挂哪面国旗？", "{s}的旗帜是什么？"),
    ),
    "英文名": (
        ("{s}的英文名是{o}。", "{s}在英语里叫{o}。", "{o}是{s}的英文名。"),
        ("{s}的英文名称为{o}。", "英语把{s}称为{o}。"),
        ("{s}的英文名是什么？", "{s}在英语里叫什么？", "{s}用英语怎么说？"),
        ("{s}的英文名称是什么？", "英语怎么称呼{s}？"),
    ),
    "文字": (
        ("{s}用{o}书写。", "{s}的文字是{o}。", "书写{s}使用{o}。"),
        ("{s}采用的文字是{o}。", "{o}是{s}的文字。"),
        ("{s}用什么文字书写？", "{s}的文字是什么？", "书写{s}使用什么文字？"),
        ("{s}采用哪种文字？", "{s}是用哪种文字写的？"),
    ),
    "自称": (
        ("{s}的自称是{o}。", "说{s}的人把它叫做{o}。", "{s}自称{o}。"),
        ("{s}在本语言中叫{o}。", "{o}是{s}的自称。"),
        ("{s}的自称是什么？", "说{s}的人把它叫做什么？", "{s}自称什么？"),
        ("{s}在本语言中叫什么？", "{s}怎么称呼自己？"),
    ),
    "符号": (
        ("{s}的符号是{o}。", "{o}是{s}的符号。", "{s}用{o}表示。"),
        ("{s}的货币符号为{o}。", "{s}写作{o}。"),
        ("{s}的符号是什么？", "{s}用什么符号表示？", "哪个符号表示{s}？"),
        ("{s}的货币符号是什么？", "{s}写作什么？"),
    ),
    "使用地区": (
        ("{s}的使用地区有{o}。", "{s}在{o}使用。", "{o}使用{s}。"),
        ("人们在{o}使用{s}。", "{s}通行于{o}。"),
        ("{s}在哪里使用？", "{s}的使用地区有哪里？", "什么地方使用{s}？"),
        ("人们在哪里使用{s}？", "{s}通行于哪里？"),
    ),
    "使用的语言": (
        ("使用{s}的语言有{o}。", "{o}用{s}书写。", "{s}可以用来写{o}。"),
        ("{o}使用{s}。", "用{s}书写的语言是{o}。"),
        ("什么语言使用{s}？", "哪种语言用{s}书写？", "{s}可以用来写什么语言？"),
        ("使用{s}的是哪种语言？", "哪种语言是用{s}书写的？"),
    ),
}

LISTS: Mapping[str, Mapping[Half, Sequence[tuple[str, str, str]]]] = {
    "en": {
        "dev": (
            ("{s}: {facts}.", "its {p} is {o}", "; "),
            ("As for {s}, {facts}.", "the {p} is {o}", ", "),
            ("This is about {s}. {facts}.", "Its {p} is {o}", ". "),
            ("We come to {s}. {facts}.", "The {p} is {o}", ", and "),
        ),
        "test": (
            ("Here is {s}. {facts}.", "Its {p} is {o}", ". "),
            ("About {s} we know that {facts}.", "its {p} is {o}", " and "),
            ("{s} ({facts}) is on the list.", "{p}: {o}", ", "),
        ),
    },
    "zh": {
        "dev": (
            ("{s}：{facts}。", "{p}是{o}", "，"),
            ("关于{s}，{facts}。", "其{p}为{o}", "；"),
            ("下面介绍{s}。{facts}。", "它的{p}是{o}", "。"),
            ("再说{s}。{facts}。", "{p}：{o}", "，"),
        ),
        "test": (
            ("{s}的{facts}。", "{p}是{o}", "，"),
            ("来看{s}。{facts}。", "其{p}为{o}", "，"),
            ("{s}的资料如下：{facts}。", "{p}{o}", "，"),
        ),
    },
}
"""Ways to tell several facts of a subject that is named once, each in so many words."""

FILLERS: Mapping[str, Mapping[Half, Sequence[str]]] = {
    "en": {
        "dev": ("The list was checked in spring.", "Not everybody agrees.", "More can be found in an atlas."),
        "test": ("These notes are from a school book.", "Some entries are old."),
    },
    "zh": {
        "dev": ("资料在春天核对过。", "说法并不统一。", "详见地图册。"),
        "test": ("这些内容摘自课本。", "有些条目比较旧。"),
    },
}
"""Sentences that answer nothing."""


QUESTIONS = 4
"""Questions about one passage that it answers, at most."""


@dataclass(frozen=True)
class Asked:
    """A question about a passage; without an answer where the passage does not tell it."""

    language: str
    passage: str
    question: str
    answer: str | None
    relation: str


def made(half: Half, passages: int, seed: int = 0) -> list[list[Asked]]:
    """Questions about passages in both languages by turns; of each passage the questions together."""
    rng = random.Random(f"{half} {seed}")
    sides = {language: _Side(language, half) for language in ("zh", "en")}
    return [sides[("zh", "en")[i % 2]].draw(rng) for i in range(passages)]


class _Side:
    """One language of one half."""

    def __init__(self, language: str, half: Half) -> None:
        self.language: str = language
        self.half: Half = half
        self.wordings = ENGLISH if language == "en" else CHINESE
        by_subject: dict[str, dict[str, list[Triple]]] = {}
        for triple in demo_triples():
            if (triple.predicate in ENGLISH) == (language == "en") and self._mine(triple.subject):
                by_subject.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple)
        self.by_subject = by_subject
        self.by_relation: dict[str, list[str]] = {}
        for subject, relations in by_subject.items():
            for relation in relations:
                self.by_relation.setdefault(relation, []).append(subject)

    def _mine(self, subject: str) -> bool:
        """Every third subject is for testing, those of one name in one half."""
        return (random.Random(subject).random() < 1 / 3) == (self.half == "test")

    def draw(self, rng: random.Random) -> list[Asked]:
        """A passage with up to :data:`QUESTIONS` questions that it answers, and perhaps one that it does not."""
        relation = rng.choice(list(self.by_relation))
        facts = list(self._facts(rng, relation, rng.choice(self.by_relation[relation])))
        untold = [facts.pop(0)] if rng.random() < 0.2 * QUESTIONS and len(facts) > 1 else []
        rng.shuffle(facts)
        passage = (" " if self.language == "en" else "").join(self._sentences(rng, facts))
        known = Counter((fact.subject, fact.predicate) for fact in facts)
        told = [fact for fact in facts if known[fact.subject, fact.predicate] == 1]
        asked = [*((fact, True) for fact in told[:QUESTIONS]), *((fact, False) for fact in untold)]
        return [
            Asked(
                self.language,
                passage,
                rng.choice(self.wordings[fact.predicate][2 if self.half == "dev" else 3]).format(s=fact.subject),
                fact.object if answered else None,
                fact.predicate,
            )
            for fact, answered in asked
        ]

    def _sentences(self, rng: random.Random, facts: Sequence[Triple]) -> list[str]:
        """Sentences that tell facts, those of one subject perhaps together, and perhaps one that tells nothing."""
        sentences: list[str] = []
        told = list(facts)
        for about in dict.fromkeys(fact.subject for fact in told):
            its = [fact for fact in told if fact.subject == about and fact.predicate not in ("used in", "languages")]
            if its and rng.random() < (0.5 if len(its) > 1 else 0.1):
                form, each, comma = rng.choice(LISTS[self.language][self.half])
                listed = comma.join(each.format(p=fact.predicate, o=fact.object) for fact in its)
                sentences.insert(rng.randint(0, len(sentences)), form.format(s=about, facts=listed))
                told = [fact for fact in told if fact not in its]
        if rng.random() < 0.3:
            sentences.append(rng.choice(FILLERS[self.language][self.half]))
        for fact in told:
            sentences.insert(rng.randint(0, len(sentences)), self._sentence(rng, fact))
        return sentences

    def _facts(self, rng: random.Random, relation: str, subject: str) -> Iterator[Triple]:
        """The fact asked for, then others: of the relation, of the subject, and any; none that answers as well."""
        target = rng.choice(self.by_subject[subject][relation])
        yield target
        pool = self.by_relation[relation]
        for other in rng.sample(pool, min(len(pool), rng.randint(1, 3))):
            fact = rng.choice(self.by_subject[other][relation])
            if other != subject and fact.object != target.object and subject not in (*fact, other):
                yield fact
        more = [each for each in self.by_subject[subject] if each != relation]
        for other in rng.sample(more, min(len(more), rng.randint(0, 2))):
            fact = rng.choice(self.by_subject[subject][other])
            if fact.object != target.object:
                yield fact
        for _ in range(rng.randint(0, 2)):
            other = rng.choice(list(self.by_subject))
            fact = rng.choice(rng.choice(list(self.by_subject[other].values())))
            if fact.predicate != relation and other != subject and target.object not in fact.object:
                yield fact

    def _sentence(self, rng: random.Random, fact: Triple) -> str:
        text = rng.choice(self.wordings[fact.predicate][0 if self.half == "dev" else 1])
        return text.format(s=fact.subject, o=fact.object)
