"""GET /v1/indexes/{name}/trie against all keys of an index."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.indexes.opened import retrieval_of
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts

LETTERS = "今天公园城市学校朋友老师"


def walk(client: TestClient, index: str, **params: Any) -> dict[str, Any]:
    response = client.get(f"/v1/indexes/{index}/trie", params=params)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def written(tokens: list[int] | tuple[int, ...]) -> str:
    return ",".join(map(str, tokens))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("triples", [True, False], ids=["triples", "pairs"])
def test_branches_are_those_of_all_keys(client: TestClient, seed: int, triples: bool) -> None:
    random = Random(seed)
    codec = retrieval_of(client.app.state.loading.engine).library.tokenizer.codec  # type: ignore[attr-defined]

    def word() -> str:
        return "".join(random.choices(LETTERS[: random.choice([2, 12])], k=random.randint(1, 3)))

    def entry() -> dict[str, Any]:
        if not triples:
            return {"key": word(), "values": ["晴"]}
        return {"subject": word(), "predicate": random.choice(["天气", "时间", "今天"]), "values": ["晴"]}

    def key(one: dict[str, Any]) -> tuple[int, ...]:
        return codec.key([one["subject"], one["predicate"], ""] if triples else [one["key"]])

    built = [entry() for _ in range(60)]
    index = facts.build(client, ["\t".join([*one.values()][:-1] + one["values"]) for one in built])
    add = [{**entry(), "values": ["热"]} for _ in range(8)] + [{**built[0], "values": ["雨"]}]
    remove = [{name: one[name] for name in one if name != "values"} for one in built[5:25]]
    assert client.patch(f"/v1/indexes/{index}", json={"add": add, "remove": remove}).status_code == 200
    values: dict[tuple[int, ...], list[str]] = {key(one): ["晴"] for one in built}
    for one in remove:
        values.pop(key(one), None)
    for one in add:
        values.setdefault(key(one), []).extend(each for each in one["values"] if each not in values[key(one)])
    for prefix in {each[:at] for each in values for at in range(len(each) + 1)}:
        answer = walk(client, index, tokens=written(prefix), limit=200)
        below = [each for each in values if each[: len(prefix)] == prefix]
        counts: dict[int, int] = {}
        for each in below:
            if each != prefix:
                counts[each[len(prefix)]] = counts.get(each[len(prefix)], 0) + 1
        assert answer["keys"] == len(below) and answer["complete"] == (prefix in values)
        assert answer["values"] == values.get(prefix, []) and answer["total"] == len(counts)
        assert {branch["id"]: branch["keys"] for branch in answer["branches"]} == counts
        order = [(-branch["keys"], branch["text"], branch["id"]) for branch in answer["branches"]]
        assert order == sorted(order)
        assert [token["id"] for token in answer["tokens"]] == list(prefix)
        assert answer["text"] == " ".join(filter(None, codec.parts(prefix)))
    assert walk(client, index)["index"] == index


def test_pages_make_up_the_whole(client: TestClient) -> None:
    random = Random(0)
    lines = [f"{a}{b}\t天气\t晴" for a in LETTERS for b in random.sample(LETTERS, random.randint(1, 3))]
    index = facts.build(client, lines)
    whole = walk(client, index)
    assert whole["total"] == len(LETTERS) == len(whole["branches"])
    for limit in (1, 3, 5, 200):
        pages = [walk(client, index, limit=limit, offset=offset) for offset in range(0, len(LETTERS) + limit, limit)]
        assert [branch for page in pages for branch in page["branches"]] == whole["branches"]
        assert {page["total"] for page in pages} == {whole["total"]}
    assert walk(client, index, offset=10**30)["branches"] == []


def test_an_index_without_keys_has_no_branches(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    client.patch(f"/v1/indexes/{index}", json={"remove": [{"subject": "今天", "predicate": "天气"}]})
    answer = walk(client, index)
    assert (answer["keys"], answer["total"], answer["complete"], answer["branches"]) == (0, 0, False, [])


def test_texts_of_tokens_are_never_empty(client: TestClient) -> None:
    library = retrieval_of(client.app.state.loading.engine).library  # type: ignore[attr-defined]
    tokenizer = library.tokenizer
    pieces = tokenizer.pieces(list(range(tokenizer.backend.get_vocab_size())))
    assert all(pieces) and not any("\ufffd" in piece for piece in pieces)
    assert pieces[tokenizer.codec.separator] == "\n" and pieces[tokenizer.codec.end] == "<eos>"


@pytest.mark.parametrize("tokens", ["0", "9999999999", "1,1,1", "4294967296"])
def test_a_prefix_of_no_key(client: TestClient, tokens: str) -> None:
    problem = assert_problem(client.get(f"/v1/indexes/{facts.build(client)}/trie?tokens={tokens}"), 404)
    (fault,) = problem["errors"]
    assert (fault["field"], fault["code"]) == ("tokens", "not-found") and "id of a branch" in fault["remedy"]


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("tokens=a", "tokens", "malformed"),
        ("tokens=-1", "tokens", "malformed"),
        ("tokens=1,,2", "tokens", "malformed"),
        ("tokens=1,", "tokens", "malformed"),
        ("tokens=1%202", "tokens", "malformed"),
        ("tokens=10000000000", "tokens", "malformed"),
        ("tokens=%D9%A1", "tokens", "malformed"),
        ("limit=0", "limit", "too-small"),
        ("limit=201", "limit", "too-large"),
        ("limit=x", "limit", "wrong-type"),
        ("offset=-1", "offset", "too-small"),
    ],
)
def test_bad_queries(client: TestClient, query: str, field: str, code: str) -> None:
    problem = assert_problem(client.get(f"/v1/indexes/demo/trie?{query}"), 422)
    (fault,) = problem["errors"]
    assert (fault["field"], fault["code"]) == (field, code) and "see /docs" not in fault["remedy"]


def test_an_unknown_index(client: TestClient) -> None:
    problem = assert_problem(client.get("/v1/indexes/nothing/trie"), 404)
    assert problem["errors"][0]["field"] == "name"
