"""The model that writes keys: its adapter, its confidence, and encoder-decoder models."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from starlette.testclient import TestClient
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from app.main import create_app
from app.settings.settings import Settings
from models.retrieval.ranking import noisy_channel as channel
from models.retrieval.ranking.logit import FEATURES as FEATURES_OF_A_KEY
from models.retrieval.ranking.logit import Ranking
from models.retrieval.search.confidence import Confidence
from models.retrieval.search.confidence_features import FEATURES
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts
from tests.support import tiny_service as tiny


@pytest.fixture(scope="module")
def adapter(key_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random products, so that scores with and without it differ."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(key_model_folder)
    config = peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    folder = tmp_path_factory.mktemp("adapter")
    peft.get_peft_model(model, config).save_pretrained(str(folder))
    return folder


@contextmanager
def served(settings: Settings, tmp_path: Path, **changes: Any) -> Iterator[TestClient]:
    app = create_app(settings.model_copy(update={"state_dir": tmp_path, **changes}))
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until_ready(client)
        yield client


def sure(threshold: float, bias: float = 0.0) -> Confidence:
    """Confidence from the rank alone, the renormalised score if no ranking is fitted: sigmoid(score + bias)."""
    count = len(FEATURES)
    return Confidence(FEATURES, (0.0,) * count, (1.0,) * count, (1.0, *(0.0,) * (count - 1)), bias, threshold)


def ask(client: TestClient, index: str, **more: Any) -> dict[str, Any]:
    response = client.post(f"/v1/indexes/{index}/search", json={"query": "今天天气", "n": 1, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_an_adapter_is_merged_and_named(client: TestClient, settings: Settings, adapter: Path, tmp_path: Path) -> None:
    bare = ask(client, facts.build(client))
    with served(settings, tmp_path, retrieval_adapter=str(adapter)) as other:
        adapted = ask(other, facts.build(other))
    assert adapted["model"]["adapter"] == adapter.name and adapted["model"]["note"] is None
    assert adapted["model"]["fingerprint"] != bare["model"]["fingerprint"]
    assert adapted["model"]["tokenizer"] == bare["model"]["tokenizer"]
    scores = [answer["answers"][0]["results"][0]["renormalised"] for answer in (bare, adapted)]
    assert abs(scores[0] - scores[1]) > 1e-3


def test_a_ranking_that_was_fitted_orders_answers_unless_it_is_declined(
    settings: Settings, key_model_folder: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ranked"
    shutil.copytree(adapter, folder)
    by_name = Ranking(FEATURES_OF_A_KEY, *[(x,) * len(FEATURES_OF_A_KEY) for x in (0.0, 1.0)], weights=weights("named"))
    by_name.save(folder / "ranking.json")
    with served(settings, tmp_path, retrieval_adapter=str(folder)) as client:
        index = facts.build(client)
        fitted = ask(client, index, query="公园 天气", n=2, beams=2)
        assert fitted["ranking"] == "fitted"
        assert [result["key"]["subject"] for result in fitted["answers"][0]["results"]] == ["公园", "公园"]
        scores = [result["score"] for result in fitted["answers"][0]["results"]]
        assert scores[0] == pytest.approx(scores[1]) and sum(map(math.exp, scores)) < 1
        for more in ({"rerank": False}, {"mode": "exact"}):
            plain = ask(client, index, query="公园 天气", n=2, **more)
            assert plain["ranking"] == "model"
            assert all(r["score"] == r["renormalised"] for r in plain["answers"][0]["results"])
        plain_keys = client.post("/v1/indexes", json={"name": "plain", "lines": ["公园\tx"], "format": "pairs"})
        assert plain_keys.status_code == 202 and facts.wait(client, "plain")["build"]["state"] == "ready"
        assert ask(client, "plain")["ranking"] == "model"  # rankings are fitted on triples

    (folder / "ranking.json").write_text("{", "utf-8")
    with served(settings, tmp_path, retrieval_adapter=str(folder)) as client:
        response = client.post(f"/v1/indexes/{index}/search", json={"query": "公园"})
        assert_problem(response, 503)
        assert "fit the ranking again" in response.text


def test_misspelt_names_are_found_if_the_index_was_built_for_it(
    settings: Settings, key_model_folder: Path, adapter: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "ranked"
    shutil.copytree(adapter, folder)
    by_error = Ranking(FEATURES_OF_A_KEY, *[(x,) * len(FEATURES_OF_A_KEY) for x in (0.0, 1.0)], weights=weights("near"))
    by_error.save(folder / "ranking.json")
    names = {"城市公园": "城市学园", "朋友老师": "朋友师老", "今天上午": "今上午", "早上时间": "早上的时间"}
    lines = [f"{name}\t{predicate}\t晴" for name in names for predicate in ("天气", "人口")]
    with served(settings, tmp_path, retrieval_adapter=str(folder)) as client:

        def best(index: str, name: str, **more: Any) -> str:
            found = ask(client, index, query=f"{name} 天气", beams=1, **more)["answers"][0]["results"][0]
            return str(found["key"]["subject"])

        found, blind = facts.build(client, lines), facts.build(client, lines, typos=False)
        assert [best(found, wrong) for wrong in names.values()] == list(names)
        plain = [best(found, wrong, rerank=False) for wrong in names.values()]
        assert [best(blind, wrong) for wrong in names.values()] == plain != list(names)
        assert client.get(f"/v1/indexes/{found}").json()["typos"] is True
        assert client.get(f"/v1/indexes/{blind}").json()["typos"] is False
        assert client.put(f"/v1/indexes/{blind}?typos=false", content="\n".join(lines)).status_code == 202
        assert facts.wait(client, blind)["typos"] is False

        fresh = {"subject": "学校老师", "predicate": "天气"}
        for index in (found, blind):
            client.patch(f"/v1/indexes/{index}", json={"add": [{**fresh, "values": ["热"]}]})
        assert best(found, "学校朋师") == "学校老师" and best(blind, "学校朋师") == best(
            blind, "学校朋师", rerank=False
        )
        gone = [{"subject": "城市公园", "predicate": predicate} for predicate in ("天气", "人口")]
        client.patch(f"/v1/indexes/{found}", json={"remove": [*gone, fresh]})
        assert best(found, "城市学园") not in ("城市公园", "学校老师") and best(found, "今上午") == "今天上午"


def weights(feature: str) -> tuple[float, ...]:
    """One for a feature, none for others."""
    return tuple(float(name == feature) for name in FEATURES_OF_A_KEY)


def test_confidence_that_was_fitted_is_used(settings: Settings, adapter: Path, tmp_path: Path) -> None:
    for threshold, withheld in ((0.999, True), (0.0, False)):
        sure(threshold, bias=-1.0).save(adapter / "confidence.json")
        with served(settings, tmp_path, retrieval_adapter=str(adapter)) as client:
            index = facts.build(client)
            answer = ask(client, index, abstain=True)
            (found,) = answer["answers"]
            best = found["results"][0]
            assert answer["model"]["calibrated"] and len(found["results"]) == 1
            assert best["confidence"] == pytest.approx(1 / (1 + math.exp(1 - best["renormalised"])), abs=1e-6)
            assert found["no_answer"] is withheld
            assert not ask(client, index)["answers"][0]["no_answer"]
            assert len(ask(client, index, mode="exact", n=9)["answers"][0]["results"]) == facts.KEYS
    (adapter / "confidence.json").unlink()


def test_a_channel_that_was_fitted_orders_the_doubtful_by_the_questions_likelihood(
    settings: Settings, key_model_folder: Path, adapter: Path, tmp_path: Path
) -> None:
    question = "公园 天气"
    with served(settings, tmp_path, retrieval_adapter=str(asking(adapter, tmp_path))) as client:
        results = ask(client, facts.build(client), query=question, n=8, beams=8)["answers"][0]["results"]
    assert len(results) > 4
    tokenizer = Tokenizer.from_file(str(key_model_folder / "tokenizer.json"))
    plain = AutoModelForCausalLM.from_pretrained(key_model_folder, dtype=torch.float32).eval()

    def tokens(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    def likelihood(key: dict[str, str]) -> float:
        before = [2, *tokens(f"公园 天气 → {question}\n"), *tokens(f"{key['subject']} {key['predicate']} → ")]
        asked = tokens(question)
        with torch.inference_mode():
            rows = plain(input_ids=torch.tensor([[*before, *asked]])).logits[0].double().log_softmax(-1)
        return sum(float(rows[len(before) - 1 + i, token]) for i, token in enumerate(asked))

    expected = np.array([likelihood(result["key"]) for result in results])
    assert (np.diff(expected) < 1e-3).all()
    np.testing.assert_allclose(np.diff([r["score"] for r in results]), np.diff(expected), atol=2e-3)


def asking(adapter: Path, tmp_path: Path) -> Path:
    """A copy of an adapter with example questions, an order that leaves all in doubt, and one by the question."""
    folder = tmp_path / "asking"
    shutil.copytree(adapter, folder)
    (folder / "questions.jsonl").write_text('{"question": "公园 天气", "answer": "公园 ||| 天气 ||| "}\n', "utf-8")
    for name, columns, feature in (
        ("ranking.json", FEATURES_OF_A_KEY, ""),
        ("channel.json", channel.FEATURES, "question"),
    ):
        weights = tuple(float(column == feature) for column in columns)
        Ranking(columns, (0.0,) * len(columns), (1.0,) * len(columns), weights).save(folder / name)
    return folder


@pytest.mark.parametrize(
    "damage", ["confidence.json", "adapter_model.safetensors", "ranking.json", "channel.json", "questions.jsonl"]
)
def test_a_damaged_adapter_is_told(settings: Settings, adapter: Path, tmp_path: Path, damage: str) -> None:
    adapter = asking(adapter, tmp_path)
    copy = tmp_path / "adapter"
    copy.mkdir()
    for path in adapter.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / damage).write_text("{}")
    with served(settings, tmp_path, retrieval_adapter=str(copy)) as client:
        index = facts.build(client)
        problem = assert_problem(client.post(f"/v1/indexes/{index}/search", json={"query": "今天"}), 503)
        assert "CHAINWRIGHT_RETRIEVAL_ADAPTER" in problem["errors"][0]["remedy"]


def test_an_encoder_decoder_model_writes_keys(settings: Settings, key_model_folder: Path, tmp_path: Path) -> None:
    folder = tiny.save_encoder_decoder(tmp_path / "t5", key_model_folder)
    with served(settings, tmp_path, retrieval_model=str(folder)) as client:
        index = facts.build(client)
        answer = ask(client, index, mode="exact", n=9)
        assert answer["model"]["family"] == "encoder-decoder" and answer["model"]["note"] is None
        results = answer["answers"][0]["results"]
        assert len(results) == facts.KEYS
        assert sum(math.exp(result["renormalised"]) for result in results) == pytest.approx(1, abs=1e-6)
