"""A worker that a certain keyword kills, as a fault in a library's native code would."""

from __future__ import annotations

import os
import signal
from typing import Any

from app.tasks.keywords import task
from app.tasks.keywords.problem import make_problem
from tests.support import nursery

POISON = "手机"


def worker() -> None:
    """Run a worker."""

    def deadly(request: Any, *rest: Any) -> Any:
        if POISON in request.keywords:
            os.kill(os.getpid(), signal.SIGKILL)
        return make_problem(request, *rest)

    task.make_problem = deadly  # type: ignore[attr-defined, assignment]
    nursery.worker()
