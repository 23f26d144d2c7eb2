"""EM, F1 and Score on questions with known facts, of the model and of the baseline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from app.cli.questions import open_triples, read_questions
from app.engine.admission import Admission
from app.indexes.opened import Retrieval
from app.tasks.parts import completed
from app.tasks.search.checks import check
from app.tasks.search.schemas import QueryAnswer, SearchRequest
from app.tasks.search.search import prepared
from app.web.codes import Code
from app.web.problems import invalid
from models.retrieval.examples import Example
from models.retrieval.index.key_format import join_entity
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.values import normal_value
from models.retrieval.metrics import Marks, Triple, marks
from models.retrieval.ranking.baseline import Baseline
from models.text.normalisation import normalise_name

QUERIES = 16
"""Questions of one search."""


@dataclass(frozen=True, slots=True)
class RetrievalEvaluation:
    """An evaluation to run."""

    file: Path  # JSON Lines of {"question": ..., "answer": "subject ||| predicate ||| object"}
    index: str  # name of an index of triples
    skip: int  # questions left out at the beginning
    limit: int | None  # only so many questions after these
    options: dict[str, Any]  # fields of app.tasks.search.schemas.SearchRequest, without the questions
    encoding: str | None = None  # of the file; None for UTF-8


async def evaluate_retrieval(evaluation: RetrievalEvaluation, retrieval: Retrieval) -> dict[str, Any]:
    """Search for every question and mark the answers; a progress bar goes to standard error.

    Raises:
        ProblemError: the file cannot be read, the index is none of triples, or the options are wrong.
    """
    examples = read_questions(evaluation.file, evaluation.encoding)[evaluation.skip :][: evaluation.limit]
    if not examples:
        raise invalid("--skip", Code.TOO_LARGE, f"the file has no more than {evaluation.skip} questions", "skip fewer")
    requests = [
        SearchRequest(queries=[example.question for example in examples[at : at + QUERIES]], **evaluation.options)
        for at in range(0, len(examples), QUERIES)
    ]
    check(requests[0], retrieval.limits)
    live = open_triples(evaluation.index, retrieval)
    truths = [(example.fact.subject, example.fact.predicate, example.fact.object) for example in examples]
    answers: list[Triple | None] = []
    baselines: list[Triple | None] = []
    turns = Admission(1, 1)
    seconds = 0.0
    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("Searching", total=len(examples))
        for request in requests:
            answer = await completed(prepared(evaluation.index, request, retrieval, turns))
            seconds += answer.usage.seconds
            answers += [_triple(one) for one in answer.answers]
            bar.update(task, completed=len(answers))
        task = bar.add_task("The baseline", total=len(examples))
        began = time.perf_counter()
        for example in examples:
            baselines.append(_baseline(example, live, retrieval))
            bar.update(task, completed=len(baselines))
    model = await retrieval.model()
    return {
        "file": evaluation.file.name,
        "index": evaluation.index,
        "keys": len(live.view),
        "skipped": evaluation.skip,
        "questions": len(examples),
        "model": _rows(marks(truths, answers)),
        "floor": _rows(marks(truths, baselines)),
        "unanswered": answers.count(None),
        "seconds_per_question": seconds / len(examples),
        "floor_seconds_per_question": (time.perf_counter() - began) / len(examples),
        "options": evaluation.options,
        "name": model.name,
        "adapter": None if model.adapter is None else model.adapter.name,
        "fingerprint": model.fingerprint,
        "precision": model.precision,
        "device": model.device,
    }


def _triple(answer: QueryAnswer) -> Triple | None:
    """The best key with its first value: only one object a key counts."""
    if not answer.results or answer.no_answer:
        return None
    best = answer.results[0]
    return _normal(best.key, best.values[0])


def _baseline(example: Example, live: LiveIndex, retrieval: Retrieval) -> Triple | None:
    library, view = retrieval.library, live.view
    baseline = Baseline(view, live.key_format, library.tokenizer.encode, library.tokenizer.codec.decode)
    key = baseline.answer(" ".join(example.question.split()))
    number = None if key is None else view.find(key)
    if key is None or number is None:
        return None
    return _normal(library.texts(view, key), view.values(number)[0])


def _normal(key: dict[str, str], value: str) -> Triple:
    """In the normal form that the questions' facts have, however the index shows it."""
    name = {part: normalise_name(text) for part, text in key.items()}
    return join_entity(name["subject"], name.get("meaning", "")), name["predicate"], normal_value(value)


def _rows(found: Marks) -> dict[str, dict[str, float] | float]:
    """Percentages."""
    return {
        "EM": {part: 100 * found.exact[part] for part in ("S", "P", "SP", "O")},
        "F1": {part: 100 * found.f1[part] for part in ("S", "P", "O")},
        "Score": 100 * found.score,
    }
