"""Cuts blanks out of sentences, fills them, and holds what was written against what stood there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from app.cli.evaluate.each import evaluate_each, model_of, parted
from app.cli.evaluate.lines import json_lines, references_of
from app.engine.engine import Engine
from app.languages.base import Language
from app.languages.choice import AskedLanguage, choose_language
from app.tasks.infills.schemas import InfillsAnswer, InfillsRequest
from app.tasks.infills.task import Infills
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from app.web.schemas import normalised
from app.web.validation import validated
from models.language.scoring.session import Session
from models.language.vocabulary import SpellingError
from samplers.run import generator
from samplers.spans import Span

MOST_BLANKS, MOST_WORDS = 3, 3
"""Blanks of a sentence, and neighbouring words of a blank."""
BLANK = "___"


@dataclass(frozen=True, slots=True)
class InfillsEvaluation:
    """An evaluation to run.

    Attributes:
        file: JSON Lines with ``reference`` or ``references``, of which the first is taken.
        limit: only the first so many lines.
        sampler: kind, chains and steps.
        seed: of the first line; each line takes the next.
        language: code of a language, or auto.
        output: JSON Lines with each line's result.
        encoding: of the file; None for UTF-8.
    """

    file: Path
    limit: int | None
    sampler: dict[str, Any]
    seed: int
    language: AskedLanguage
    output: Path | None
    encoding: str | None = None

    @property
    def samples(self) -> bool:
        """Whether the chains sample, so that one of them is taken where it ends."""
        return bool(self.sampler["kind"] != "annealing")


@dataclass(frozen=True, slots=True)
class Cut:
    """A sentence with blanks, and what stood in them."""

    line: int
    sentence: str
    text: str
    spans: Sequence[Span]


def read_cuts(evaluation: InfillsEvaluation) -> Iterator[Cut]:
    """The sentences of the file with one to three blanks of one to three words each; short ones are left out.

    Raises:
        ProblemError: a line is not what it should be, or no sentence has a word to spare.
        TextFileError: the file cannot be read.
    """
    found = False
    for place, (number, line) in enumerate(json_lines(evaluation.file, evaluation.encoding)[: evaluation.limit]):
        where = f"{evaluation.file.name}:{number}"
        references = references_of(where, line) if isinstance(line, dict) else []
        if not references:
            raise invalid(where, Code.MISSING, "the line has no reference", "give a JSON object with a sentence")
        sentence = normalised(references[0]).strip()
        language = choose_language(evaluation.language, [sentence])
        if spans := cut_spans(sentence, language, generator(evaluation.seed + place, 0)):
            found = True
            yield Cut(number, sentence, blanked(sentence, spans), spans)
    if not found:
        raise invalid(evaluation.file.name, Code.TOO_SHORT, "no sentence has three words", "give longer ones")


def cut_spans(sentence: str, language: Language, rng: np.random.Generator) -> list[Span]:
    """One to three runs of words, at least a word between them; none for fewer than three words."""
    words = language.word_spans(sentence)
    taken: list[tuple[int, int]] = []
    for _ in range(int(rng.integers(1, MOST_BLANKS + 1))):
        length = int(rng.integers(1, MOST_WORDS + 1))
        starts = [
            start
            for start in range(len(words) - length + 1)
            if all(start + length < first or start > last for first, last in taken)
        ]
        if len(words) >= 3 and starts and sum(last - first for first, last in taken) + length < len(words):
            start = starts[int(rng.integers(len(starts)))]
            taken.append((start, start + length))
    return [(words[first][0], words[last - 1][1]) for first, last in sorted(taken)]


def blanked(sentence: str, spans: Sequence[Span]) -> str:
    """The sentence with blanks in the place of the spans."""
    starts, stops = [0, *(stop for _, stop in spans)], [*(start for start, _ in spans), len(sentence)]
    return BLANK.join(sentence[start:stop] for start, stop in zip(starts, stops, strict=True))


async def evaluate_infills(evaluation: InfillsEvaluation, cuts: Sequence[Cut], engine: Engine) -> dict[str, Any]:
    """Fill every sentence and report; a progress bar goes to standard error.

    Raises:
        ProblemError: the output cannot be written.
    """
    lines = await evaluate_each(cuts, lambda cut, place: _one(cut, evaluation, place, engine), evaluation.output)
    return {
        **summary(lines),
        "sampler": evaluation.sampler,
        "seed": evaluation.seed,
        **model_of(engine),
    }


async def _one(cut: Cut, evaluation: InfillsEvaluation, number: int, engine: Engine) -> dict[str, Any]:
    original = [cut.sentence[start:stop] for start, stop in cut.spans]
    line: dict[str, Any] = {"line": cut.line, "text": cut.text, "original": original}
    body = {
        "text": cut.text,
        "language": evaluation.language,
        "sampler": evaluation.sampler,
        "seed": evaluation.seed + number,
        **({"select": "last", "samples": evaluation.sampler["chains"]} if evaluation.samples else {}),
    }
    try:
        answer = await Infills().sampled(validated(InfillsRequest, body), engine)
        # Of samples any one will do, but not the likeliest.
        best = min(answer.infills, key=lambda infill: infill.chain) if evaluation.samples else answer.infills[0]
        spelled = await _log_probs(cut, answer, engine)
    except ProblemError as error:
        return {**line, "failed": str(error)}
    parts = cut.text.split(BLANK)
    rebuilt = "".join(part + fill for part, fill in zip(parts, [*best.fills, ""], strict=True))
    return {
        **line,
        "fills": best.fills,
        "kept": rebuilt == best.text and len(best.fills) == len(original),
        "exact": best.fills == original,
        "fill_log_prob_per_token": best.fill_log_prob_per_token,
        "original_log_prob_per_token": spelled[0],
        "log_prob": best.log_prob,
        "original_log_prob": spelled[1],
        "seconds": answer.diagnostics.seconds,
        "lm_tokens": answer.usage.lm_tokens,
    }


async def _log_probs(cut: Cut, answer: InfillsAnswer, engine: Engine) -> tuple[float, float] | tuple[None, None]:
    """Mean log-prob of the tokens that were cut out, and the whole sentence's log-prob, under the answer's law.

    None where the vocabulary that writes the text around them cannot spell them.
    """
    name = answer.model.vocabulary
    vocabulary = await asyncio.to_thread(engine.model.vocabulary, name)
    try:
        tokens = vocabulary.sentence(cut.sentence)
    except SpellingError:
        return None, None
    session = await Session.open(engine.model, name, answer.model.context or "", engine.batcher, remember=0)
    (scored,) = await session.score([tokens], [None])
    stops = [len(vocabulary.decode(tokens[: i + 1])) for i in range(len(tokens))]
    starts = [0, *stops[:-1]]
    inside = [
        any(start < last and stop > first for first, last in cut.spans)
        for start, stop in zip(starts, stops, strict=True)
    ]
    return float(scored.log_probs[np.array(inside)].mean()), float(scored.log_probs.sum())


def summary(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures over all lines; None where there is nothing to average."""
    done, failures = parted(lines)
    spelled = [line for line in done if line["original_log_prob"] is not None]

    def mean(name: str, of: Sequence[dict[str, Any]] = done) -> float | None:
        return fmean(line[name] for line in of) if of else None

    return {
        "texts": len(lines),
        **failures,
        "kept_around_blanks": sum(line["kept"] for line in done) / len(lines) if lines else None,
        "exact": mean("exact"),
        "originals_not_spelled": len(done) - len(spelled),
        "fill_log_prob_per_token": mean("fill_log_prob_per_token", spelled),
        "original_log_prob_per_token": mean("original_log_prob_per_token", spelled),
        "log_prob": mean("log_prob", spelled),
        "original_log_prob": mean("original_log_prob", spelled),
        "lm_tokens": mean("lm_tokens"),
        "seconds_per_text": mean("seconds"),
    }
