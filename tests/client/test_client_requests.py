"""Both clients at a real service: sentences, scores, indexes, what is told of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.tasks.sampling.kernels import Annealing
from app.tasks.sampling.schemas import SentencesAnswer
from app.tasks.search.schemas import SearchAnswer
from app.web.codes import Code
from chainwright_client import Answer, Client, ServiceError
from tests.support import facts

SHORT = {"kind": "annealing", "chains": 2, "steps": 10}


def test_sentences_and_their_stream(client: Any) -> None:
    request = {"keywords": ["今天", ["公园", "学校"]], "samples": 2, "seed": 7, "length": {"max": 20}}
    answer = client.sentences(**request, sampler=SHORT)
    assert type(answer) is Answer and len(answer.sentences) == 2 and answer.seed == 7
    assert all("今天" in sentence.text for sentence in answer.sentences)
    assert SentencesAnswer.model_validate(answer.model_dump()).model_dump() == answer.model_dump()
    sampler = Annealing(kind="annealing", chains=2, steps=10)
    events = list(client.sentences.stream(**request, sampler=sampler))
    assert {event.name for event in events} == {"sentence", "step", "done"} and events[-1].name == "done"
    assert [each.text for each in events[-1].data.sentences] == [each.text for each in answer.sentences]
    assert [event.data.step for event in events if event.name == "step"][-1] == 10


def test_every_task_of_the_service_is_a_method(client: Any) -> None:
    names = [task.name for task in client.tasks()]
    assert {"score", "search", "sentences"} <= set(names)
    assert [name for name in names if hasattr(Client, name)] == [], "a method of the client has the task's name"


def test_scores(client: Any) -> None:
    texts = ["今天我去公园散步。", "我今天散步公园去。"]
    answer = client.score(texts=texts, context="")
    assert [score.text for score in answer.scores] == texts and answer.model.context == ""


def test_a_problem_is_an_exception_with_its_faults(client: Any) -> None:
    with pytest.raises(ServiceError, match=r"422 .*keywords\[1\]") as caught:
        client.sentences(keywords=["今天", "公园😀"])
    assert caught.value.status == 422
    (fault,) = caught.value.errors
    assert fault.field == "keywords[1]" and fault.message and fault.remedy
    with pytest.raises(ServiceError) as caught:
        list(client.sentences.stream(keywords=["今天"], samples=0))
    assert caught.value.errors[0].field == "samples" and caught.value.codes == [Code.TOO_SMALL]
    with pytest.raises(ServiceError) as caught:
        client.index("nowhere")
    assert caught.value.status == 404


def test_an_index_from_building_to_deleting(client: Any, tmp_path: Path) -> None:
    name = facts.name()
    report = client.build_index(name, facts.LINES, aliases=["dogs\tdog"])
    assert report.name == name
    built = client.wait_index(name, timeout=300)
    assert built.build.state == "ready" and built.keys == facts.KEYS + 1
    assert name in [each.name for each in client.indexes()]
    (first, *_) = client.walk_index(name, limit=1).branches
    walked = client.walk_index(name, [first.id])
    assert (walked.keys, walked.tokens[0].text) == (first.keys, first.text)
    answer = client.search(index=name, query="今天天气", n=2)
    assert SearchAnswer.model_validate(answer.model_dump()) and len(answer.answers[0].results) == 2
    events = list(client.search.stream(name=name, queries=["今天天气", "dog"], n=1))
    assert [event.name for event in events] == ["answer", "answer", "done"]
    assert [event.data.results for event in events[:2]] == [each.results for each in events[2].data.answers]
    changed = client.change_index(
        name,
        add=[{"subject": "dog", "predicate": "city", "values": ["new"]}],
        remove=[{"subject": "今天", "predicate": "天气"}],
    )
    assert (changed.added, changed.removed, changed.keys) == (1, 2, facts.KEYS + 1)
    file = tmp_path / "lines.tsv"
    file.write_text("\n".join(facts.LINES[:3]), "utf-8")
    client.build_index(name, file, format="triples", strict=True)
    assert client.wait_index(name, timeout=300).keys == 2
    client.delete_index(name)
    with pytest.raises(ServiceError) as caught:
        client.search(index=name, query="今天")
    assert caught.value.status == 404


def test_a_build_that_fails_ends_the_wait(client: Any) -> None:
    name = facts.name()
    client.build_index(name, ["今天\t天气\t晴", "no tab"], format="triples", strict=True)
    report = client.wait_index(name, timeout=300)
    assert report.build is not None and report.build.state == "failed" and report.build.failure


def test_reports_of_the_service(client: Any) -> None:
    assert client.health().status == "alive"
    models = client.models()
    assert client.ready().fingerprint == models.models[0].fingerprint
    assert models.limits.max_running == 2
    (worker,) = client.workers()
    assert worker.state == "working" and worker.fingerprint == models.models[0].fingerprint
