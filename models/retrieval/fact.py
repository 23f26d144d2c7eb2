"""A fact as KgCLUE writes it, and the parts of its key."""

from __future__ import annotations

from dataclasses import dataclass

from models.retrieval.index.key_format import join_entity, split_entity


@dataclass(frozen=True, slots=True)
class Fact:
    """Subject, predicate and object."""

    name: str  # the subject without its meaning
    predicate: str
    meaning: str  # tells subjects of one name apart; without its brackets, "" for none
    object: str

    @classmethod
    def of(cls, subject: str, predicate: str, value: str) -> Fact:
        """From a subject that may end in full-width brackets, which hold its meaning."""
        name, meaning = split_entity(subject)
        return cls(name, predicate, meaning, value)

    @property
    def subject(self) -> str:
        """The name, and the meaning in full-width brackets."""
        return join_entity(self.name, self.meaning)

    @property
    def parts(self) -> tuple[str, str, str]:
        """The parts of the key in the order in which they are written: name, predicate, meaning.

        The meaning stands last because a question seldom tells it, while the predicate often does
        (Su Jianlin, blog post 8802).
        """
        return (self.name, self.predicate, self.meaning)
