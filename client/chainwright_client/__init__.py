"""A client of a chainwright service, blocking (:class:`Client`) and for asyncio (:class:`AsyncClient`)."""

from chainwright_client.answers import Answer, Fault, IndexReport, Job, Problem, ResultLine
from chainwright_client.clients import AsyncClient, Client
from chainwright_client.draws import to_arviz
from chainwright_client.errors import AnswerError, ClientError, ServiceError, TimedOutError, UnreachableError
from chainwright_client.event_stream import StreamEvent
from chainwright_client.service import Kind, Page
from chainwright_client.tasks import Task
from chainwright_client.version import __version__

__all__ = [
    "Answer",
    "AnswerError",
    "AsyncClient",
    "Client",
    "ClientError",
    "Fault",
    "IndexReport",
    "Job",
    "Kind",
    "Page",
    "Problem",
    "ResultLine",
    "ServiceError",
    "StreamEvent",
    "Task",
    "TimedOutError",
    "UnreachableError",
    "__version__",
    "to_arviz",
]
