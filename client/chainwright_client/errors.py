"""Errors that a call may raise."""

from __future__ import annotations

from chainwright_client.answers import Fault, Problem


class ClientError(Exception):
    """A call that failed."""


class ServiceError(ClientError):
    """A problem that the service answered with.

    Attributes:
        retry_after: seconds after which it may be asked again, if it said so.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        self.problem = problem
        self.retry_after = retry_after
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def errors(self) -> list[Fault]:
        """Faults: each with the field, a code, a message and a remedy."""
        return self.problem.errors

    @property
    def codes(self) -> list[str]:
        """Codes of what is wrong, which programs may rely on; none if a proxy answered."""
        return [fault.code for fault in self.errors]


class UnreachableError(ClientError):
    """The service could not be reached, or the connection broke off."""


class TimedOutError(ClientError, TimeoutError):
    """There was no answer in time."""


class AnswerError(ClientError):
    """The answer is not the service's: something else listens at this URL, or another version of it."""
