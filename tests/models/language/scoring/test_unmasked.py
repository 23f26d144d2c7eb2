"""Texts under no mask against the model's own forward over all its tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from models.language.scoring.unmasked import Asked, Rows, UnmaskedScores
from tests.support.tiny_model import CONFIGS, SIZE, Plain, build, engine, vocabulary

EVERY = vocabulary(range(SIZE), 20, 4, name="every")
LENGTHS = (1, 9, 2, 30)


def drawn(lengths: Sequence[int]) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(5)
    return [tuple(int(token) for token in rng.integers(SIZE, size=length)) for length in lengths]


def expected(plain: Plain, text: Sequence[int], asked: Asked, rows: Rows) -> None:
    """Places, tokens, log-probs and likeliest tokens are those of the model's own rows."""
    own = plain.rows(text)
    places = [*(range(1, len(text)) if asked.within else ()), *([len(text)] if asked.beyond else ())]
    standing = [text[place] if place < len(text) else int(own[-1].argmax()) for place in places]
    before = own[[place - 1 for place in places]]
    order = np.argsort(-before, -1)[:, : asked.top]
    assert rows["token"].tolist() == standing
    np.testing.assert_allclose(rows["log_prob"], before[np.arange(len(places)), standing], atol=2e-5)
    assert rows["top"].tolist() == order.tolist()
    np.testing.assert_allclose(rows["top_log_probs"], np.take_along_axis(before, order, -1), atol=2e-5)
    for row in rows:  # equal tokens have equal numbers, by which callers tell whether a token was the likeliest
        for token, log_prob in zip(row["top"], row["top_log_probs"], strict=True):
            assert token != row["token"] or log_prob == row["log_prob"]


@pytest.mark.parametrize("asked", [Asked(True, True, 3), Asked(True, False, 0), Asked(False, True, 1)], ids=str)
@pytest.mark.parametrize("config", CONFIGS)
def test_the_model_s_own_rows_say_the_same(config: str, asked: Asked) -> None:
    scorer, plain = engine(CONFIGS[config](), EVERY)
    texts = drawn(LENGTHS if asked.beyond else LENGTHS[1:])
    work = UnmaskedScores(scorer, texts, asked)
    for text, rows in zip(texts, work.run([work])[0], strict=True):
        expected(plain, text, asked, rows)
    assert (work.usage.lm_calls, work.usage.lm_tokens) == (1, sum(map(len, texts)))


def test_a_text_is_scored_as_if_it_were_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among texts of other requests, and by more rows than are held at once."""
    monkeypatch.setattr("models.language.forward.masked_output.LOGITS_AT_ONCE", 5 * SIZE)
    scorer, _ = engine(CONFIGS["gemma3"](), EVERY)
    asked = Asked(True, True, 4)
    works = [UnmaskedScores(scorer, drawn(lengths), asked) for lengths in (LENGTHS, (12, 3))]
    assert works[0].kind == works[1].kind != UnmaskedScores(scorer, (), Asked(True, True, 3)).kind
    for work, together in zip(works, works[0].run(works), strict=True):
        for text, rows in zip(work.texts, together, strict=True):
            alone = UnmaskedScores(scorer, [text], asked)
            assert alone.run([alone])[0][0].tobytes() == rows.tobytes()


def test_in_bfloat16_the_whole_vocabulary_still_sums_to_one() -> None:
    """Rows are not rounded to bfloat16, whose steps are 1/8 from 16 on."""
    from models.language.scoring.scorer import CausalScorer

    scorer = CausalScorer(build(CONFIGS["gemma3"]()).to(torch.bfloat16))
    work = UnmaskedScores(scorer, drawn((8,)), Asked(True, True, SIZE))
    ((rows,),) = work.run([work])
    np.testing.assert_allclose(np.exp(rows["top_log_probs"]).sum(-1), 1, atol=1e-5)
