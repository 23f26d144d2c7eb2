"""The tasks that there are: a new one is a folder beside this file and a line here."""

from __future__ import annotations

import re
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.tasks.completions.task import Completions
from app.tasks.corrections.task import Corrections
from app.tasks.infills.task import Infills
from app.tasks.keywords.task import Sentences
from app.tasks.links.task import Links
from app.tasks.paraphrases.task import Paraphrases
from app.tasks.readings.task import Readings
from app.tasks.routes import place_of
from app.tasks.score.task import Score
from app.tasks.search.task import Search
from app.tasks.task import Task
from app.web.codes import Code
from app.web.problems import invalid

TASKS: tuple[type[Task[Any, Any]], ...] = (
    *(Sentences, Infills, Paraphrases, Corrections, Score, Completions),
    *(Readings, Search, Links),
)


def urls() -> str:
    """The URLs that a job item may name, in words."""
    *first, last = (re.sub(r"{(\w+)}", lambda found: found[1].upper(), task.path) for task in TASKS)
    return f"{', '.join(first)}, or {last}"


def task_at(url: str) -> Task[Any, Any]:
    """The task of a URL, bound to its parameters.

    Raises:
        ProblemError: 422 if no task has this path.
    """
    for task in TASKS:
        found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]*)", task.path), url)
        if found is not None and (bound := _bound(task, found.groupdict())) is not None:
            return bound
    raise invalid("url", Code.UNKNOWN_VALUE, f"{url[:80]!r} is no route that an item may name", f"give {urls()}")


def task_of(answer: dict[str, Any]) -> type[Task[Any, Any]] | None:
    """The task that an answer is of; None if it is of none that there is here."""
    return next((task for task in TASKS if task.listed in answer), None)


def _bound(task: type[Task[Any, Any]], place: dict[str, str]) -> Task[Any, Any] | None:
    try:
        return task(**{name: TypeAdapter(kind).validate_python(place[name]) for name, kind in place_of(task).items()})
    except ValidationError:
        return None


def table(tasks: tuple[type[Task[Any, Any]], ...] | None = None) -> str:
    """The tasks as a table of docs/api.md."""
    rows = ["| task | route | command | client | streams |", "|---|---|---|---|---|"]
    for task in tasks or TASKS:
        cells = [task.summary, f"`POST {task.path}`", f"`chainwright {task.kind}`", f"`client.{task.kind}`"]
        rows.append(f"| {' | '.join(cells)} | {'yes' if task.streams() else 'no'} |")
    return "\n".join(rows)
