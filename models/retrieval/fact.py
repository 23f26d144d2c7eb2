"""A fact as KgCLUE writes it, and the parts of its key."""

from __future__ import annotations

from dataclasses import dataclass

_OPEN, _CLOSE = "（", "）"


@dataclass(frozen=True, slots=True)
class Fact:
    """Subject, predicate and object.

    Attributes:
        name: the subject without its meaning.
        predicate: the predicate.
        meaning: what tells subjects of one name apart, without its brackets; "" for none.
        object: the object.
    """

    name: str
    predicate: str
    meaning: str
    object: str

    @classmethod
    def of(cls, subject: str, predicate: str, value: str) -> Fact:
        """From a subject that may end in full-width brackets, which hold its meaning."""
        name, meaning = split_subject(subject)
        return cls(name, predicate, meaning, value)

    @property
    def subject(self) -> str:
        """The name, and the meaning in full-width brackets."""
        return join_subject(self.name, self.meaning)

    @property
    def parts(self) -> tuple[str, str, str]:
        """The parts of the key in the order in which they are written: name, predicate, meaning.

        The meaning stands last because a question seldom tells it, while the predicate often does
        (Su Jianlin, blog post 8802).
        """
        return (self.name, self.predicate, self.meaning)


def split_subject(subject: str) -> tuple[str, str]:
    """Name and meaning of a subject: the last balanced pair of full-width brackets that closes it.

    A subject that is nothing but a bracketed text is a name.
    """
    if not subject.endswith(_CLOSE):
        return subject, ""
    depth = 0
    for at in range(len(subject) - 1, -1, -1):
        depth += (subject[at] == _CLOSE) - (subject[at] == _OPEN)
        if depth == 0:
            meaning = subject[at + 1 : -1]
            return (subject[:at], meaning) if at and meaning else (subject, "")
    return subject, ""


def join_subject(name: str, meaning: str) -> str:
    """The inverse of :func:`split_subject`."""
    return f"{name}{_OPEN}{meaning}{_CLOSE}" if meaning else name
