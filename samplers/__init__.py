"""Constrained sampling of sentences by Markov chain Monte Carlo, in NumPy alone.

A *state* is a sentence with frozen keyword blocks, a *target* an unnormalised log-density over
states (a language model, potentials, constraints), a *move* a proposal with its log q ratio, a
*kernel* a mix of moves with an acceptance rule, and :func:`run` drives many chains at once against
any :class:`LanguageModel`.
"""

from samplers.constraints.base import Constraint
from samplers.constraints.capitals import CapitalForms
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.opening import CapitalOpening
from samplers.constraints.phrases import WholePhrases
from samplers.constraints.punctuation import TidyPunctuation
from samplers.constraints.repeats import NoStutter
from samplers.first_states import InfeasibleError, KeywordBlocks, construct, from_text
from samplers.kernels.base import Chain, Info, Kernel, Position, Try
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import Alphabet, LanguageModel, ProposalQuery, ProposalReply, Scored
from samplers.moves.base import Draft, Move, MoveWeights, Proposal
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.reform import Reform
from samplers.moves.replace import Replace
from samplers.moves.swap import Swap
from samplers.potentials.base import Potential, Product
from samplers.run import Step, generators, run
from samplers.schedules import Schedule, constant, geometric, linear, listed
from samplers.state import END, FREE, State
from samplers.target import Target
from samplers.trace import MoveCount, Trace, Visit, rank

__all__ = [
    "END",
    "FREE",
    "AllKeywords",
    "Alphabet",
    "CapitalForms",
    "CapitalOpening",
    "Chain",
    "Constraint",
    "DelayedAcceptance",
    "Delete",
    "Draft",
    "ForbiddenWords",
    "InfeasibleError",
    "Info",
    "Insert",
    "Kernel",
    "KeywordBlocks",
    "LanguageModel",
    "LengthBounds",
    "MetropolisHastings",
    "Move",
    "MoveCount",
    "MoveWeights",
    "NoStutter",
    "Position",
    "Potential",
    "Product",
    "Proposal",
    "ProposalQuery",
    "ProposalReply",
    "Reform",
    "Replace",
    "Schedule",
    "Scored",
    "State",
    "Step",
    "Swap",
    "Target",
    "TidyPunctuation",
    "Trace",
    "Try",
    "Visit",
    "WholePhrases",
    "constant",
    "construct",
    "from_text",
    "generators",
    "geometric",
    "linear",
    "listed",
    "rank",
    "run",
]
