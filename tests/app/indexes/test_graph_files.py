"""Graphs that people have, N-Triples and Neo4j's CSV: over HTTP and by commands, and asked."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.app.indexes.test_index_files import call, one_line, state
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts

__all__ = ["state"]

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
GRAPH = f"""# made for this
<http://e.org/Q1> {LABEL} "今天"@zh .
<http://e.org/Q1> {LABEL} "dog"@en .
<http://e.org/weather> {LABEL} "天气"@zh .
<http://e.org/Q1> <http://e.org/weather> "晴" .
<http://e.org/Q1> <http://e.org/%E6%97%B6%E9%97%B4> <http://e.org/%E6%97%A9%E4%B8%8A> .
<http://e.org/Q1> <http://e.org/weather> 热 .
"""
KEYS = {"今天 label": ["dog"], "今天 天气": ["晴"], "今天 时间": ["早上"]}
NODES = "_id,_labels,name,food,_start,_end,_type\n1,:A,今天,,,,\n2,:A,dog,water,,,\n,,,,1,2,LIKES_DOG\n"
LINKS = {"今天 label": ["A"], "dog label": ["A"], "dog food": ["water"], "今天 likes dog": ["dog"]}


@pytest.mark.parametrize("query", ["", "?format=ntriples"])
@pytest.mark.parametrize("packed", [False, True])
def test_n_triples_are_built_and_asked(client: TestClient, query: str, packed: bool) -> None:
    index, content = facts.name(), GRAPH.encode()
    sent = gzip.compress(content) if packed else content
    assert client.put(f"/v1/indexes/{index}{query}", content=sent).status_code == 202
    report = facts.wait(client, index)
    assert report["build"]["state"] == "ready", report
    counts = {name: report["report"][name] for name in ("lines", "blank", "unused", "malformed")}
    assert counts == {"lines": 7, "blank": 1, "unused": 2, "malformed": 1}
    (example,) = report["report"]["examples"]
    assert example["line"] == 7 and "not N-Triples" in example["fault"]
    assert facts.all_keys(client, index) == KEYS


def test_names_in_a_language_and_both_ends(client: TestClient) -> None:
    index = facts.name()
    client.put(f"/v1/indexes/{index}?language=en&both_ends=true", content=GRAPH.encode())
    assert facts.wait(client, index)["build"]["state"] == "ready"
    found = facts.all_keys(client, index)
    assert found["dog 天气"] == ["晴"] and found["晴 ^天气"] == ["dog"]
    index = facts.build(client, GRAPH.splitlines(), language="en")
    assert set(facts.all_keys(client, index)) == {"dog label", "dog 天气", "dog 时间"}
    assert_problem(client.put(f"/v1/indexes/{index}?language=e_n", content=GRAPH.encode()), 422)


def test_an_export_of_neo4j(client: TestClient) -> None:
    for query in ("", "?format=neo4j"):
        index = facts.name()
        client.put(f"/v1/indexes/{index}{query}", content=NODES.encode())
        assert facts.wait(client, index)["build"]["state"] == "ready"
        assert facts.all_keys(client, index) == LINKS


def test_commands_build_graphs_of_several_files(state: Path, tmp_path: Path) -> None:
    links, nodes, labels, graph = (tmp_path / name for name in ("links.csv", "nodes.csv", "labels.nt.gz", "graph.nt"))
    links.write_text(":START_ID,:END_ID,:TYPE\na,b,friend\n", "utf-8")
    nodes.write_text("id:ID,name\na,今天\nb,公园\n", "utf-8")
    built = call("index", "build", "town", str(links), str(nodes), "--json")
    assert '"keys": 3' in built.stdout and '"malformed": 0' in built.stdout
    labels.write_bytes(gzip.compress(f'<http://e.org/1> {LABEL} "今天" .\n'.encode()))
    graph.write_text("<http://e.org/1> <http://e.org/friend> <http://e.org/1> .\n", "utf-8")
    call("index", "build", "town", str(graph), str(labels))
    walked = call("index", "walk", "town")
    assert "'今天'" in walked.stdout
    graph.write_text("no statement\n", "utf-8")
    assert "graph.nt, line 1: not N-Triples" in one_line(call("index", "build", "town", str(graph), code=2))
    assert (
        "--both-ends" not in call("index", "build", "town", str(labels), str(links), str(nodes), "--both-ends").stderr
    )
