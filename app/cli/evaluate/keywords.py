"""Runs sets of keywords and reports coverage, fluency, length, distinctness and speed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from app.cli.evaluate.coverage import covered
from app.cli.evaluate.each import evaluate_each, model_of, parted
from app.cli.evaluate.lines import json_lines, references_of
from app.engine.engine import Engine
from app.languages.base import count_characters
from app.languages.choice import AskedLanguage, choose_language
from app.tasks.keywords.forms import forms_of
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences
from app.tasks.sampling.schemas import SentencesAnswer
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from app.web.schemas import normalised
from app.web.validation import validated
from models.language.scoring.session import Session
from models.language.vocabulary import SpellingError


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Options of an evaluation.

    Attributes:
        file: JSON Lines with ``keywords`` or ``concepts``, and maybe ``reference`` or ``references``.
        forms: JSON Lines beside it: for each keyword of the line its accepted forms.
        limit: only the first so many lines.
        chains: chains side by side.
        steps: steps of each chain.
        seed: of the first line; each line takes the next.
        language: code of a language, or auto.
        output: JSON Lines with each line's result.
        encoding: of the files; None for UTF-8.
    """

    file: Path
    forms: Path | None
    limit: int | None
    chains: int
    steps: int
    seed: int
    language: AskedLanguage
    output: Path | None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class KeywordSet:
    """A line: its number, for each keyword its forms, and reference sentences."""

    line: int
    keywords: list[list[str]]
    references: list[str]


async def evaluate_keywords(evaluation: Evaluation, sets: Sequence[KeywordSet], engine: Engine) -> dict[str, Any]:
    """Run every set and report; a progress bar goes to standard error.

    Raises:
        ProblemError: the output cannot be written.
    """
    lines = await evaluate_each(sets, lambda each, place: _one(each, evaluation, place, engine), evaluation.output)
    return {
        **summary(lines, evaluation.chains),
        "chains": evaluation.chains,
        "steps": evaluation.steps,
        "seed": evaluation.seed,
        **model_of(engine),
    }


def read_sets(evaluation: Evaluation) -> Iterator[KeywordSet]:
    """The lines of the files.

    Raises:
        ProblemError: a line is not what it should be.
        TextFileError: a file cannot be read.
    """
    forms = json_lines(evaluation.forms, evaluation.encoding) if evaluation.forms else None
    for place, (number, line) in enumerate(json_lines(evaluation.file, evaluation.encoding)[: evaluation.limit]):
        where = f"{evaluation.file.name}:{number}"
        keywords = line.get("keywords", line.get("concepts")) if isinstance(line, dict) else None
        if not isinstance(keywords, list):
            remedy = "give a JSON object with a list of them"
            raise invalid(where, Code.MISSING, "the line has neither keywords nor concepts", remedy)
        accepted = [[k] if isinstance(k, str) else k for k in keywords]
        if forms is not None:
            at, given = forms[place] if place < len(forms) else (number, None)
            if not isinstance(given, list) or len(given) != len(keywords):
                message = f"the forms file has no list of {len(keywords)} lists at line {at}"
                raise invalid(where, Code.MALFORMED, message, "mend that line")
            accepted = given
        yield KeywordSet(number, accepted, references_of(where, line))


async def _one(keyword_set: KeywordSet, evaluation: Evaluation, number: int, engine: Engine) -> dict[str, Any]:
    forms = keyword_set.keywords
    line: dict[str, Any] = {"line": keyword_set.line, "keywords": forms}
    body = {
        "keywords": forms,
        "language": evaluation.language,
        "sampler": {"kind": "annealing", "chains": evaluation.chains, "steps": evaluation.steps},
        "seed": evaluation.seed + number,
    }
    try:
        request = validated(SentencesRequest, body)
        answer = await Sentences().sampled(request, engine)
    except ProblemError as error:
        return {**line, "failed": str(error)}
    best = answer.sentences[0]
    written = [form.text for accepted in forms_of(request.keywords) for form in accepted]
    language = choose_language(request.language, written)
    references = await _reference_scores(keyword_set.references, answer, engine)
    return {
        **line,
        "text": best.text,
        "log_prob_per_token": best.log_prob_per_token,
        "covered": [covered(each, best.text, language) for each in forms],
        "vocabulary": answer.model.vocabulary,
        "characters": count_characters(best.text),
        "words": language.count_words(best.text),
        "references": references,
        "references_not_spelled": len(keyword_set.references) - len(references),
        "seconds": answer.diagnostics.seconds,
        "steps": answer.diagnostics.steps,
        "acceptance": {name: report.model_dump() for name, report in answer.diagnostics.acceptance.items()},
        "lm_tokens": answer.usage.lm_tokens,
    }


async def _reference_scores(references: Sequence[str], answer: SentencesAnswer, engine: Engine) -> list[float]:
    """Log-prob per token of those references that the answer's vocabulary spells."""
    name = answer.model.vocabulary
    vocabulary = await asyncio.to_thread(engine.model.vocabulary, name)
    spelled = []
    for reference in references:
        try:
            spelled.append(vocabulary.sentence(normalised(reference).strip()))
        except (SpellingError, ValueError):
            continue
    if not spelled:
        return []
    session = await Session.open(engine.model, name, answer.model.context or "", engine.batcher, remember=0)
    return [float(s.log_probs.mean()) for s in await session.score(spelled, [None] * len(spelled))]


def summary(lines: Sequence[dict[str, Any]], chains: int) -> dict[str, Any]:
    """Figures over all lines; None where there is nothing to average."""
    done, failures = parted(lines)
    words = sum(len(line["keywords"]) for line in lines)
    seconds = sum(line["seconds"] for line in done)
    referenced = [line for line in done if line["references"]]
    return {
        "sets": len(lines),
        "coverage": sum(sum(line["covered"]) for line in done) / words if words else None,
        "sentences_with_all_keywords": sum(all(line["covered"]) for line in done) / len(lines) if lines else None,
        **failures,
        "log_prob_per_token": _mean([line["log_prob_per_token"] for line in done]),
        "log_prob_per_token_where_referenced": _mean([line["log_prob_per_token"] for line in referenced]),
        "reference_log_prob_per_token": _mean([fmean(line["references"]) for line in referenced]),
        "references_scored": sum(len(line["references"]) for line in done),
        "references_not_spelled": sum(line["references_not_spelled"] for line in done),
        "mean_characters": _mean([line["characters"] for line in done]),
        "mean_words": _mean([line["words"] for line in done]),
        "distinct": len({line["text"] for line in done}) / len(done) if done else None,
        "seconds_per_sentence": _mean([line["seconds"] for line in done]),
        "steps_per_second": sum(line["steps"] for line in done) / seconds if seconds else None,
        "chain_steps_per_second": chains * sum(line["steps"] for line in done) / seconds if seconds else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
