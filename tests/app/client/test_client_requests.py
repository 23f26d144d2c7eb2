"""Both clients at a real service: sentences, scores, indexes, what is told of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.client import ServiceError
from app.tasks.sampling.kernels import Annealing
from app.tasks.sampling.schemas import Sentence, SentencesAnswer, StepReport
from app.tasks.search.schemas import Answered, SearchAnswer
from app.web.codes import Code
from tests.support import facts

SHORT = {"kind": "annealing", "chains": 2, "steps": 10}


def test_sentences_and_their_stream(client: Any) -> None:
    answer = client.sentences(["今天", ["公园", "学校"]], samples=2, seed=7, sampler=SHORT, length={"max": 20})
    assert isinstance(answer, SentencesAnswer) and len(answer.sentences) == 2 and answer.seed == 7
    assert all("今天" in sentence.text for sentence in answer.sentences)
    sampler = Annealing(kind="annealing", chains=2, steps=10)
    told = list(client.stream(["今天", ["公园", "学校"]], samples=2, seed=7, sampler=sampler, length={"max": 20}))
    assert {type(each) for each in told} == {Sentence, StepReport, SentencesAnswer}
    assert [each.text for each in told[-1].sentences] == [each.text for each in answer.sentences]
    assert [each.step for each in told if isinstance(each, StepReport)][-1] == 10


def test_scores(client: Any) -> None:
    texts = ["今天我去公园散步。", "我今天散步公园去。"]
    answer = client.score(texts, context="")
    assert [score.text for score in answer.scores] == texts and answer.model.context == ""


def test_a_problem_is_an_exception_with_its_faults(client: Any) -> None:
    with pytest.raises(ServiceError, match=r"422 .*keywords\[1\]") as caught:
        client.sentences(["今天", "公园😀"])
    assert caught.value.status == 422
    (fault,) = caught.value.errors
    assert fault.field == "keywords[1]" and fault.message and fault.remedy
    with pytest.raises(ServiceError) as caught:
        list(client.stream(["今天"], samples=0))
    assert caught.value.errors[0].field == "samples" and caught.value.codes == [Code.TOO_SMALL]
    with pytest.raises(ServiceError) as caught:
        client.index("nowhere")
    assert caught.value.status == 404


def test_an_index_from_building_to_deleting(client: Any, tmp_path: Path) -> None:
    name = facts.name()
    report = client.build_index(name, facts.LINES, aliases=["dogs\tdog"])
    assert report.name == name
    built = client.wait_index(name, timeout=60)
    assert built.build.state == "ready" and built.keys == facts.KEYS + 1
    assert name in [each.name for each in client.indexes()]
    answer = client.search(name, "今天天气", n=2)
    assert isinstance(answer, SearchAnswer) and len(answer.answers[0].results) == 2
    told = list(client.stream_search(name, ["今天天气", "dog"], n=1))
    assert [type(each) for each in told] == [Answered, Answered, SearchAnswer]
    changed = client.change_index(
        name,
        add=[{"subject": "dog", "predicate": "city", "values": ["new"]}],
        remove=[{"subject": "今天", "predicate": "天气"}],
    )
    assert (changed.added, changed.removed, changed.keys) == (1, 2, facts.KEYS + 1)
    file = tmp_path / "lines.tsv"
    file.write_text("\n".join(facts.LINES[:3]), "utf-8")
    client.build_index(name, file, format="triples", strict=True)
    assert client.wait_index(name, timeout=60).keys == 2
    client.delete_index(name)
    with pytest.raises(ServiceError) as caught:
        client.search(name, "今天")
    assert caught.value.status == 404


def test_a_build_that_fails_ends_the_wait(client: Any) -> None:
    name = facts.name()
    client.build_index(name, ["今天\t天气\t晴", "no tab"], format="triples", strict=True)
    report = client.wait_index(name, timeout=60)
    assert report.build is not None and report.build.state == "failed" and report.build.failure


def test_what_is_told_of_the_service(client: Any) -> None:
    assert client.health().status == "alive"
    models = client.models()
    assert client.ready().fingerprint == models.models[0].fingerprint
    assert models.limits.max_running == 2
    (worker,) = client.workers()
    assert worker.state == "working" and worker.fingerprint == models.models[0].fingerprint
