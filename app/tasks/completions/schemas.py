"""Schemas of a request for completions and of its answer, in OpenAI's shape."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from app.web.codes import Code
from app.web.problems import UnfitError
from app.web.schemas import Strict


def _kind(prompt: Any) -> str:
    """The kind of a prompt; what is no prompt at all counts as a text, and is refused as one."""
    if not isinstance(prompt, list):
        return "prompt-text"
    first = prompt[0] if prompt else None
    return "prompt-tokens" if isinstance(first, int) else "prompt-lists" if isinstance(first, list) else "prompt-texts"


def _unicode(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"character {error.start} is half a surrogate pair"
        raise UnfitError(Code.NOT_UNICODE, message, "remove it, or send both halves") from None
    return text


ExactText = Annotated[str, AfterValidator(_unicode)]
"""A text that is read as it is given."""

Tokens = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]

Prompt = Annotated[
    Annotated[ExactText, Tag("prompt-text")]
    | Annotated[Tokens, Tag("prompt-tokens")]
    | Annotated[list[Tokens], Field(min_length=1), Tag("prompt-lists")]
    | Annotated[list[ExactText], Field(min_length=1), Tag("prompt-texts")],
    Discriminator(_kind),
]


class CompletionsRequest(Strict):
    """Ask how likely the tokens of prompts are, as OpenAI's clients ask it.

    All of OpenAI's fields are known. What would write more than one token, or another than the likeliest, is refused.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"prompt": "今天我去公园散步。", "max_tokens": 0, "echo": True, "logprobs": 2},
                {
                    "prompt": [[2, 818, 5279], [2, 818, 5279, 529]],
                    "max_tokens": 1,
                    "echo": True,
                    "logprobs": 1,
                    "temperature": 0,
                },
            ]
        }
    )

    prompt: Prompt = Field(
        description="a text, which the model's begin token goes before, or token ids, read just as they are; or a list "
        "of either. Texts are read as they are given, not brought into normal form"
    )
    model: str | None = Field(default=None, description="the loaded model's name; it and no other, if given")
    max_tokens: int | None = Field(
        default=None, ge=0, description="0, or 1 for the likeliest token after each prompt besides; it must be given"
    )
    echo: bool | None = Field(default=None, description="whether the answer has the prompts, with their log-probs")
    logprobs: int | None = Field(
        default=None,
        ge=0,
        le=20,
        description="list so many of the likeliest tokens at each place beside the one that stands there; null for no "
        "log-probs at all",
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="0 where max_tokens is 1")
    top_p: float | None = Field(default=None, ge=0, le=1, description="changes nothing at temperature 0")
    seed: int | None = Field(default=None, description="changes nothing: nothing is drawn")
    user: str | None = Field(default=None, description="changes nothing")
    n: int | None = Field(default=None, description="1")
    best_of: int | None = Field(default=None, description="1")
    stream: bool | None = Field(default=None, description="false")
    stream_options: dict[str, Any] | None = Field(default=None, description="null")
    suffix: str | None = Field(default=None, description="null")
    logit_bias: dict[str, float] | None = Field(default=None, description="empty")
    stop: str | list[str] | None = Field(default=None, description="nothing where max_tokens is 1")
    presence_penalty: float | None = Field(default=None, ge=-2, le=2, description="0 where max_tokens is 1")
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, description="0 where max_tokens is 1")

    @property
    def prompts(self) -> list[tuple[str, str | list[int]]]:
        """Each prompt, a text or token ids, with the field that it stands in."""
        given: Any = self.prompt
        if isinstance(given, str) or isinstance(given[0], int):
            return [("prompt", given)]
        return [(f"prompt[{place}]", prompt) for place, prompt in enumerate(given)]


class Logprobs(BaseModel):
    """The tokens of a choice, and how likely each is given all before it, in columns.

    Log-probs are in nats, over the model's whole vocabulary.
    """

    tokens: list[str] = Field(
        description="the text of each token; of a part of a character its bytes, such as <0xE2>; of a control token "
        "its name"
    )
    token_logprobs: list[float | None] = Field(description="null of a prompt's first token, which nothing goes before")
    top_logprobs: list[dict[str, float] | None] = Field(
        description="at each place the likeliest tokens, the best first, and the one that stands there"
    )
    text_offset: list[int] = Field(description="where each token begins in `text`, in characters")


class Choice(BaseModel):
    """What became of one prompt."""

    index: int = Field(description="place of its prompt")
    text: str = Field(
        description="what its tokens write: the prompt's if echoed, and the one after it if asked for; control tokens "
        "write nothing"
    )
    logprobs: Logprobs | None = Field(description="of these tokens; null unless the request's `logprobs` is a number")
    finish_reason: Literal["length"] = Field(default="length", description="there are as many tokens as asked for")


class PromptTokensDetails(BaseModel):
    """Which tokens of prompts took no work."""

    cached_tokens: int = Field(description="of prompts that were answered without the model")


class CompletionUsage(BaseModel):
    """Tokens of all prompts together."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails


class CompletionsAnswer(BaseModel):
    """A choice for each prompt, in their order."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int = Field(description="Unix time in seconds")
    model: str
    system_fingerprint: str = Field(description="over the model's configuration, weights, tokenizer and precision")
    choices: list[Choice]
    usage: CompletionUsage
