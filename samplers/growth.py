"""Conditional sequential Monte Carlo over the rest of a sentence."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, field
from math import isinf, log
from typing import NamedTuple

import numpy as np

from samplers.first_states import KeywordBlocks
from samplers.labellings import eligible, free_next, hopeless, least_tokens
from samplers.language import Alphabet, ProposalQuery, ProposalReply
from samplers.moves.base import Proposal, Round, Text
from samplers.state import END, FREE, State
from samplers.target import Target
from samplers.weights import chosen, log_sum

Tokens = tuple[int, ...]
Replies = Sequence[ProposalReply]


class Asked(NamedTuple):
    """What a round asks; see :class:`samplers.moves.base.Round`."""

    queries: Sequence[ProposalQuery]
    texts: Sequence[Text]
    about: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class GrowthOptions:
    """What may grow, and by how many particles.

    Attributes:
        target: whose objective and constraints weigh the particles.
        blocks: the keywords, which are all that states have beside free tokens.
        ends: the closing tokens.
        max_tokens: a longer sentence is neither changed nor reached.
        particles: of each stage, >= 2.
        endings: particles that are drawn on from the last keyword to the end, where little tells them apart, >= 2.
        at_once: free tokens drawn before a keyword at least.
        go_on: probability of each further one.
    """

    target: Target
    blocks: KeywordBlocks
    ends: Collection[int]
    max_tokens: int
    particles: int = 6
    endings: int = 2
    at_once: int = 3
    go_on: float = 0.6


class Way(NamedTuple):
    """A way in which a stage may end: some free tokens, then a keyword.

    Attributes:
        tokens, owners: of the sentence so far, with the keyword.
        missing: keywords that have not been written.
        form: the keyword's tokens.
        text: number of the text that ends with the free tokens; None for the state.
        log_weight: in nats; of the keyword only the first token is in it.
    """

    tokens: Tokens
    owners: Tokens
    missing: frozenset[int]
    form: Tokens
    text: int | None
    log_weight: float


@dataclass(slots=True, eq=False)
class Particle:
    """A sentence that grows.

    Attributes:
        tokens, owners, missing, text: as of a way.
        weighed: number of tokens whose objective is in the weight.
        own: whether it grows into the state that the move began with.
        log_weight: in nats, but for the probability of this stage's draws.
        log_drawn: log of that probability, in nats.
        drawn: tokens drawn in this stage.
    """

    tokens: Tokens
    owners: Tokens
    missing: frozenset[int]
    text: int | None
    weighed: int
    own: bool
    log_weight: float = 0.0
    log_drawn: float = 0.0
    drawn: int = 0

    @property
    def closed(self) -> bool:
        """Whether it is a whole sentence."""
        return self.owners[-1:] == (END,)

    def add(self, token: int, owner: int, log_q: float) -> None:
        """Write a token that was drawn."""
        self.tokens, self.owners = (*self.tokens, token), (*self.owners, owner)
        self.log_drawn += log_q
        self.drawn += 1


@dataclass(slots=True)
class Growth:
    """The rest of a sentence grown by particles of which one is the rest as it stands.

    A stage adds one keyword to every particle. Free tokens w_1 ... w_J are drawn from q, the model's own law sharpened
    to beta, with P(J >= j) = 1 up to ``at_once`` and ``go_on`` times the last from there on. After each of them, any
    block c that may come next is a way of weight

        w exp(beta v(w_1 ... w_j c_1)) / (q(w_1 ... w_j) P(J >= j)),

    where c_1 is its first token, which the row that is there tells without reading it; what the others are worth
    weighs in the next stage. The next particles are the state's own way and draws by weight from all ways, its
    own among them. After the last keyword, tokens are drawn from free and closing ones until one
    closes. One of the other sentences then takes the state's place by Metropolised Gibbs sampling: drawn by weight,
    and accepted with probability min(1, (W - w_own) / (W - w_other)), W the sum of all.

    With the state fixed, all particles have the law of a run of sequential Monte Carlo in which it came through: its
    free tokens and places are given, and J is drawn as it is given that J is at least its own. With all particles
    fixed, each is the state with a probability in proportion to its weight. So the move is reversible, for any number
    of particles. As in :class:`samplers.smc.SequentialMonteCarlo` a keyword that is missing counts with what its
    first token costs at the start of a sentence, lest those that did the easy ones first gain by it.

    Sources: Andrieu, Doucet and Holenstein (JRSS B 2010), section 4.3; Liu, Peskun's theorem and a modified
    discrete-state Gibbs sampler (Biometrika 1996).

    Attributes:
        options: the move.
        state: x.
        kept: number of keywords before what grows.
        beta: inverse temperature.
        rng: for all that is drawn here.
    """

    options: GrowthOptions
    state: State
    kept: int
    beta: float
    rng: np.random.Generator
    _texts: dict[Tokens, int] = field(default_factory=dict)
    _log_probs: dict[Tokens, float] = field(default_factory=dict)
    _twist: dict[int, float] = field(default_factory=dict)

    def first_round(self) -> Round:
        """The first round of the move; it goes on from there."""
        growing = self._grow()

        def opened(asked: Asked) -> Round:
            return Round(asked.queries, finish, asked.texts, asked.about)

        def finish(replies: Replies) -> Proposal | Round:
            try:
                return opened(growing.send(replies))
            except StopIteration as stop:
                proposal: Proposal = stop.value
                return proposal

        return opened(next(growing))

    def _grow(self) -> Generator[Asked, Replies, Proposal]:
        options, state, order = self.options, self.state, self.state.keywords
        start = state.block(order[self.kept - 1]).stop if self.kept else 0
        grown = order[self.kept :]
        missing = frozenset(grown)
        if len(grown) > 1 and not options.blocks.ordered:
            yield from self._weigh_missing(grown)
        particles = [
            Particle(state.tokens[:start], state.owners[:start], missing, None, start, own=not i)
            for i in range(options.particles if grown else options.endings)
        ]
        for number, keyword in enumerate(grown, 1):
            ways = yield from self._to_keyword(particles, keyword)
            # A token of the state that is never drawn again, its probability rounded to 0, keeps it where it is.
            if not ways or isinf(ways[0].log_weight):
                return Proposal(state, 0.0)
            log_weights = [way.log_weight for way in ways]
            count = options.particles if number < len(grown) else options.endings
            places = [0, *(chosen(log_weights, self.rng.random()) for _ in range(count - 1))]
            particles = [
                Particle(way.tokens, way.owners, way.missing, way.text, len(way.tokens) - len(way.form) + 1, own=not i)
                for i, way in enumerate(ways[place] for place in places)
            ]
        yield from self._to_end(particles)
        return self._one_of(particles, start)

    def _weigh_missing(self, missing: Sequence[int]) -> Generator[Asked, Replies, None]:
        """What each missing keyword will cost, by its first token at the very start."""
        firsts = {keyword: [form[:1] for form in self.options.blocks.forms[keyword]] for keyword in missing}
        yield from self._asked({first: None for of_one in firsts.values() for first in of_one}, [], [])
        for keyword, of_one in firsts.items():
            self._twist[keyword] = log_sum([self.beta * self._value(first) for first in of_one])

    def _to_keyword(self, particles: Sequence[Particle], keyword: int) -> Generator[Asked, Replies, list[Way]]:
        """All ways to have one keyword more; the state's own, which adds the keyword given, is the first.

        There are none where that is not among them: keywords stand as the blocks have no order for.
        """
        block = self.state.block(keyword)
        ways: list[Way] = []
        found = False
        growing = list(particles)
        while growing:
            log_drawn = [one.log_drawn for one in growing]
            blocks = [list(self._blocks(one, block.stop)) for one in growing]
            draws = [self._draw(one, block.start) for one in growing]
            replies = yield from self._round(growing, blocks, draws)
            for one, of_one, drawn in zip(growing, blocks, log_drawn, strict=True):
                for number, form in of_one:
                    value = self.beta * self._value((*one.tokens, form[0])) - self._twist.get(number, 0.0)
                    owners, missing = (*one.owners, *[number] * len(form)), one.missing - {number}
                    way = Way((*one.tokens, *form), owners, missing, form, one.text, one.log_weight - drawn + value)
                    own = one.own and self._stands(way.tokens, owners, block.stop)
                    ways.insert(0 if own else len(ways), way)
                    found = found or own
            growing = [
                one
                for one, reply in zip(growing, replies, strict=True)
                if reply is not None and self._grown(one, reply, FREE, block.start)
            ]
        return ways if found else []

    def _stands(self, tokens: Tokens, owners: Tokens, stop: int) -> bool:
        """Whether the state begins so, up to a place."""
        return tokens == self.state.tokens[:stop] and owners == self.state.owners[:stop]

    def _blocks(self, one: Particle, stop: int) -> Generator[tuple[int, Tokens], None, None]:
        """The keywords that may come next, each in each of its forms."""
        options, at = self.options, len(one.tokens)
        for number in eligible(options.blocks, one.missing):
            missing = one.missing - {number}
            for form in options.blocks.forms[number]:
                fits = at + len(form) + least_tokens(options.blocks, missing) < options.max_tokens
                tokens, owners = (*one.tokens, *form), (*one.owners, *[number] * len(form))
                own = one.own and self._stands(tokens, owners, stop)
                if own or (fits and not hopeless(options.target, options.blocks, tokens, owners, missing)):
                    yield number, form

    def _draw(self, one: Particle, stop: int) -> ProposalQuery | None:
        """About the next free token; None if none is drawn. The state's own are given up to ``stop``."""
        options, at = self.options, len(one.tokens)
        given = one.own and at < stop
        if not given:
            room = at + 1 + least_tokens(options.blocks, one.missing) + 1 <= options.max_tokens
            if not room or not free_next(options.blocks, one.missing):
                return None
        if one.drawn >= options.at_once:
            if not given and self.rng.random() >= options.go_on:
                return None
            one.log_drawn += log(options.go_on)
        return self._query(at, Alphabet.INTERIOR, given)

    def _to_end(self, particles: list[Particle]) -> Generator[Asked, Replies, None]:
        """Draw all up to a closing token; those that no sentence of the support begins with are taken out."""
        options, stop = self.options, len(self.state)
        growing = list(particles)
        while growing:
            draws = []
            for one in growing:
                room = len(one.tokens) + 1 < options.max_tokens and free_next(options.blocks, one.missing)
                alphabet = Alphabet.BOTH if room else Alphabet.ENDS
                draws.append(None if one.closed else self._query(len(one.tokens), alphabet, one.own))
            replies = yield from self._round(growing, [[]] * len(growing), draws)
            after = []
            for one, reply in zip(growing, replies, strict=True):
                if reply is not None:
                    token = self.state.tokens[len(one.tokens)] if one.own else reply.token
                    if self._grown(one, reply, END if token in options.ends else FREE, stop):
                        after.append(one)
                    else:
                        particles.remove(one)
            growing = after

    def _query(self, at: int, alphabet: Alphabet, given: bool) -> ProposalQuery:
        """About the token at a place: drawn, or the state's own."""
        if given:
            return ProposalQuery(at, 0.0, self.beta, alphabet, present=self.state.tokens[at])
        return ProposalQuery(at, 0.0, self.beta, alphabet, uniform=self.rng.random())

    def _grown(self, one: Particle, reply: ProposalReply, owner: int, stop: int) -> bool:
        """Write the token drawn, or the state's own before ``stop``; whether a sentence may begin so."""
        options, at = self.options, len(one.tokens)
        given = one.own and at < stop
        token, log_q = (self.state.tokens[at], reply.log_q_present) if given else (reply.token, reply.log_q)
        assert token is not None and log_q is not None
        one.add(token, owner, log_q)
        if given:
            return True
        if one.closed:
            return options.target.admits(State(one.tokens, one.owners))
        return not hopeless(options.target, options.blocks, one.tokens, one.owners, one.missing)

    def _round(
        self,
        growing: Sequence[Particle],
        blocks: Sequence[Sequence[tuple[int, Tokens]]],
        draws: Sequence[ProposalQuery | None],
    ) -> Generator[Asked, Replies, list[ProposalReply | None]]:
        """Read what was written, add its objective to the weights, and ask about blocks and draws.

        Returns:
            For each particle the reply to its draw.
        """
        texts = self._unread([one for one in growing if not one.closed])
        wanted: dict[Tokens, int | None] = {}
        for one, of_one in zip(growing, blocks, strict=True):
            wanted |= {one.tokens[: i + 1]: one.text for i in range(one.weighed, len(one.tokens))}
            wanted |= {(*one.tokens, form[0]): one.text for _, form in of_one}
        drawing = [(one, draw) for one, draw in zip(growing, draws, strict=True) if draw is not None]
        replies = iter((yield from self._asked(wanted, texts, [(one.text, draw) for one, draw in drawing])))
        for one in growing:
            one.log_weight += self.beta * self._values(one, one.weighed)
            one.weighed = len(one.tokens)
        return [None if draw is None else next(replies) for draw in draws]

    def _unread(self, growing: Sequence[Particle]) -> list[Text]:
        """Texts that are new; each particle knows the number of its own then."""
        texts: list[Text] = []
        for one in growing:
            if one.tokens == self.state.tokens[: len(one.tokens)]:
                one.text = None
                continue
            if one.tokens not in self._texts:
                self._texts[one.tokens] = len(self._texts)
                texts.append(Text((*one.tokens, self.options.blocks.end), one.text))
            one.text = self._texts[one.tokens]
        return texts

    def _asked(
        self,
        wanted: dict[Tokens, int | None],
        texts: Sequence[Text],
        draws: Sequence[tuple[int | None, ProposalQuery]],
    ) -> Generator[Asked, Replies, Replies]:
        """Ask for the log-probabilities of the last tokens of beginnings, each by its text, and for draws.

        Returns:
            The replies to the draws.
        """
        new = {tokens: about for tokens, about in wanted.items() if tokens not in self._log_probs}
        single = [ProposalQuery(len(tokens) - 1, 0.0, 1.0, Alphabet.MASK, present=tokens[-1]) for tokens in new]
        about = [*new.values(), *(number for number, _ in draws)]
        replies = yield Asked([*single, *(query for _, query in draws)], texts, about)
        for tokens, reply in zip(new, replies, strict=False):
            assert reply.log_q_present is not None
            self._log_probs[tokens] = reply.log_q_present
        return replies[len(new) :]

    def _value(self, tokens: Tokens, closed: bool = False) -> float:
        """What the last token adds to the objective."""
        return self.options.target.objective.value(np.array([self._log_probs[tokens]]), closed)

    def _values(self, one: Particle, start: int) -> float:
        """What the tokens from a place on add to the objective."""
        last = len(one.tokens)
        return sum(self._value(one.tokens[:i], one.closed and i == last) for i in range(start + 1, last + 1))

    def _one_of(self, particles: Sequence[Particle], start: int) -> Proposal:
        """The state, or one of the others in its place."""
        own, *others = particles
        log_weights = [one.log_weight - one.log_drawn for one in particles]
        if not others or isinf(log_weights[0]):
            return Proposal(self.state, 0.0)
        place = 1 + chosen(log_weights[1:], self.rng.random())
        accepted = log_sum(log_weights[1:]) - log_sum([*log_weights[:place], *log_weights[place + 1 :]])
        if log(1.0 - self.rng.random()) >= accepted:
            return Proposal(self.state, 0.0)
        found = particles[place]
        log_q_ratio = self.beta * (self._values(own, start) - self._values(found, start))
        return Proposal(State(found.tokens, found.owners), log_q_ratio, base=found.text)
