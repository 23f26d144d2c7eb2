"""First states that match a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.web.codes import Code
from app.web.problems import invalid
from models.language.vocabulary import Vocabulary
from samplers.constraints.base import Constraint
from samplers.constraints.opening import CapitalOpening
from samplers.first_states import KeywordBlocks
from samplers.patterns.automaton import Automaton
from samplers.patterns.skeleton import Skeletons
from samplers.run import generators
from samplers.state import State


def fitted(
    blocks: KeywordBlocks,
    automaton: Automaton,
    vocabulary: Vocabulary,
    ends: Sequence[int],
    constraints: Sequence[Constraint],
) -> KeywordBlocks:
    """The blocks, with sentences of the pattern for the repair of first states.

    Args:
        blocks: what stands in every sentence.
        automaton: of the pattern.
        vocabulary: of the sentences.
        ends: closing tokens that may stand.
        constraints: of the sentences.

    Raises:
        ProblemError: 422, no sentence with the blocks was found.
    """
    interior = (int(token) for token in vocabulary.ids[: vocabulary.interior])
    free = [token for token in interior if blocks.drafted is None or token in blocks.drafted]
    capitals = [constraint for constraint in constraints if isinstance(constraint, CapitalOpening)]
    nowhere = State((), ())
    first = [t for t in free if all(each.violation(nowhere, vocabulary.piece(t)) == 0 for each in capitals)]
    skeletons = Skeletons(automaton, blocks, vocabulary.piece, free, first, ends)
    if skeletons.draw(generators(0, 1)[0]) is None:
        raise invalid(
            "pattern",
            Code.INFEASIBLE,
            "no sentence that matches it was found with the keywords and all other texts asked for, and for the rest "
            "with words that the model proposes",
            "let it match them, its spaces and the closing mark, and give digits and rare marks as keywords",
        )
    return replace(blocks, skeleton=skeletons.draw)
