"""`explain` of a search: why each key was answered."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.settings.settings import Settings
from app.tasks.search.search import NEIGHBOURS
from models.retrieval.ranking.logit import FEATURES, Ranking
from tests.app.tasks.search.test_adapters import adapter, ask, asking, served, weights
from tests.support import facts
from tests.support import tiny_service as tiny

__all__ = ["adapter"]

MODES: dict[str, dict[str, Any]] = {
    "beam": {"beams": 4},
    "exact": {"mode": "exact"},
    "by raw scores": {"score": "raw", "beams": 4},
    "with raw scores": {"mode": "exact", "with_raw": True},
}
NAMES = ("城市公园", "朋友老师", "今天上午", "早上时间")
TOWN = [f"{name}\t{predicate}\t晴" for name in NAMES for predicate in ("天气", "学校")]


@pytest.fixture(scope="module")
def ranked_adapter(adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With an order that was fitted, mostly for names that are misspelt."""
    folder = tmp_path_factory.mktemp("ranked") / "adapter"
    shutil.copytree(adapter, folder)
    numbers = [tuple(float(i + start) for i in range(len(FEATURES))) for start in (0, 1)]
    fitted = tuple(10 * near + 0.1 for near in weights("near"))
    Ranking(FEATURES, *numbers, weights=fitted).save(folder / "ranking.json")
    return folder


@pytest.fixture(scope="module")
def ranked(settings: Settings, ranked_adapter: Path) -> Iterator[tuple[TestClient, str]]:
    """A service with that order, and an index."""
    with served(settings, ranked_adapter.parent, retrieval_adapter=str(ranked_adapter)) as client:
        yield client, facts.build(client, TOWN)


def changed(client: TestClient, lines: list[str]) -> str:
    """An index with a key that was added, one with another value, and one that is gone."""
    index = facts.build(client, lines)
    if "\t天气\t" in lines[0]:
        add = [{"subject": "今天我", "predicate": "天气", "values": ["热"]}]
        add += [{"subject": "今天", "predicate": "时间", "values": ["晚上"]}]
        remove: list[dict[str, Any]] = [{"subject": "dog", "predicate": "food"}]
    else:
        add, remove = [{"key": "今天我 学校", "values": ["热"]}], [{"key": "dog"}]
    assert client.patch(f"/v1/indexes/{index}", json={"add": add, "remove": remove}).status_code == 200
    return index


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lines", [facts.LINES, ["今天\t晴", "今天我\t热", "dog\twater"]], ids=["triples", "pairs"])
def test_tokens_add_up_and_lead_through_the_trie(client: TestClient, mode: str, lines: list[str]) -> None:
    index = changed(client, lines)
    (plain,) = facts.search(client, index, query="今天天气", n=2, **MODES[mode])
    (answer,) = facts.search(client, index, query="今天天气", n=2, explain=True, **MODES[mode])
    assert plain["neighbours"] is None and all(result["explanation"] is None for result in plain["results"])
    whys = [result.pop("explanation") for result in answer["results"]]
    for result in plain["results"]:
        del result["explanation"]
    assert answer["results"] == plain["results"] and len(whys) == 2
    for result, why in zip(answer["results"], whys, strict=True):
        assert why["source"] == ("exact" if "exact" in MODES[mode].values() else "beam")
        assert why["mention"] is None and why["order"] == "model" and why["features"] == []
        assert sum(token["log_prob"] for token in why["tokens"]) == pytest.approx(result["renormalised"], abs=1e-9)
        if result["raw"] is None:
            assert {token["raw"] for token in why["tokens"]} == {None}
        else:
            assert sum(token["raw"] for token in why["tokens"]) == pytest.approx(result["raw"], abs=1e-9)
        *tokens, end = why["tokens"]
        assert end["text"] == "<eos>"
        for at, token in enumerate([*tokens, end]):
            prefix = ",".join(str(each["id"]) for each in tokens[:at])
            branches = client.get(f"/v1/indexes/{index}/trie", params={"tokens": prefix}).json()
            assert token["allowed"] == branches["total"] + branches["complete"]
            following = [(branch["id"], branch["text"]) for branch in branches["branches"]]
            assert token is end or (token["id"], token["text"]) in following
        assert branches["complete"] and branches["values"] == result["values"]
    answered = {result["text"] for result in answer["results"]}
    lost = answer["neighbours"]
    assert len(lost) <= NEIGHBOURS and not answered & {each["text"] for each in lost}
    scores = [each["score"] for each in [*answer["results"], *lost]]
    assert scores == sorted(scores, reverse=True)


def test_features_add_up_to_the_score(ranked: tuple[TestClient, str]) -> None:
    client, index = ranked
    (answer,) = ask(client, index, query="城市公园 朋友师老 天气", n=20, beams=20, explain=True)["answers"]
    assert answer["neighbours"] == []
    whys = [result["explanation"] for result in answer["results"]]
    assert {why["order"] for why in whys} == {"first"}
    for why in whys:
        assert sorted(each["name"] for each in why["features"]) == sorted(FEATURES)
        sizes = [abs(each["contribution"]) for each in why["features"]]
        assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) > 1
        for each in why["features"]:
            at = FEATURES.index(each["name"])
            assert each["contribution"] == pytest.approx(each["weight"] * (each["value"] - at) / (at + 1))
    sums = np.array([sum(each["contribution"] for each in why["features"]) for why in whys])
    scores = [result["score"] for result in answer["results"]]
    np.testing.assert_allclose(scores, sums - np.logaddexp.reduce(sums), atol=1e-9)


def test_sources_say_where_a_name_stands_and_what_is_misspelt(ranked: tuple[TestClient, str]) -> None:
    client, index = ranked
    query = "朋友师老 天气 早上时间"
    (answer,) = ask(client, index, query=query, n=1, beams=1, explain=True)["answers"]
    (best,) = answer["results"]
    assert best["text"] == "朋友老师 天气"
    mention = best["explanation"]["mention"]
    assert mention == {"text": "朋友师老", "start": 0, "end": 4, "name": "朋友老师", "misspelt": True}
    (all_of,) = ask(client, index, query=query, n=20, beams=20, explain=True)["answers"]
    assert {result["explanation"]["source"] for result in all_of["results"]} == {"beam"}
    places = {
        result["key"]["subject"]: result["explanation"]["mention"]
        for result in all_of["results"]
        if result["explanation"]["mention"] is not None
    }
    assert places["早上时间"] == {"text": "早上时间", "start": 8, "end": 12, "name": "早上时间", "misspelt": False}
    assert places.keys() == {"早上时间", "朋友老师"}
    # The beam has one key; of the others two have the name, and two the misspelt one.
    sources = {each["text"]: each["source"] for each in answer["neighbours"]}
    sources[best["text"]] = best["explanation"]["source"]
    assert set(sources.values()) == {"beam", "name", "misspelt"} and len(sources) <= 1 + NEIGHBOURS
    by_source = {"name": {"早上时间 天气", "早上时间 学校"}, "misspelt": {"朋友老师 天气", "朋友老师 学校"}}
    assert all(text in by_source[source] for text, source in sources.items() if source != "beam")


def test_keys_in_doubt_are_explained_by_the_second_order(settings: Settings, adapter: Path, tmp_path: Path) -> None:
    with served(settings, tmp_path, retrieval_adapter=str(asking(adapter, tmp_path))) as client:
        index = facts.build(client)
        (plain,) = ask(client, index, query="公园 天气", n=8, beams=8)["answers"]
        (answer,) = ask(client, index, query="公园 天气", n=8, beams=8, explain=True)["answers"]
        (few,) = ask(client, index, query="公园 天气", n=1, beams=8, explain=True)["answers"]
    assert [one["text"] for one in answer["results"]] == [one["text"] for one in plain["results"]]
    assert {one["explanation"]["order"] for one in answer["results"]} == {"second"}
    sums = [sum(each["contribution"] for each in one["explanation"]["features"]) for one in answer["results"]]
    np.testing.assert_allclose([one["score"] for one in answer["results"]], sums - np.logaddexp.reduce(sums), atol=1e-9)
    assert answer["results"][0]["explanation"]["features"][0]["name"] in ("question", *FEATURES)
    lost = [one["text"] for one in answer["results"][1 : 1 + NEIGHBOURS]]
    assert [each["text"] for each in few["neighbours"]] == lost


def test_an_encoder_decoder_model_is_explained(settings: Settings, key_model_folder: Path, tmp_path: Path) -> None:
    folder = tiny.save_encoder_decoder(tmp_path / "t5", key_model_folder)
    with served(settings, tmp_path, retrieval_model=str(folder)) as client:
        index = facts.build(client)
        for mode in MODES.values():
            (answer,) = ask(client, index, n=2, explain=True, **mode)["answers"]
            for result in answer["results"]:
                total = sum(token["log_prob"] for token in result["explanation"]["tokens"])
                assert total == pytest.approx(result["renormalised"], abs=1e-9) and math.isfinite(total)


def test_a_stream_explains_too(client: TestClient) -> None:
    body = {"query": "今天", "explain": True, "stream": True}
    response = client.post(f"/v1/indexes/{facts.build(client)}/search", json=body)
    data = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    answer, done = data
    assert answer["results"] == done["answers"][0]["results"] and answer["results"][0]["explanation"]["tokens"]


def test_nothing_is_explained_where_there_is_nothing(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    client.patch(f"/v1/indexes/{index}", json={"remove": [{"subject": "今天", "predicate": "天气"}]})
    (answer,) = facts.search(client, index, query="今天", explain=True)
    assert answer["results"] == [] and answer["neighbours"] == []
