"""Neo4j's CSV: the headers of neo4j-admin and of apoc.export.csv, names of nodes, and records that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.retrieval.index.labels import with_labels
from models.retrieval.index.neo4j import Neo4jCsv
from models.retrieval.index.report import Report

MOVIES = (
    "movieId:ID(Movie),title,year:int,genres:string[],seen:IGNORE,:LABEL\n"
    'm1,"Matrix, The",1999,Action;Science fiction,yes,Movie;Classic\nm2,地下,,,,Movie\n'
)
ACTORS = ":ID(Actor)\tname\t:LABEL\nm1\tKeanu Reeves\tActor\n"
ROLES = ":START_ID(Actor),role,:END_ID(Movie),:TYPE\nm1,Neo,m1,ACTED_IN\n\nm9,X,m1,ACTED_IN\n"

FACTS = [
    ("Matrix, The", "movieId", "m1"),
    ("Matrix, The", "year", "1999"),
    ("Matrix, The", "genres", "Action"),
    ("Matrix, The", "genres", "Science fiction"),
    ("Matrix, The", "label", "Movie"),
    ("Matrix, The", "label", "Classic"),
    ("地下", "movieId", "m2"),
    ("地下", "label", "Movie"),
    ("Keanu Reeves", "label", "Actor"),
    ("Keanu Reeves", "acted in", "Matrix, The"),
]


def read(folder: Path, *texts: str) -> tuple[list[tuple[str, ...]], Report]:
    paths = [folder / f"{number}.csv" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    report = Report()
    return [
        tuple(cell.decode() for cell in cells)
        for source in with_labels(map(Neo4jCsv, paths))
        for batch in source.batches(2, report)
        for cells in zip(*batch.columns, strict=True)
    ], report


def test_files_of_neo4j_admin_in_any_order(tmp_path: Path) -> None:
    found, report = read(tmp_path, ROLES, MOVIES, ACTORS)
    assert sorted(found) == sorted(FACTS)
    assert report.examples == [("0.csv", 4, "there is no node 'm9'")] and report.blank == 1


def test_files_joined_end_to_end(tmp_path: Path) -> None:
    found, report = read(tmp_path, MOVIES + ACTORS.replace("\t", ",") + ROLES)
    assert found == FACTS and report.malformed == 1


def test_an_export_of_apoc(tmp_path: Path) -> None:
    text = (
        '"_id","_labels","born","name","title","_start","_end","_type","roles"\n'
        '"188",":Movie:Classic","","","The Matrix",,,,\n"189",":Person","1964","Keanu Reeves","",,,,\n'
        '"190","","","","",,,,\n,,,,,"189","188","ACTED_IN","[""Neo""]"\n,,,,,"189",,"ACTED_IN",\n,,,,,,,,"x"\n"191"\n'
    )
    found, report = read(tmp_path, text)
    assert found == [
        ("The Matrix", "label", "Movie"),
        ("The Matrix", "label", "Classic"),
        ("Keanu Reeves", "label", "Person"),
        ("Keanu Reeves", "born", "1964"),
        ("Keanu Reeves", "acted in", "The Matrix"),
    ]
    assert (report.lines, report.unused, report.malformed) == (8, 1, 3)
    assert [line for _, line, _ in report.examples] == [6, 7, 8]


def test_lists_of_apoc_and_nodes_of_one_name(tmp_path: Path) -> None:
    text = '_id,_labels,name,tags\n1,:A,水星,"[""x"",""y"",3]"\n2,:B,水星,[not a list\n'
    found, _ = read(tmp_path, text)
    assert found == [
        ("水星（1）", "label", "A"),
        *(("水星（1）", "tags", tag) for tag in ("x", "y", "3")),
        ("水星（2）", "label", "B"),
        ("水星（2）", "tags", "[not a list"),
    ]


@pytest.mark.parametrize("text", ["a,b,c\n", ":START_ID,:TYPE\n1,KNOWS\n"])
def test_records_without_a_header(tmp_path: Path, text: str) -> None:
    found, report = read(tmp_path, text)
    assert not found and report.malformed == report.lines
    assert "there is no header above" in report.examples[0][2]
