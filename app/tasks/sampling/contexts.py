"""Contexts that a request may choose, and which chain continues which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag

from app.languages.base import Language
from app.web.codes import Code
from app.web.problems import invalid
from app.web.schemas import Strict, Text
from models.language.chat import ChatTemplate, ChatTemplateError

_POOL_STREAM = 2**32 - 1
"""Spawn key of the generator that deals contexts to chains; those of the chains are their numbers."""


class TextContext(Strict):
    """A text."""

    kind: Literal["text"] = Field(default="text", description="text if left out")
    text: Text = Field(description="the same as a plain string")


class PoolContext(Strict):
    """Short texts of many registers, for each chain one that the seed deals to it."""

    kind: Literal["pool"]


class ExamplesContext(Strict):
    """Worked examples (words, then the sentence made of them), then the request's own words."""

    kind: Literal["examples"]


class InstructionContext(Strict):
    """An instruction in the chat template of an instruction-tuned model."""

    kind: Literal["instruction"]


Made = TextContext | PoolContext | ExamplesContext | InstructionContext


_STRING = "a plain string"


def kind(value: Any) -> str:
    """The branch of the union; pydantic names this function where there is none."""
    if isinstance(value, str):
        return _STRING
    named = value.get("kind", "text") if isinstance(value, dict) else getattr(value, "kind", "text")
    return named if isinstance(named, str) else "text"


AskedContext = Annotated[
    Annotated[Text, Tag(_STRING)]
    | Annotated[TextContext, Tag("text")]
    | Annotated[PoolContext, Tag("pool")]
    | Annotated[ExamplesContext, Tag("examples")]
    | Annotated[InstructionContext, Tag("instruction")],
    Discriminator(kind),
]
"""A text, or a context by its ``kind``."""


@dataclass(frozen=True, slots=True)
class ReadContext:
    """A context as the model reads it.

    Attributes:
        text: for the reader of the answer, and for constraints.
        tokens: without the model's begin token; None for those of the text.
        own: what it says in words of its own, from which sentences must not copy.
        adapter: folder of the adapter that the model reads it with; None for the model as it is.
    """

    text: str
    tokens: tuple[int, ...] | None = None
    own: str | None = None
    adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts that the chains of a request may continue.

    Attributes:
        choices: of which each chain continues one.
        guide: context of the proposals; None where they are the law's own.
        optional: whether one that leaves no room for a sentence is left out, all of them for none; else it is refused.
    """

    choices: Sequence[ReadContext]
    guide: ReadContext | None = None
    optional: bool = False

    @property
    def texts(self) -> list[str]:
        """What sentences must not copy from."""
        read = [*self.choices, *([self.guide] if self.guide else [])]
        return [each.text if each.own is None else each.own for each in read]

    def dealt(self, seed: int, chains: int, fits: Callable[[str], bool]) -> list[ReadContext]:
        """The context of each chain: the seed shuffles the choices, which are dealt in turn.

        A chain's does not depend on how many there are, and is any of the choices with the same probability: the union
        of many chains samples their mixture.
        """
        fitting = [each for each in self.choices if not self.optional or fits(each.text)] or [ReadContext("")]
        if len(fitting) == 1:
            return fitting * chains
        order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_POOL_STREAM,))).permutation(len(fitting))
        return [fitting[order[chain % len(fitting)]] for chain in range(chains)]


Proposals = Literal["context", "examples", "instruction"]
"""The context from which proposals are drawn."""


def contexts_of(
    asked: str | Made | None,
    proposals: Proposals,
    language: Language,
    words: Sequence[str],
    chat: ChatTemplate | None,
) -> Contexts:
    """The contexts that a request asks for.

    Args:
        asked: by the request; None for the language's opening.
        proposals: the context of the proposals.
        language: of the sentences.
        words: that the sentence is to hold, for examples and instructions.
        chat: of the model.

    Raises:
        ProblemError: 422, there is no such context for this language or model.
    """
    guide = None if proposals == "context" else _naming(proposals, "proposals", language, words, chat)
    if asked is None:
        return Contexts([ReadContext(language.context(None))], guide, optional=True)
    if isinstance(asked, str):
        return Contexts([ReadContext(asked)], guide)
    if isinstance(asked, TextContext):
        return Contexts([ReadContext(asked.text)], guide)
    if isinstance(asked, PoolContext):
        return Contexts([*map(ReadContext, language.pool or [language.opening])], guide, optional=True)
    return Contexts([_naming(asked.kind, "context", language, words, chat)], guide)


def _naming(
    kind: Literal["examples", "instruction"],
    field: str,
    language: Language,
    words: Sequence[str],
    chat: ChatTemplate | None,
) -> ReadContext:
    """A context that names the words.

    Raises:
        ProblemError: 422.
    """
    if kind == "examples":
        if not language.examples:
            message = f"there are no worked examples in {language.name}"
            raise invalid(field, Code.UNKNOWN_VALUE, message, "give a context of your own, or leave it out")
        own = "\n".join(sentence for _, sentence in language.examples)
        return ReadContext(language.worked_examples(words), own=own)
    remedy = "load an instruction-tuned model, or ask for examples"
    if chat is None:
        raise invalid(field, Code.UNKNOWN_VALUE, "the model has no chat template", remedy)
    instruction = language.instruction.format(name=language.name, words=language.example_form[1].join(words))
    try:
        text, tokens = chat.rendered(instruction)
    except ChatTemplateError as error:
        raise invalid(field, Code.UNKNOWN_VALUE, str(error), remedy) from error
    return ReadContext(text, tuple(tokens), own=instruction)
