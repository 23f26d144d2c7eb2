"""Scores prompts under no mask, and reports in OpenAI's shape."""

from __future__ import annotations

import asyncio
import codecs
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence

from app.engine.engine import Engine
from app.tasks.batches import batches
from app.tasks.completions.checks import read_prompts
from app.tasks.completions.schemas import (
    Choice,
    CompletionsAnswer,
    CompletionsRequest,
    CompletionUsage,
    Logprobs,
    PromptTokensDetails,
)
from models.language.scoring.unmasked import Asked, Rows, UnmaskedScorer
from models.language.tokenizer import TextTokenizer


async def complete(request: CompletionsRequest, engine: Engine) -> CompletionsAnswer:
    """Score the prompts of a request, each as if it were sent alone.

    Raises:
        ProblemError: 422 for what is no request to score, 429 if too many requests wait.
    """
    model = engine.model
    prompts = await asyncio.to_thread(read_prompts, request, engine)
    echo, more = bool(request.echo), bool(request.max_tokens)
    asked = Asked(within=echo and request.logprobs is not None, beyond=more, top=request.logprobs or 0)
    scorer = UnmaskedScorer(model, engine.batcher, engine.scores)
    choices: list[Choice] = []
    async with engine.admission.take():
        for batch in batches(range(len(prompts)), lambda place: len(prompts[place])):
            scored = await scorer.score([prompts[place] for place in batch], asked)
            echoed = [prompts[place] if echo else () for place in batch]
            # In a thread: tens of thousands of tokens may be listed.
            choices += await asyncio.to_thread(_choices, request, batch, echoed, scored, model.tokenizer)
    read, written = sum(map(len, prompts)), len(prompts) * more
    return CompletionsAnswer(
        id=f"cmpl-{uuid.uuid4().hex}",
        created=int(time.time()),
        model=model.name,
        system_fingerprint=model.fingerprint,
        choices=choices,
        usage=CompletionUsage(
            prompt_tokens=read,
            completion_tokens=written,
            total_tokens=read + written,
            prompt_tokens_details=PromptTokensDetails(cached_tokens=scorer.recalled),
        ),
    )


def _choices(
    request: CompletionsRequest,
    places: Sequence[int],
    echoed: Sequence[Sequence[int]],
    scored: Sequence[Rows],
    tokenizer: TextTokenizer,
) -> list[Choice]:
    """A choice for each prompt: of the tokens echoed, and of the one after them if it was asked for."""
    choices: list[Choice] = []
    for place, before, rows in zip(places, echoed, scored, strict=True):
        tokens = [*before, *(rows["token"][-1:].tolist() if request.max_tokens else ())]
        text, offsets = _joined(map(tokenizer.written, tokens))
        logprobs = None
        if request.logprobs is not None:
            first = [None] if before else []
            logprobs = Logprobs(
                tokens=list(map(tokenizer.named, tokens)),
                token_logprobs=[*first, *rows["log_prob"].tolist()],
                top_logprobs=[*first, *_listed(rows, tokenizer)],
                text_offset=offsets,
            )
        choices.append(Choice(index=place, text=text, logprobs=logprobs))
    return choices


def _listed(rows: Rows, tokenizer: TextTokenizer) -> Iterator[dict[str, float]]:
    """The likeliest tokens at each place, and last the one that stands there, if it is none of them."""
    columns = (rows[column].tolist() for column in ("top", "top_log_probs", "token", "log_prob"))
    for top, log_probs, token, log_prob in zip(*columns, strict=True):
        listed: dict[str, float] = {}
        for one, likely in zip((*top, token), (*log_probs, log_prob), strict=True):
            listed.setdefault(tokenizer.named(one), likely)  # should two be named alike, the likelier
        yield listed


def _joined(pieces: Iterable[bytes]) -> tuple[str, list[int]]:
    """The text of tokens, and where in it each begins; one that ends a character begins where the character does."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, offsets = "", []
    for piece in pieces:
        offsets.append(len(text))
        text += decoder.decode(piece)
    return text + decoder.decode(b"", final=True), offsets
