"""The documents say what is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from pydantic import BaseModel

from app.main import create_app
from app.settings.settings import Limits, Settings
from app.tasks.completions.schemas import CompletionsRequest
from app.tasks.corrections.schemas import CorrectionsRequest
from app.tasks.infills.schemas import InfillsRequest
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.links.schemas import LinksRequest
from app.tasks.paraphrases.schemas import ParaphrasesRequest
from app.tasks.sampling.schemas import SamplingRequest
from app.tasks.score.schemas import ScoreRequest
from app.tasks.search.schemas import SearchRequest
from app.web.problems import KINDS
from tests.support.pages import CHINESE, PAGES, ROOT, blocks

ROOMS = ("app", "models", "samplers")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    text = page.read_text("utf-8")
    for block in blocks(page):
        text = text.replace(block.code, "")
    return text


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next of its level."""
    text = (ROOT / page).read_text("utf-8")
    level = heading.split()[0]
    return text.partition(f"\n{heading}\n")[2].partition(f"\n{level} ")[0]


def rows(text: str) -> dict[str, list[str]]:
    """The tables of a text: cells by the names in backticks in the first."""
    found = {}
    for line in text.splitlines():
        name, *cells = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("| ")))
        found.update(dict.fromkeys(re.findall(r"`([^`]+)`", name), cells))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Files exist, and headings in them."""
    missing = []
    for target, heading in re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", page.read_text("utf-8")):
        aim = page.parent / target if target else page
        if not aim.exists() or (heading and heading not in anchors(aim)):
            missing.append(f"{target}#{heading}")
    assert missing == []


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_folders_named_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{'|'.join(ROOMS)}|client|tests|docs|docker|benchmarks)/[\w./-]*)`", prose(page))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_routes_named_exist(page: Path, openapi: dict[str, Any]) -> None:
    paths = {re.sub(r"{\w+}", "{}", path): {each.upper() for each in on} for path, on in openapi["paths"].items()}
    named = re.findall(r"`?\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]*)", page.read_text("utf-8"))
    known = [(method, re.sub(r"{\w+}|\bdemo\b", "{}", path)) for method, path in named]
    assert [(method, path) for method, path in known if method not in paths.get(path, ())] == []


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    settings = Settings(model="none", redis_url="off", queue_url="off")  # type: ignore[arg-type]
    return create_app(settings).openapi()


def test_the_table_of_settings_is_theirs() -> None:
    table = rows((ROOT / "docs" / "settings.md").read_text("utf-8"))
    for name, field in (each for cls in (Settings, Limits) for each in cls.model_fields.items() if each[0] != "limits"):
        default, meaning = table[f"CHAINWRIGHT_{name.upper()}"]
        assert field.description is not None and meaning.startswith(field.description), name
        if field.default_factory is None:
            assert default == ("" if field.default is None else str(field.default)), name


@pytest.mark.parametrize(
    ("page", "heading", "schema"),
    [
        ("docs/api.md", "## POST /v1/sentences", SentencesRequest),
        ("docs/api.md", "## POST /v1/infills", InfillsRequest),
        ("docs/api.md", "## POST /v1/paraphrases", ParaphrasesRequest),
        ("docs/api.md", "## POST /v1/corrections", CorrectionsRequest),
        ("docs/api.md", "## POST /v1/links", LinksRequest),
        ("docs/api.md", "## POST /v1/completions", CompletionsRequest),
        ("docs/retrieval.md", "## Search", SearchRequest),
        ("docs/zh/api.md", "## POST /v1/sentences", SentencesRequest),
        ("docs/zh/api.md", "## POST /v1/infills", InfillsRequest),
        ("docs/zh/api.md", "## POST /v1/paraphrases", ParaphrasesRequest),
        ("docs/zh/api.md", "## POST /v1/corrections", CorrectionsRequest),
        ("docs/zh/api.md", "## POST /v1/score", ScoreRequest),
        ("docs/zh/retrieval.md", "## 搜索", SearchRequest),
    ],
)
def test_the_tables_of_fields_have_them_all(page: str, heading: str, schema: type[BaseModel]) -> None:
    table = re.split(r"\| (?:field|字段) \|", section(page, heading), maxsplit=1)[1].partition("\n\n")[0]
    shared = SamplingRequest.model_fields if schema in (InfillsRequest, ParaphrasesRequest) else ()
    assert set(rows(table)) == set(schema.model_fields) - set(shared)


@pytest.mark.parametrize(("page", "heading"), [("docs/api.md", "## Errors"), ("docs/zh/api.md", "## 错误")])
def test_the_list_of_statuses_is_whole(page: str, heading: str) -> None:
    """All but those that nobody is to see: a client that left, and a mistake of the service."""
    text = section(page, heading).partition("\n### ")[0]
    assert {int(each) for each in re.findall(r"(?<!\d)([45]\d\d)(?!\d)", text.rpartition("```")[2])} == KINDS.keys() - {
        499,
        500,
    }


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (("docs/settings.md", ""), ("docs/zh/settings.md", "")),
        (("docs/api.md", "### Codes"), ("docs/zh/api.md", "### 错误码")),
        (("docs/jobs.md", ""), ("docs/zh/jobs.md", "")),
        (("docs/sampling.md", "## One law, many doors"), ("docs/zh/sampling.md", "## 同一个分布，多种采样器")),
        (("docs/sampling.md", "## The context"), ("docs/zh/sampling.md", "## 上下文")),
        (("docs/models.md", "## Where models come from"), ("docs/zh/deploy.md", "## 模型来源")),
    ],
)
def test_chinese_tables_have_the_rows_of_the_english(english: tuple[str, str], chinese: tuple[str, str]) -> None:
    """And of settings the same defaults, but for those in words."""

    def table(page: str, heading: str) -> dict[str, list[str]]:
        text = section(page, heading) if heading else (ROOT / page).read_text("utf-8")
        return rows("\n".join(line for line in text.splitlines() if line.startswith("| ")))

    one, other = table(*english), table(*chinese)
    assert len(one) > 3 and one.keys() - other.keys() == set()
    plain = {name for name, cells in one.items() if name.startswith("CHAINWRIGHT_") and not re.search("[ ']", cells[0])}
    assert {name: other[name][0] for name in plain} == {name: one[name][0] for name in plain}


def test_the_chinese_table_of_tasks_has_the_same_doors() -> None:
    def doors(page: str) -> list[list[str]]:
        lines = re.findall(r"^\|.+`client\.\w+`.+$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        return [line.split("|")[2:5] for line in lines]

    assert doors("docs/zh/api.md") == doors("docs/api.md") != []


OTHER_WORDS = re.compile("提案|建议分布|字典树|马氏链|马可夫|任务队列|回火|接收率")
"""Those that the glossary has none of: it has another for each."""


def test_chinese_pages_use_the_words_of_the_glossary() -> None:
    """Whose pairs are those of the English one."""
    pairs = r"^\| (?!---|term|中文)([^|]+) \| ([^|]+) \|"
    english = re.findall(pairs, (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    chinese = re.findall(pairs, (ROOT / "docs" / "zh" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert len(chinese) > 50 and {(term, word) for word, term in chinese} <= set(english)
    assert [(page, word) for page in CHINESE for word in OTHER_WORDS.findall(page.read_text("utf-8"))] == []


def test_pages_lead_to_the_other_language() -> None:
    for page in (page for page in CHINESE if page.name != "texts.md"):
        other = ROOT / "README.md" if page.parent == ROOT else ROOT / "docs" / page.name
        assert f"[English]({os.path.relpath(other, page.parent)})" in page.read_text("utf-8")
        assert f"[中文]({os.path.relpath(page, other.parent)})" in other.read_text("utf-8")


def test_each_word_of_the_glossary_stands_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    tables = [re.findall(r"^\| (?!---|term)([^|]+) \|", part, re.MULTILINE) for part in text.split("\n## ")[1:]]
    terms = [term.lower() for table in tables for term in table]
    assert len(terms) == len(set(terms)) > 50
    assert tables == [sorted(table, key=str.lower) for table in tables]


def test_the_house_imports_one_way() -> None:
    """samplers know neither torch nor app nor models; models never app."""
    forbidden = {"samplers": r"torch|transformers|fastapi|redis|app|models", "models": r"fastapi|app"}
    offending = [
        f"{path.relative_to(ROOT)}: {line}"
        for folder, names in forbidden.items()
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.match(rf"\s*(from|import) ({names})\b", line)
    ]
    assert offending == []


def test_the_picture_shows_every_room() -> None:
    """In both schemes, which differ in colours alone."""
    light, dark = ((ROOT / "docs" / f"house-{scheme}.svg").read_text("utf-8") for scheme in ("light", "dark"))
    assert light != dark and re.sub("<style>.*</style>", "", light) == re.sub("<style>.*</style>", "", dark)
    texts = {each.text for each in ElementTree.fromstring(light).iter("{http://www.w3.org/2000/svg}text") if each.text}
    drawn = {name for text in texts for name in text.split(" \u00b7 ")}
    folders = (each for room in ROOMS for each in (ROOT / room).iterdir() if (each / "__init__.py").exists())
    assert [str(each) for each in folders if f"{each.name}/" not in drawn] == []


def test_tests_mirror_the_tree() -> None:
    """Each folder of tests that a room has stands for a folder of that room."""
    folders = (each for room in ROOMS for each in (ROOT / "tests" / room).rglob("*") if any(each.glob("*.py")))
    assert [str(each) for each in folders if not (ROOT / each.relative_to(ROOT / "tests")).is_dir()] == []


def test_every_room_says_that_it_is_typed() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for room in ROOMS:
        assert (ROOT / room / "py.typed").exists()
        assert re.search(rf'^{room} = \["py.typed"', project, re.MULTILINE), "py.typed is not in the wheel"


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.citation-file-format", "CITATION.cff"),
        ("vendor.github-workflows", ".github/workflows/*.yml"),
        ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/*.*.yml"),
    ],
)
def test_forms_are_well_formed(schema: str, pattern: str) -> None:
    files = sorted(map(str, ROOT.glob(pattern)))
    command = [sys.executable, "-m", "check_jsonschema", "--force-filetype", "yaml", "--builtin-schema", schema]
    checked = subprocess.run([*command, *files], capture_output=True, text=True)
    assert files and checked.returncode == 0, checked.stdout


def test_issue_forms_ask_the_same_in_both_languages() -> None:
    forms = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in _forms()}
    assert forms.keys() == {f"{kind}.{language}.yml" for kind in ("bug", "idea") for language in ("en", "zh")}
    for kind in ("bug", "idea"):
        zh, en = ([_shape(each) for each in forms[f"{kind}.{language}.yml"]["body"]] for language in ("zh", "en"))
        assert zh == en


def _forms() -> Iterator[Path]:
    return (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.*.yml")


def _shape(question: dict[str, Any]) -> tuple[Any, ...]:
    """A question without its words."""
    asked = question["attributes"]
    options = asked.get("options", ())
    needed = [each.get("required", False) for each in options if isinstance(each, dict)]
    return question["type"], question["id"], asked.get("render"), len(options), needed, question.get("validations")


def test_the_version_is_the_same_wherever_it_is_written(openapi: dict[str, Any]) -> None:
    version = openapi["info"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == version
    assert f":{version}\n" in (ROOT / "docs" / "deploy.md").read_text("utf-8")


def test_hooks_are_the_commands_of_make_check() -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert repo["repo"] == "local" and all(hook["language"] == "system" for hook in repo["hooks"])
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\ncheck: install\n")[2].partition("\n\n")[0]
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    assert [hook["entry"] for hook in repo["hooks"]] == commands
