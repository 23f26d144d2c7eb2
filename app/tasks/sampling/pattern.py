"""Patterns: an automaton over the vocabulary's characters."""

from __future__ import annotations

from app.web.codes import Code
from app.web.problems import invalid
from models.language.vocabulary import Vocabulary
from samplers.patterns.automaton import Automaton, ExplosionError
from samplers.patterns.syntax import PatternError


def compiled(pattern: str, vocabulary: Vocabulary, field: str = "pattern") -> Automaton:
    """The automaton of a pattern, which stands in a field of the request.

    Raises:
        ProblemError: 422, it cannot be read, has too many states, or matches nothing that the vocabulary writes.
    """
    alphabet = sorted({c for token in vocabulary.ids for c in vocabulary.pieces[int(token)] or ""})
    try:
        return Automaton.compile(pattern, alphabet)
    except PatternError as error:
        message, remedy = f"{error} (character {error.at})", "write it with sets, groups, | and repeats"
        raise invalid(field, Code.MALFORMED, message, remedy) from error
    except ExplosionError as error:
        remedy = "give smaller repeats, or fewer choices before them"
        raise invalid(field, Code.TOO_LARGE, str(error), remedy) from error
    except ValueError as error:
        remedy = "write it for the whole text, with its closing mark"
        raise invalid(field, Code.INFEASIBLE, str(error), remedy) from error
