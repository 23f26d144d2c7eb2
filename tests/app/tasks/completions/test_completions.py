"""POST /v1/completions: what scoring clients of OpenAI's completions send and read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from starlette.testclient import TestClient
from transformers import AutoModelForCausalLM

from app.engine.engine import Engine
from app.main import create_app
from app.settings.settings import Settings
from tests.support.live import serving
from tests.support.tiny_model import Plain

TEXTS = ["今天我去公园。", "the dog runs in the park.", "學校的書", "A", ""]
HARNESS = {"temperature": 0, "max_tokens": 1, "logprobs": 1, "seed": 1234, "echo": True}
"""What lm-evaluation-harness sends beside `model` and `prompt`, token ids of several prompts."""


def engine_of(client: TestClient) -> Engine:
    engine: Engine = client.app.state.loading.engine  # type: ignore[attr-defined]
    return engine


def encoded(client: TestClient, text: str) -> list[int]:
    model = engine_of(client).model
    return [model.begin, *model.tokenizer.encode(text)]


def complete(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/completions", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture(scope="module")
def plain(client: TestClient, model_folder: Path) -> Plain:
    ids = np.arange(engine_of(client).model.scorer.forward.tokens)
    return Plain(AutoModelForCausalLM.from_pretrained(model_folder).eval(), ids)


def own(plain: Plain, tokens: list[int]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The model's whole rows after each token, and its log-prob of each token but the first."""
    rows = plain.rows(tokens)
    return rows, rows[np.arange(len(tokens) - 1), tokens[1:]]


def test_what_the_harness_sends_is_scored_as_transformers_scores_it(client: TestClient, plain: Plain) -> None:
    prompts = [encoded(client, text) for text in TEXTS]
    prompts.append(prompts[0][1:])  # without a begin token, as it comes
    answer = complete(client, model=engine_of(client).model.name, prompt=prompts, **HARNESS)
    assert [choice["index"] for choice in answer["choices"]] == list(range(len(prompts)))
    for tokens, choice in zip(prompts, answer["choices"], strict=True):
        rows, expected = own(plain, tokens)
        found = choice["logprobs"]
        assert {len(column) for column in found.values()} == {len(tokens) + 1}
        assert found["token_logprobs"][0] is None and found["top_logprobs"][0] is None
        assert found["token_logprobs"][1:-1] == pytest.approx(expected, abs=1e-4)
        assert found["token_logprobs"][-1] == pytest.approx(rows[-1].max(), abs=1e-4)
        # How the harness tells whether the model itself would have written what was scored.
        greedy = [
            one == max(top.values())
            for one, top in zip(found["token_logprobs"], found["top_logprobs"], strict=True)
            if top
        ]
        assert greedy == [*(rows[:-1].argmax(-1) == tokens[1:]), True]
        assert [max(top.values()) for top in found["top_logprobs"][1:]] == pytest.approx(rows.max(-1), abs=1e-4)
    lengths = sum(map(len, prompts))
    assert answer["usage"]["prompt_tokens"] == lengths and answer["usage"]["completion_tokens"] == len(prompts)
    assert answer["usage"]["total_tokens"] == lengths + len(prompts)


def test_a_text_is_its_begin_token_and_its_tokens(client: TestClient) -> None:
    text = "the dog runs.今天"
    asked = {"max_tokens": 0, "echo": True, "logprobs": 3}
    by_text = complete(client, prompt=text, **asked)["choices"]
    assert by_text == complete(client, prompt=encoded(client, text), **asked)["choices"]
    (choice,) = by_text
    assert choice["text"] == text
    assert choice["logprobs"]["tokens"][0] == "<bos>" and choice["logprobs"]["text_offset"][:2] == [0, 0]
    starts = [*choice["logprobs"]["text_offset"][1:], len(choice["text"])]
    pieces = [choice["text"][start:stop] for start, stop in zip(starts, starts[1:], strict=False)]
    assert pieces == choice["logprobs"]["tokens"][1:]


def test_a_list_is_scored_as_each_prompt_alone_fresh_or_stored(client: TestClient) -> None:
    texts = [f"{text}园" for text in TEXTS]
    asked = {"max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 2}
    alone = [complete(client, prompt=text, **asked) for text in texts]
    assert all(one["usage"]["prompt_tokens_details"]["cached_tokens"] == 0 for one in alone)
    together = complete(client, prompt=texts, **asked)
    assert [{**choice, "index": 0} for choice in together["choices"]] == [one["choices"][0] for one in alone]
    assert together["usage"]["prompt_tokens_details"]["cached_tokens"] == together["usage"]["prompt_tokens"]


def test_without_echo_the_likeliest_token_alone_comes_back(client: TestClient, plain: Plain) -> None:
    tokens = encoded(client, "we walk in the")
    (choice,) = complete(client, prompt=tokens, max_tokens=1, temperature=0, logprobs=0)["choices"]
    likeliest = int(own(plain, tokens)[0][-1].argmax())
    name = engine_of(client).model.tokenizer.named(likeliest)
    assert choice["logprobs"]["tokens"] == [name] and choice["logprobs"]["text_offset"] == [0]
    assert choice["logprobs"]["top_logprobs"] == [{name: choice["logprobs"]["token_logprobs"][0]}]
    assert complete(client, prompt=tokens, max_tokens=1, temperature=0)["choices"][0]["logprobs"] is None
    (nothing,) = complete(client, prompt=tokens, max_tokens=0, logprobs=0)["choices"]
    assert nothing["text"] == "" and nothing["logprobs"]["tokens"] == []


def test_control_tokens_have_names_and_write_nothing(client: TestClient) -> None:
    (choice,) = complete(client, prompt=[2, *encoded(client, "A dog")[1:], 1], max_tokens=0, echo=True, logprobs=0)[
        "choices"
    ]
    assert choice["logprobs"]["tokens"] == ["<bos>", "A", " dog", "<eos>"] and choice["text"] == "A dog"
    assert choice["logprobs"]["text_offset"] == [0, 0, 1, 5]


@pytest.mark.parametrize(
    "harmless",
    [
        {
            "n": 1,
            "best_of": 1,
            "stream": False,
            "suffix": None,
            "logit_bias": {},
            "user": "me",
            "seed": 3,
            "top_p": 0.5,
        },
        {"presence_penalty": 0, "frequency_penalty": 0.0, "stop": [], "stream_options": None},
        {"max_tokens": 0, "temperature": 0.7, "stop": ["\n"], "presence_penalty": 1},
    ],
)
def test_what_changes_nothing_is_taken(harmless: dict[str, Any], client: TestClient) -> None:
    plainly = complete(client, prompt="the dog", **HARNESS)["choices"][0]["logprobs"]["token_logprobs"]
    (choice,) = complete(client, prompt="the dog", **HARNESS | harmless)["choices"]
    assert choice["logprobs"]["token_logprobs"] == plainly[: len(choice["logprobs"]["tokens"])]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"max_tokens": None}, "max_tokens", "missing"),
        ({"max_tokens": 2}, "max_tokens", "too-large"),
        ({"max_tokens": -1}, "max_tokens", "too-small"),
        ({"max_tokens": True}, "max_tokens", "wrong-type"),
        ({"n": 2}, "n", "unknown-value"),
        ({"best_of": 3}, "best_of", "unknown-value"),
        ({"stream": True}, "stream", "unknown-value"),
        ({"stream_options": {}}, "stream_options", "unknown-value"),
        ({"suffix": "."}, "suffix", "unknown-value"),
        ({"logit_bias": {"5": -100}}, "logit_bias", "unknown-value"),
        ({"stop": "\n"}, "stop", "unknown-value"),
        ({"stop": ["\n"]}, "stop", "unknown-value"),
        ({"presence_penalty": 0.1}, "presence_penalty", "unknown-value"),
        ({"frequency_penalty": -1}, "frequency_penalty", "unknown-value"),
        ({"temperature": 1}, "temperature", "unknown-value"),
        ({"temperature": None}, "temperature", "unknown-value"),
        ({"temperature": 3}, "temperature", "too-large"),
        ({"logprobs": 21}, "logprobs", "too-large"),
        ({"logprobs": True}, "logprobs", "wrong-type"),
        ({"model": "gpt-3.5-turbo-instruct"}, "model", "unknown-value"),
        ({"prompt_logprobs": 1}, "prompt_logprobs", "unknown-field"),
        ({"prompt": None}, "prompt", "wrong-type"),
        ({"prompt": {}}, "prompt", "wrong-type"),
        ({"prompt": []}, "prompt", "too-few"),
        ({"prompt": [[]]}, "prompt[0]", "too-few"),
        ({"prompt": [[2], []]}, "prompt[1]", "too-few"),
        ({"prompt": [2, "a"]}, "prompt[1]", "wrong-type"),
        ({"prompt": ["a", [2]]}, "prompt[1]", "wrong-type"),
        ({"prompt": [[2, 3], "a"]}, "prompt[1]", "wrong-type"),
        ({"prompt": [2, True]}, "prompt[1]", "wrong-type"),
        ({"prompt": [2, -1]}, "prompt[1]", "too-small"),
        ({"prompt": [[2], [2, 2.5]]}, "prompt[1][1]", "wrong-type"),
        ({"prompt": [2, 10**30]}, "prompt", "unknown-value"),
        ({"prompt": [[2], [2, 10**6]]}, "prompt[1]", "unknown-value"),
        ({"prompt": [2] * 1025}, "prompt", "too-long"),
        ({"prompt": ["a", "b" * 8001]}, "prompt[1]", "too-long"),
        ({"prompt": ["a"] * 1001}, "prompt", "too-many"),
        ({"prompt": [[2] * 1000] * 6, "logprobs": 20}, "logprobs", "too-large"),
    ],
)
def test_what_is_no_request_to_score_is_refused(
    change: dict[str, Any], field: str, code: str, client: TestClient
) -> None:
    response = client.post("/v1/completions", json={"prompt": "the dog", **HARNESS, **change})
    (fault,) = response.json()["errors"]
    assert response.status_code == (400 if "/v1/sentences" in fault["remedy"] else 422), response.text
    assert (fault["field"], fault["code"]) == (field, code), fault
    assert fault["remedy"]
    if field in ("n", "best_of", "stream", "suffix", "logit_bias", "stop") or code == "missing":
        assert "/v1/sentences" in fault["remedy"]


def test_half_a_surrogate_pair_is_no_text(client: TestClient) -> None:
    body = json.dumps({"prompt": "a\ud800", "max_tokens": 0})
    response = client.post("/v1/completions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422 and response.json()["errors"][0]["code"] == "not-unicode"


def test_it_is_an_item_of_a_job(client: TestClient) -> None:
    bodies = [{"prompt": text, **HARNESS} for text in TEXTS[:2]]
    refused = client.post("/v1/jobs", json={"url": "/v1/completions", "bodies": [bodies[0], bodies[1] | {"n": 2}]})
    assert refused.json()["errors"][0]["field"] == "bodies[1].n"
    job = client.post("/v1/jobs", json={"url": "/v1/completions", "bodies": bodies}).json()["id"]
    while client.get(f"/v1/jobs/{job}").json()["status"] != "completed":
        pass
    lines = map(json.loads, client.get(f"/v1/jobs/{job}/results").text.splitlines())
    choices = [line["response"]["body"]["choices"] for line in lines]
    assert choices == [complete(client, **body)["choices"] for body in bodies]


def test_a_chat_finds_what_there_is_instead(client: TestClient) -> None:
    response = client.post("/v1/chat/completions", json={"messages": []})
    assert response.status_code == 404 and "/v1/completions" in response.json()["errors"][0]["remedy"]


def test_openai_s_client_scores_and_finds_the_model(settings: Settings, tmp_path: Path) -> None:
    openai = pytest.importorskip("openai")
    service = create_app(settings.model_copy(update={"state_dir": tmp_path / "state"}))
    with serving(service) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        (model,) = client.models.list()
        assert client.models.retrieve(model.id) == model
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("davinci/002")
        assert model.id in unknown.value.response.text
        answer = client.completions.create(model=model.id, prompt=["the dog", "今天"], **HARNESS)
        assert [choice.logprobs.token_logprobs[0] for choice in answer.choices] == [None, None]
        assert answer.choices[0].text.startswith("the dog") and answer.usage.completion_tokens == 2
        with pytest.raises(openai.BadRequestError) as refused:
            client.completions.create(model=model.id, prompt="the dog")
        assert "/v1/infills" in refused.value.response.text
