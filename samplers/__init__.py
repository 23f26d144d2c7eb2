"""Constrained sampling of sentences by Markov chain Monte Carlo, in NumPy alone.

A *state* is a sentence with frozen keyword blocks, a *target* an unnormalised log-density over
states (a language model, potentials, constraints), a *move* a proposal with its log q ratio, a
*kernel* a mix of moves with an acceptance rule, and :func:`run` drives many chains at once against
any :class:`LanguageModel`.
"""

from samplers.constraints.acrostic import Acrostic as Acrostic
from samplers.constraints.base import Constraint as Constraint
from samplers.constraints.capitals import CapitalForms as CapitalForms
from samplers.constraints.counts import Counts as Counts
from samplers.constraints.ends_with import EndsWith as EndsWith
from samplers.constraints.forbidden import ForbiddenWords as ForbiddenWords
from samplers.constraints.framed import Framed as Framed
from samplers.constraints.keywords import AllKeywords as AllKeywords
from samplers.constraints.leading_space import LeadingSpace as LeadingSpace
from samplers.constraints.length import LengthBounds as LengthBounds
from samplers.constraints.listed_words import ListedWords as ListedWords
from samplers.constraints.opening import CapitalOpening as CapitalOpening
from samplers.constraints.part import InPart as InPart
from samplers.constraints.part import Part as Part
from samplers.constraints.pattern import Pattern as Pattern
from samplers.constraints.phrases import WholePhrases as WholePhrases
from samplers.constraints.punctuation import TidyPunctuation as TidyPunctuation
from samplers.constraints.repeats import NoStutter as NoStutter
from samplers.constraints.starts_with import StartsWith as StartsWith
from samplers.first_states import InfeasibleError as InfeasibleError
from samplers.first_states import KeywordBlocks as KeywordBlocks
from samplers.first_states import construct as construct
from samplers.first_states import from_text as from_text
from samplers.kernels.base import Chain as Chain
from samplers.kernels.base import Info as Info
from samplers.kernels.base import Kernel as Kernel
from samplers.kernels.base import Position as Position
from samplers.kernels.base import Try as Try
from samplers.kernels.delayed import DelayedAcceptance as DelayedAcceptance
from samplers.kernels.gibbs import Gibbs as Gibbs
from samplers.kernels.metropolis import MetropolisHastings as MetropolisHastings
from samplers.kernels.particle_gibbs import ParticleGibbs as ParticleGibbs
from samplers.kernels.tempering import Tempering as Tempering
from samplers.labellings import labellings as labellings
from samplers.language import Alphabet as Alphabet
from samplers.language import LanguageModel as LanguageModel
from samplers.language import ProposalQuery as ProposalQuery
from samplers.language import ProposalReply as ProposalReply
from samplers.language import Scored as Scored
from samplers.moves.base import Draft as Draft
from samplers.moves.base import Move as Move
from samplers.moves.base import MoveWeights as MoveWeights
from samplers.moves.base import Proposal as Proposal
from samplers.moves.base import Round as Round
from samplers.moves.delete import Delete as Delete
from samplers.moves.insert import Insert as Insert
from samplers.moves.redraw import Redraw as Redraw
from samplers.moves.redraw_span import RedrawSpan as RedrawSpan
from samplers.moves.reform import Reform as Reform
from samplers.moves.replace import Replace as Replace
from samplers.moves.shift import Shift as Shift
from samplers.moves.swap import Swap as Swap
from samplers.objective import Objective as Objective
from samplers.outcome import Outcome as Outcome
from samplers.potentials.base import Potential as Potential
from samplers.potentials.base import Product as Product
from samplers.rejection import Rejection as Rejection
from samplers.run import Step as Step
from samplers.run import generators as generators
from samplers.run import run as run
from samplers.schedules import Schedule as Schedule
from samplers.schedules import constant as constant
from samplers.schedules import geometric as geometric
from samplers.schedules import linear as linear
from samplers.schedules import listed as listed
from samplers.smc import SequentialMonteCarlo as SequentialMonteCarlo
from samplers.state import END as END
from samplers.state import FREE as FREE
from samplers.state import State as State
from samplers.target import Target as Target
from samplers.trace import MoveCount as MoveCount
from samplers.trace import Trace as Trace
from samplers.trace import Visit as Visit
from samplers.trace import rank as rank
