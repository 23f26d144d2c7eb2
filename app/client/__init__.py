"""A client for the service's HTTP interface, sync and async; imports neither torch nor the server."""

from app.client.asynchronous import AsyncClient
from app.client.errors import (
    AnswerError,
    ClientError,
    ServiceError,
    TimedOutError,
    UnreachableError,
)
from app.client.sync import Client

__all__ = [
    "AnswerError",
    "AsyncClient",
    "Client",
    "ClientError",
    "ServiceError",
    "TimedOutError",
    "UnreachableError",
]
