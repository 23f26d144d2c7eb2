"""The tools: arguments that a language model fills in, the call of the service, and its answer as data and as text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from app.languages.choice import AskedLanguage
from app.tasks.keywords.schemas import Keyword
from app.web.codes import Code
from app.web.problems import failure
from app.web.schemas import AT_LEAST_ONE, Strict
from chainwright_client import AsyncClient, ServiceError

Report = Callable[[float, float, str], Awaitable[None]]
"""Tells the caller how far its call is: done, of how much, and a word on it."""

SOME = (AT_LEAST_ONE, Field(json_schema_extra={"minItems": 1}))
Texts = Annotated[list[str], *SOME]

UNLIKELY = 3
"""Tokens of a text that are named as its least likely ones."""


class ToolAnswer(BaseModel, ABC):
    """What a tool answers."""

    @abstractmethod
    def text(self) -> str:
        """The same for reading."""


class Tool(Strict, ABC):
    """Arguments of a call. The docstring of a tool and its fields' descriptions are what its caller reads.

    Attributes:
        name: of the tool.
        title: for people.
        answer: schema of its answer.
        renamed: arguments by the fields of the service that they stand for, where these have other names.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    answer: ClassVar[type[ToolAnswer]]
    renamed: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    async def call(self, client: AsyncClient, report: Report) -> ToolAnswer:
        """The answer of a service.

        Raises:
            ClientError, ProblemError: the service refuses, or is away.
        """


class Sentence(BaseModel):
    """A sentence."""

    text: str
    log_prob_per_token: float = Field(description="the higher, the likelier as language, in nats")


class Sentences(ToolAnswer):
    """The best of all sentences found, best first."""

    sentences: list[Sentence]
    seed: int = Field(description="the same arguments with this seed give the same sentences")

    def text(self) -> str:
        """A line for each."""
        return "\n".join(f"{number}. {each.text}" for number, each in enumerate(self.sentences, 1))


class WriteSentences(Tool):
    """Write sentences that hold every keyword, in Chinese or English. Guaranteed, unlike in your own writing: each
    sentence has all the keywords as whole words, none of the forbidden ones, and the length asked for. Takes seconds.
    The sentences come from a small language model: choose among several, and judge their sense yourself."""

    name = "write_sentences"
    title = "Write sentences with keywords"
    answer = Sentences
    renamed: ClassVar[Mapping[str, str]] = {"length.max": "max_length"}

    keywords: Annotated[list[Keyword], *SOME] = Field(
        description="words that must all occur; in place of a word a list of its forms, any of which will do: "
        '["run", "runs", "running"]'
    )
    language: AskedLanguage = Field(default="auto", description="auto: Chinese if a keyword has a Han character")
    samples: int = Field(default=3, ge=1, description="how many different sentences to give at most")
    max_length: int | None = Field(
        default=None, ge=1, description="greatest length: Chinese characters, or English words"
    )
    forbidden: list[str] = Field(
        default_factory=list, description="must not occur: whole words in English, any substring in Chinese"
    )
    ordered: bool = Field(default=False, description="whether the keywords keep the order given")
    seed: int | None = Field(default=None, description="for the same sentences again")

    async def call(self, client: AsyncClient, report: Report) -> Sentences:
        """See :meth:`Tool.call`; reports the steps of the chains, with the likeliest sentence at that moment."""
        fields = self.model_dump(exclude={"max_length"}, exclude_none=True)
        if self.max_length is not None:
            fields["length"] = {"max": self.max_length}
        # Left before its end, as when the caller cancels, the stream stops the chains.
        async with aclosing(client.sentences.stream(**fields)) as events:
            async for event in events:
                if event.name == "step":
                    likeliest = max(event.data.chains, key=lambda chain: chain.log_prob_per_token)
                    await report(event.data.step, event.data.steps, likeliest.text)
        return Sentences.model_validate(event.data.model_dump())


class Token(BaseModel):
    """A token of a text."""

    token: str
    log_prob: float = Field(description="given the tokens before, in nats")


class Score(BaseModel):
    """How likely a text is."""

    text: str
    log_prob: float = Field(description="of the whole text, in nats")
    log_prob_per_token: float = Field(description="its mean: the higher, the more natural")
    least_likely: list[Token] = Field(description="where it reads oddest, oddest first")


class Scores(ToolAnswer):
    """Scores in the order of the texts."""

    scores: list[Score]

    def text(self) -> str:
        """A line for each, with its oddest tokens."""
        return "\n".join(map(_scored, self.scores))


def _scored(given: Score) -> str:
    oddest = ", ".join(each.token for each in given.least_likely)
    return f"{given.log_prob_per_token:.2f} a token: {given.text} (oddest: {oddest})"


class ScoreTexts(Tool):
    """How likely sentences are to a language model, and at which words they are odd: to choose the most natural of
    several wordings, or to find a slip. Compare sentences of one language only."""

    name = "score_texts"
    title = "Score sentences"
    answer = Scores

    texts: Texts = Field(description="sentences, each scored by itself")
    language: AskedLanguage = Field(default="auto", description="of all texts; auto: of each by itself")

    async def call(self, client: AsyncClient, report: Report) -> Scores:
        """See :meth:`Tool.call`."""
        answer = await client.score(**self.model_dump())
        return Scores(scores=[_score(each) for each in answer.scores])


def _score(given: Any) -> Score:
    tokens = zip(given.tokens, given.log_probs, strict=True)
    oddest = sorted(tokens, key=lambda each: each[1])[:UNLIKELY]
    least_likely = [Token(token=token, log_prob=log_prob) for token, log_prob in oddest]
    return Score(**given.model_dump(include={"text", "log_prob", "log_prob_per_token"}), least_likely=least_likely)


class Edit(BaseModel):
    """A change."""

    start: int = Field(description="first character of the source that it replaces, from 0")
    end: int = Field(description="the one after the last; equal to start where something is put in")
    old: str
    new: str
    kind: str
    confidence: float = Field(description="probability that the edit is right")


class Correction(BaseModel):
    """A text and what was meant by it."""

    source: str
    target: str
    changed: bool
    edits: list[Edit]


class Corrections(ToolAnswer):
    """Corrections in the order of the texts."""

    corrections: list[Correction]

    def text(self) -> str:
        """A line for each, with its edits."""
        return "\n".join(map(_corrected, self.corrections))


def _corrected(given: Correction) -> str:
    edits = "; ".join(f"{each.old} -> {each.new}, {each.confidence:.0%} sure" for each in given.edits)
    return f"{given.target} ({edits or 'as it was'})"


class CorrectTexts(Tool):
    """Mend misspelt, misheard or mistyped words in Chinese or English sentences, with the place, kind and probability
    of each edit. What is sound stays as it is, character by character; nothing is rephrased."""

    name = "correct_texts"
    title = "Correct sentences"
    answer = Corrections

    texts: Texts = Field(description="sentences, each of which comes back in its place, changed or not")
    language: AskedLanguage = Field(default="auto", description="of all texts; auto: of each by itself")
    protect: list[str] = Field(
        default_factory=list, description="words that stay as they are; each must stand in some text"
    )
    names: list[str] = Field(default_factory=list, description="proper names, right as they are written here")

    async def call(self, client: AsyncClient, report: Report) -> Corrections:
        """See :meth:`Tool.call`; reports the texts done."""
        done = 0
        async with aclosing(client.corrections.stream(**self.model_dump())) as events:
            async for event in events:
                if event.name == "correction":
                    done += 1
                    await report(done, len(self.texts), event.data.correction.target)
        return Corrections.model_validate(event.data.model_dump())


class Found(BaseModel):
    """A key of the index, and what stands under it."""

    key: str
    values: list[str]
    confidence: float = Field(description="probability that this is the key asked for")


class Facts(ToolAnswer):
    """The keys that answer the question, best first; none where the index has no answer that is sure enough."""

    question: str
    found: list[Found]

    def text(self) -> str:
        """A line for each."""
        lines = [f"{each.key}: {', '.join(each.values)} ({each.confidence:.0%} sure)" for each in self.found]
        return "\n".join(lines) or "The index has no answer to this."


class AskIndex(Tool):
    """Ask an index of facts a question in Chinese or English. Guaranteed: keys and values stand in the index as they
    are given, none is invented; no answer where none is sure enough."""

    name = "ask_index"
    title = "Ask an index of facts"
    answer = Facts
    renamed: ClassVar[Mapping[str, str]] = {"query": "question", "n": "most", "name": "index"}

    question: str = Field(description="one question, such as: What is the currency of Japan?")
    index: str = Field(default="demo", description="name of the index; an unknown one is answered with those there are")
    most: int = Field(default=1, ge=1, description="how many keys to give at most, the likeliest first")

    async def call(self, client: AsyncClient, report: Report) -> Facts:
        """See :meth:`Tool.call`."""
        try:
            answer = await client.search(index=self.index, query=self.question, n=self.most, abstain=True)
        except ServiceError as error:
            if error.codes != [Code.NOT_FOUND]:
                raise
            names = ", ".join(each.name for each in await client.indexes())
            message, remedy = error.errors[0].message, f"ask one of these: {names}"
            raise failure(404, Code.NOT_FOUND, message, remedy, field="index") from error
        (only,) = answer.answers
        kept = [] if only.no_answer else only.results
        found = [Found(key=each.text, values=each.values, confidence=each.confidence) for each in kept]
        return Facts(question=self.question, found=found)


TOOLS: Mapping[str, type[Tool]] = {tool.name: tool for tool in (WriteSentences, ScoreTexts, CorrectTexts, AskIndex)}
"""The tools by their names."""
