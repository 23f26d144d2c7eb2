"""A worker that a certain keyword kills, as a fault in a library's native code would."""

from __future__ import annotations

import os
import signal

from app.settings.settings import Limits
from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences
from app.tasks.sampling.problem import SamplingProblem
from models.language.scoring.model import LoadedModel
from tests.support import nursery

POISON = "手机"


def worker() -> None:
    """Run a worker."""

    def deadly(request: SentencesRequest, model: LoadedModel, limits: Limits) -> SamplingProblem:
        if POISON in request.keywords:
            os.kill(os.getpid(), signal.SIGKILL)
        return make_problem(request, model, limits)

    Sentences.problem = staticmethod(deadly)
    nursery.worker()
