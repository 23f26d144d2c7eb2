"""What a request for completions is refused for: asking to write, or more than the model or the limits take."""

from __future__ import annotations

from collections.abc import Iterator

from app.engine.engine import Engine
from app.tasks.completions.schemas import CompletionsRequest
from app.tasks.limits import Bound, above
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, invalid, refuse

WRITERS = "for texts that are written, call /v1/sentences or /v1/infills"

NEVER: dict[str, object] = {
    "n": 1,
    "best_of": 1,
    "stream": False,
    "stream_options": None,
    "suffix": "",
    "logit_bias": {},
}
"""Fields with the one value that asks for nothing more than a score, beside null."""

OF_ONE_TOKEN: dict[str, object] = {"stop": [], "presence_penalty": 0, "frequency_penalty": 0}
"""The same, of those that say which token is written."""


def read_prompts(request: CompletionsRequest, engine: Engine) -> list[tuple[int, ...]]:
    """Check a request, and read its prompts as tokens; may take some milliseconds, so keep it off the event loop.

    Raises:
        ProblemError: 400 for what would be written, else 422.
    """
    if faults := list(_writes(request)):
        raise ProblemError(400, faults)
    model, limits = engine.model, engine.limits
    if request.model not in (None, model.name):
        message = f"{request.model[:80]!r} is not loaded here"
        raise invalid("model", Code.UNKNOWN_VALUE, message, f"give {model.name!r}, or leave it out")
    prompts = request.prompts
    refuse(list(above([Bound("prompt", prompts, limits.max_texts, "prompts in one request")])))
    texts = [Bound(field, text, limits.max_context_characters) for field, text in prompts if isinstance(text, str)]
    refuse(list(above(texts)))
    encode = model.tokenizer.encode
    named = [(name, (model.begin, *encode(one)) if isinstance(one, str) else tuple(one)) for name, one in prompts]
    refuse(list(_outside(engine, named)))
    read = [tokens for _, tokens in named]
    listed = (request.logprobs or 0) * sum(map(len, read))
    if listed > limits.max_likely_tokens:
        message = f"{listed} tokens to list are above the limit of {limits.max_likely_tokens} in one answer"
        raise invalid("logprobs", Code.TOO_LARGE, message, "ask for fewer at each place, or send fewer prompts")
    return read


def _writes(request: CompletionsRequest) -> Iterator[Fault]:
    """A fault for each field that asks for more than a score."""
    most = request.max_tokens
    if most is None or most > 1:
        code = Code.MISSING if most is None else Code.TOO_LARGE
        message = "left out, it asks for 16 tokens" if most is None else f"it asks for {most} tokens"
        remedy = f"give 0, or 1 for the likeliest token after each prompt; {WRITERS}"
        yield Fault(field="max_tokens", code=code, message=f"{message}, and this route scores prompts", remedy=remedy)
    for field, harmless in (NEVER | OF_ONE_TOKEN if most else NEVER).items():
        if getattr(request, field) not in (None, harmless):
            message = "it asks for something to be written, and this route scores prompts"
            remedy = f"leave it out; {WRITERS}"
            yield Fault(field=field, code=Code.UNKNOWN_VALUE, message=message, remedy=remedy)
    if most and request.temperature != 0:
        message = "the one token is the likeliest, which temperature 0 asks for and no other"
        remedy = f"give 0, or max_tokens 0; {WRITERS}"
        yield Fault(field="temperature", code=Code.UNKNOWN_VALUE, message=message, remedy=remedy)


def _outside(engine: Engine, prompts: list[tuple[str, tuple[int, ...]]]) -> Iterator[Fault]:
    """A fault for each prompt that is too long for the model, or has a token that it has not."""
    count = engine.model.scorer.forward.tokens
    most = min(engine.limits.max_context_tokens, engine.model.max_context)
    for field, tokens in prompts:
        if len(tokens) > most:
            message = f"it has {len(tokens)} tokens, above the limit of {most}"
            yield Fault(field=field, code=Code.TOO_LONG, message=message, remedy="give a shorter prompt")
        elif max(tokens) >= count:
            message = f"{max(tokens)} is no token of this model, which has {count}"
            remedy = "encode the prompt with this model's own tokenizer, or give it as a text"
            yield Fault(field=field, code=Code.UNKNOWN_VALUE, message=message, remedy=remedy)
