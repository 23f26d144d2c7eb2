"""A worker that a certain keyword kills, as a fault in a library's native code would."""

from __future__ import annotations

import os
import signal
from typing import Any

from app.tasks.keywords import service
from app.tasks.keywords.plan import make_plan
from tests.support import nursery

POISON = "手机"


def worker() -> None:
    """Run a worker."""

    def deadly(request: Any, *rest: Any) -> Any:
        if POISON in request.keywords:
            os.kill(os.getpid(), signal.SIGKILL)
        return make_plan(request, *rest)

    service.make_plan = deadly  # type: ignore[attr-defined, assignment]
    nursery.worker()
