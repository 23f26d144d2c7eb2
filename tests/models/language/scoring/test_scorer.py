"""Scores equal the model's own forward, however the batch and the kept prefixes come about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models.language.forward.forward import UnsupportedModelError
from models.language.forward.masked_output import MaskedOutput
from models.language.scoring.kv_cache import Context, ScoredSentence
from models.language.scoring.scorer import CausalScorer
from models.language.scoring.work import Proposals
from samplers.language import Alphabet, ProposalQuery, ProposalReply
from tests.support.tiny_model import CONFIGS, UNSUPPORTED, Plain, build, engine, vocabulary

# Out of order and with holes, so that a local id taken for a token id shows.
IDS = [20, 9, 12, 7, 30, 15, 25, 8, 11, 29]
INTERIOR, ENDS = IDS[:5], IDS[5:7]
MASK = vocabulary(IDS, len(INTERIOR), len(ENDS))
CONTEXT = (2, 3, 30, 5, 17, 9)
TOLERANCE = 2e-5


class Bench:
    """A scorer of one architecture under a context of several tokens, and its reference."""

    def __init__(self, architecture: str, max_tokens: int = 4096) -> None:
        self.scorer, self.plain = engine(CONFIGS[architecture](), MASK, max_tokens=max_tokens)
        self.output: MaskedOutput = self.scorer.forward.output(MASK)
        self.context: Context = self.scorer.context(CONTEXT, self.output)

    def score(
        self, sentences: Sequence[tuple[int, ...]], bases: Sequence[ScoredSentence | None] | None = None
    ) -> list[ScoredSentence]:
        """Score and compare with the plain forward."""
        scored = self.scorer.score(self.context, self.output, sentences, bases or [None] * len(sentences))
        assert [one.tokens for one in scored] == list(sentences)
        for one in scored:
            assert one.log_probs.dtype == np.float64
            expected = self.plain.log_probs(CONTEXT, one.tokens)
            np.testing.assert_allclose(one.log_probs, expected, atol=TOLERANCE, rtol=0)
        return scored


@pytest.fixture(scope="module", params=CONFIGS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


@pytest.fixture(scope="module")
def llama() -> Bench:
    return Bench("llama")


def proposed(bench: Bench, scored: Sequence[ScoredSentence], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
    work = Proposals(bench.output, scored, queries)
    return work.run([work])[0]


def sentence(rng: np.random.Generator, length: int) -> tuple[int, ...]:
    return tuple(int(token) for token in rng.choice(IDS, size=length))


def edited(rng: np.random.Generator, tokens: tuple[int, ...]) -> tuple[int, ...]:
    """One token replaced, inserted or deleted, anywhere."""
    at, new = int(rng.integers(len(tokens))), int(rng.choice(IDS))
    kind = int(rng.integers(3)) if len(tokens) > 1 else int(rng.integers(2))
    return (
        (*tokens[:at], new, *tokens[at + 1 :]),
        (*tokens[:at], new, *tokens[at:]),
        (*tokens[:at], *tokens[at + 1 :]),
    )[kind]


def test_lengths_from_one_token_on(bench: Bench) -> None:
    rng = np.random.default_rng(1)
    bench.score([sentence(rng, length) for length in (1, 2, 13, 5, 1, 9)])
    bench.score([sentence(rng, 1)])
    assert bench.score([]) == []


def test_edits_at_different_places_with_and_without_kept_stores(bench: Bench) -> None:
    rng = np.random.default_rng(2)
    first = bench.score([sentence(rng, int(rng.integers(1, 14))) for _ in range(12)])
    bases = [None if i % 4 == 0 else replace(base, kv=None) if i % 4 == 1 else base for i, base in enumerate(first)]
    bench.score([edited(rng, base.tokens) for base in first], bases)


def test_unrelated_base(bench: Bench) -> None:
    rng = np.random.default_rng(3)
    first = bench.score([sentence(rng, length) for length in (3, 11, 1)])
    bench.score([sentence(rng, length) for length in (9, 2, 6)], first)


def test_identical_sentence_and_end_alone_feed_nothing(bench: Bench) -> None:
    rng = np.random.default_rng(4)
    (base,) = bench.score([(*sentence(rng, 7), ENDS[0])])
    before = replace(bench.scorer.usage)
    same, other_end = bench.score([base.tokens, (*base.tokens[:-1], ENDS[1])], [base, base])
    assert (bench.scorer.usage.lm_calls, bench.scorer.usage.lm_tokens) == (before.lm_calls, before.lm_tokens)
    np.testing.assert_array_equal(same.log_probs[:-1], base.log_probs[:-1])
    # What was scored without a forward can be edited in its turn.
    bench.score([(*base.tokens[:4], IDS[1], *base.tokens[4:]), base.tokens[2:]], [other_end, same])


def test_growing_and_shrinking_at_the_end(bench: Bench) -> None:
    (base,) = bench.score([(9, 12, 7, 15)])
    longer, shorter, beginning = bench.score([(9, 12, 7, 15, 20, 25), (9, 12), (9,)], [base] * 3)
    bench.score([(9, 12, 7, 15), (9, 12, 7, 15), (9, 12, 15)], [longer, shorter, beginning])


def test_twenty_edits_in_a_chain(bench: Bench) -> None:
    rng = np.random.default_rng(5)
    chains = bench.score([sentence(rng, 6) for _ in range(4)])
    for depth in range(20):
        # Every other chain loses its store now and then, as under a memory limit.
        bases = [replace(one, kv=None) if (depth + i) % 5 == 0 else one for i, one in enumerate(chains)]
        chains = bench.score([edited(rng, one.tokens) for one in chains], bases)


@pytest.mark.parametrize("max_tokens", [1, 7, 20])
def test_splitting_changes_nothing(max_tokens: int) -> None:
    rng = np.random.default_rng(6)
    bench = Bench("gemma3-window", max_tokens)
    first = bench.score([sentence(rng, int(rng.integers(1, 14))) for _ in range(10)])
    calls = bench.scorer.usage.lm_calls
    bench.score([edited(rng, base.tokens) for base in first], first)
    assert bench.scorer.usage.lm_calls > calls + 1


def test_one_forward_feeds_only_what_follows_the_edits(llama: Bench) -> None:
    bases = llama.score([(9, 12, 7, 20, 15)] * 2)
    before = replace(llama.scorer.usage)
    llama.score([(9, 12, 7, 9, 15), (9, 30, 12, 7, 20, 15)], bases)
    assert llama.scorer.usage.lm_calls == before.lm_calls + 1
    assert llama.scorer.usage.lm_tokens == before.lm_tokens + 1 + 4


def test_log_probs_are_normalised_over_the_mask(llama: Bench) -> None:
    scored = llama.score([(9, 12, token) for token in IDS])
    assert np.exp([one.log_probs[-1] for one in scored]).sum() == pytest.approx(1, abs=1e-5)


def expected_row(
    plain: Plain, prefix: Sequence[int], epsilon: float, alphabet: slice, sharpness: float = 1.0
) -> np.ndarray:
    """q over an alphabet, from its definition."""
    p = np.exp(plain.rows([*CONTEXT, *prefix])[-1])[alphabet] ** sharpness
    return (1 - epsilon) * p / p.sum() + epsilon / len(p)


@pytest.mark.parametrize(
    ("alphabet", "part"),
    [(Alphabet.INTERIOR, slice(0, 5)), (Alphabet.ENDS, slice(5, 7)), (Alphabet.BOTH, slice(0, 7))],
    ids=["interior", "ends", "both"],
)
@pytest.mark.parametrize(("epsilon", "sharpness"), [(0.01, 1.0), (0.3, 2.5), (0.1, 0.0), (1.0, 1.0)])
def test_rows_are_drawn_by_inverse_cdf(
    bench: Bench, alphabet: Alphabet, part: slice, epsilon: float, sharpness: float
) -> None:
    rng = np.random.default_rng(7)
    (base,) = bench.score([(*sentence(rng, 6), ENDS[0])])
    allowed = IDS[part]
    for position in range(len(base.tokens)):
        q = expected_row(bench.plain, base.tokens[:position], epsilon, part, sharpness)
        edges = np.concatenate(([0.0], q.cumsum()[:-1], [1.0]))
        inside = [edges[k] + share * q[k] for k in range(len(q)) for share in (0.01, 0.99)]
        queries = [ProposalQuery(position, epsilon, sharpness, alphabet, uniform=u, present=allowed[0]) for u in inside]
        replies = proposed(bench, [base] * len(queries), queries)
        assert [reply.token for reply in replies] == [token for token in allowed for _ in range(2)]
        log_q = [reply.log_q for reply in replies[::2]]
        np.testing.assert_allclose(np.exp(np.array(log_q, float)), q, atol=1e-5)
        assert all(reply.log_q_present == pytest.approx(np.log(q[0]), abs=1e-4) for reply in replies)
        assert min(np.exp(np.array(log_q, float))) >= epsilon / len(q) * (1 - 1e-9)


def test_rows_ask_only_for_what_is_wanted_and_sum_to_one(llama: Bench) -> None:
    (base,) = llama.score([(9, 12, 7, 15)])
    present = [ProposalQuery(2, 0.2, present=token) for token in INTERIOR]
    replies = proposed(llama, [base] * 5, present)
    assert all(reply.token is None and reply.log_q is None for reply in replies)
    assert sum(np.exp(reply.log_q_present or 0) for reply in replies) == pytest.approx(1, abs=1e-12)
    (drawn,) = proposed(llama, [base], [ProposalQuery(3, 0.2, alphabet=Alphabet.ENDS, uniform=0.0)])
    assert drawn.token == ENDS[0]
    assert drawn.log_q_present is None
    assert proposed(llama, [], []) == []


def test_row_draws_have_their_frequencies_whatever_else_is_in_the_batch(llama: Bench) -> None:
    """Alphabets, positions and sentences mixed in one call of over a thousand queries."""
    rng = np.random.default_rng(8)
    bases = llama.score([(9, 12, 7, 15), (30, 25)])
    uniforms = rng.random(1500)
    queries = [
        ProposalQuery(i % 2, 0.1, alphabet=Alphabet.ENDS if i % 5 == 0 else Alphabet.INTERIOR, uniform=float(u))
        for i, u in enumerate(uniforms)
    ]
    scored = [bases[i % 3 == 0] for i in range(len(queries))]
    together = proposed(llama, scored, queries)
    for i in range(0, len(queries), 50):
        (alone,) = proposed(llama, [scored[i]], [queries[i]])
        assert alone.token == together[i].token
    chosen = [i for i, query in enumerate(queries) if query.position == 1 and scored[i] is bases[0]]
    interior = [together[i].token for i in chosen if queries[i].alphabet is Alphabet.INTERIOR]
    q = expected_row(llama.plain, (9,), 0.1, slice(0, 5))
    counts = np.array([interior.count(token) for token in INTERIOR])
    statistic = ((counts - q * counts.sum()) ** 2 / (q * counts.sum())).sum()
    assert statistic < 23.5, "beyond the 0.9999 quantile of chi-square with 4 degrees of freedom"


def test_a_row_does_not_see_what_follows(llama: Bench) -> None:
    bases = llama.score([(9, 12, 7, 15), (9, 12, 30, 30, 25)])
    first, second = proposed(llama, bases, [ProposalQuery(2, 0.1, uniform=0.4, present=9)] * 2)
    assert first.token == second.token
    assert first.log_q_present == pytest.approx(second.log_q_present, abs=1e-5)


@pytest.mark.parametrize("tokens", [(9, 3, 15), (3, 9, 15), (9, 12, 3), (3,), ()])
def test_a_token_outside_the_vocabulary_or_no_token_is_refused(llama: Bench, tokens: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="outside the vocabulary|at least one token"):
        llama.scorer.score(llama.context, llama.output, [tokens], [None])


def test_an_edit_to_a_token_outside_the_vocabulary_is_refused(llama: Bench) -> None:
    (base,) = llama.score([(9, 12, 7, 15)])
    with pytest.raises(ValueError, match="outside the vocabulary"):
        llama.scorer.score(llama.context, llama.output, [(9, 3, 7, 15)], [base])


def test_an_empty_context_is_refused(llama: Bench) -> None:
    with pytest.raises(ValueError, match="context"):
        llama.scorer.context([], llama.output)


def test_a_context_of_one_token(llama: Bench) -> None:
    context = llama.scorer.context([2], llama.output)
    (one,) = llama.scorer.score(context, llama.output, [(9, 12, 15)], [None])
    np.testing.assert_allclose(one.log_probs, llama.plain.log_probs([2], (9, 12, 15)), atol=TOLERANCE)


def test_each_mask_renormalises_over_its_own_tokens(llama: Bench) -> None:
    narrow = vocabulary([9, 12, 15], 2, 1, name="narrow")
    output = llama.scorer.forward.output(narrow)
    context = llama.scorer.context(CONTEXT, output)
    (one,) = llama.scorer.score(context, output, [(9, 12, 15)], [None])
    expected = Plain(llama.plain.model, narrow.ids).log_probs(CONTEXT, (9, 12, 15))
    np.testing.assert_allclose(one.log_probs, expected, atol=TOLERANCE)


@pytest.mark.parametrize("architecture", sorted(UNSUPPORTED))
def test_an_unsupported_architecture_is_refused(architecture: str) -> None:
    model = build(UNSUPPORTED[architecture](), attention=None)
    with pytest.raises(UnsupportedModelError):
        CausalScorer(model)


def test_masks_of_the_same_name_do_not_share_a_head(llama: Bench) -> None:
    other = vocabulary(IDS[::-1], 5, 2, name=MASK.name)
    assert llama.scorer.forward.output(other).vocabulary.ids.tolist() == IDS[::-1]


def test_a_model_of_twelve_tokens() -> None:
    config = CONFIGS["llama"]()
    config.vocab_size = 12
    CausalScorer(build(config))


def test_a_row_of_a_token_outside_its_alphabet_is_refused(llama: Bench) -> None:
    (base,) = llama.scorer.score(llama.context, llama.output, [(20, 9, 15)], [None])
    with pytest.raises(ValueError, match="outside its alphabet"):
        proposed(llama, [base], [ProposalQuery(1, 0.1, alphabet=Alphabet.ENDS, present=20)])


def test_contexts_used_lately_are_read_once(llama: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.language.scoring.scorer.MAX_CONTEXT_TOKENS", 8)

    def read(*tokens: int) -> bool:
        before = llama.scorer.usage.lm_calls
        llama.scorer.context(tokens, llama.output)
        return llama.scorer.usage.lm_calls > before

    assert read(2, 3, 4) and read(2, 5, 6) and not read(2, 3, 4)
    assert read(2, 7, 8), "nine tokens are one too many: (2, 5, 6) goes"
    assert not read(2, 3, 4) and not read(2, 7, 8) and read(2, 5, 6) and read(2, 3, 4)
    assert read(*range(2, 11)) and read(*range(2, 11)), "it is too long to be kept"
    assert not read(2, 3, 4), "and drives out no other"
