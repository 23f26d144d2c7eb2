"""Both families learn: what was memorised is found by search, with the adapter as it lies on the disk."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import peft
import pytest
import torch

from models.language.loading import LoadingError
from models.language.scoring.scorer import CausalScorer
from models.retrieval.examples import Example
from models.retrieval.fact import Fact
from models.retrieval.loading import Family
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.training.adapter import Adapter
from models.retrieval.training.causal import Branches, CausalLearner
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.starting import begin
from models.retrieval.training.train import ADAPTER, Trainer
from models.retrieval.writers.base import KeyModel
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.codec import KeyCodec
from models.retrieval.writers.encoder_decoder import EncoderDecoderKeyModel
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import END, decode, encode, encoder_decoder
from tests.support.tiny_model import CONFIGS, SIZE, build

FACTS = [("abc", "wx"), ("abd", "yx"), ("bce", "wx"), ("abc", "vu"), ("cab", "yu"), ("dea", "vx")]
TRAIN = [Example(predicate + name, Fact(name, predicate, "", "o")) for name, predicate in FACTS]
OPTIONS = TrainingOptions(
    rank=16, batch=6, epochs=100, warmup=5, learning_rate=5e-3, evaluate_every=100, names=4, predicates=4, misspelt=0
)
NAMES = ["llama", "gemma2", "t5", "mt5", "bart"]


def _model(name: str) -> tuple[Any, Family, KeyCodec]:
    """A tiny random model; BART's with a bias of its logits, T5's with embeddings that are tied and scaled."""
    if name in CONFIGS:
        return build(CONFIGS[name]()), "causal", KeyCodec.prefix_lm(encode, decode, 2, END)
    model = encoder_decoder(name).plain
    if name == "bart":
        model.final_logits_bias.normal_(std=0.3, generator=torch.Generator().manual_seed(0))
    assert name != "t5" or model.config.scale_decoder_outputs
    return model, "encoder-decoder", KeyCodec.encoder(encode, decode, END)


def _served(model: Any, family: Family, codec: KeyCodec) -> KeyModel:
    return CausalKeyModel(CausalScorer(model), codec) if family == "causal" else EncoderDecoderKeyModel(model, codec)


@pytest.mark.parametrize("name", ["gemma3", "gemma3-window"])
def test_questions_after_one_text_are_read_as_each_is_alone(name: str) -> None:
    learner = CausalLearner(Adapter.attach(build(CONFIGS[name]()).eval(), name, "CAUSAL_LM", OPTIONS))
    texts = [
        Branches(encode("abcde" * 4), [encode("xa"), encode("yab")], [(*encode("wx"), END), (*encode("v"), END)]),
        Branches(encode("bc"), [encode("ya")], [(*encode("abc"), END)]),
    ]
    alone = [
        learner.hidden([[*one.text, *question]], [key])
        for one in texts
        for question, key in zip(one.questions, one.keys, strict=True)
    ]
    torch.testing.assert_close(learner.hidden_after(texts), torch.cat(alone), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_learnt_is_found(name: str, tmp_path: Path) -> None:
    model, family, codec = _model(name)
    bare = copy.deepcopy(model)
    learner = begin(model.requires_grad_(False), name, family, codec, OPTIONS)
    trainer = Trainer(learner, codec, TRAIN, TRAIN, tmp_path, OPTIONS)
    before = trainer.evaluate()
    frozen = {key: p.clone() for key, p in learner.adapter.base.named_parameters() if not p.requires_grad}
    position = trainer.run(trainer.resume())
    after = trainer.evaluate()
    assert after.language < 0.5 * before.language and after.siblings < 0.5 * before.siblings
    assert position.evaluations[-1]["right"] == after.right == 1
    assert all(torch.equal(p, frozen[key]) for key, p in learner.adapter.base.named_parameters() if key in frozen)

    index = DictIndex(codec.key(example.fact.parts) for example in TRAIN)
    questions = [example.question for example in TRAIN]

    def found(served: KeyModel) -> list[tuple[str, ...]]:
        answers = search(index, served, questions, SearchOptions(n=1, beams=3))
        return [codec.parts(answer.found[0].tokens) for answer in answers]

    truths = [example.fact.parts for example in TRAIN]
    assert found(_served(copy.deepcopy(bare), family, codec)) != truths, "random weights know nothing"
    merged = peft.PeftModel.from_pretrained(bare, str(tmp_path / ADAPTER)).merge_and_unload().eval()
    assert found(_served(merged, family, codec)) == truths


@pytest.mark.parametrize("name", NAMES)
def test_hidden_states_are_those_of_each_question_alone(name: str) -> None:
    """Padding of questions and keys changes nothing, and every row predicts the token that it should."""
    model, family, codec = _model(name)
    learner = begin(model.requires_grad_(False), name, family, codec, OPTIONS)
    questions = [codec.question(text) for text in ("ab", "abcdefg", "c")]
    keys = [(*codec.key(parts), END) for parts in (("a", "bcdef", ""), ("x", "y", "w"), ("abcd", "x", ""))]
    with torch.inference_mode():
        together = learner.output.over(learner.hidden(questions, keys), torch.arange(SIZE))
        rows = []
        for question, key in zip(questions, keys, strict=True):
            if family == "causal":
                logits = model(input_ids=torch.tensor([[*question, *key[:-1]]]), use_cache=False).logits[0]
            else:
                written = torch.tensor([[model.config.decoder_start_token_id, *key[:-1]]])
                logits = model(input_ids=torch.tensor([question]), decoder_input_ids=written, use_cache=False).logits[0]
            rows.append(logits[-len(key) :])
    torch.testing.assert_close(together, torch.cat(rows), atol=1e-5, rtol=1e-4)


def test_a_model_with_an_output_layer_of_its_own_is_refused() -> None:
    model, family, codec = _model("llama")
    head = model.lm_head.forward
    model.lm_head.forward = lambda hidden: 0.25 * head(hidden)
    with pytest.raises(LoadingError, match="cannot be trained"):
        begin(model.requires_grad_(False), "scaled", family, codec, OPTIONS)
