"""Texts that a regular expression describes."""

from __future__ import annotations

from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.patterns.automaton import Automaton
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Pattern(Constraint):
    """The whole text, its closing mark included, is of a regular language."""

    automaton: Automaton

    def violation(self, state: State, text: str) -> float:
        """Characters from where the text is lost, and those that would complete what stands before."""
        read, at = self.automaton.read(text)
        return len(text) - read + int(self.automaton.remaining[at])
