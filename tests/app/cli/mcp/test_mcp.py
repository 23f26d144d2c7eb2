"""`chainwright mcp` by the protocol's own client: against a service and with one inside, over both transports."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, MCPError, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from typer.testing import CliRunner

from app.cli.main import cli
from app.cli.mcp.command import serve_tools
from app.cli.mcp.server import called
from app.cli.mcp.tools import ScoreTexts
from app.cli.service import service
from app.main import create_app
from app.settings.settings import Settings
from chainwright_client import AsyncClient
from chainwright_client import Client as ServiceClient
from tests.support import facts
from tests.support.live import serving
from tests.support.processes import free_port

PAGE = Path(__file__).parents[4] / "docs" / "mcp.md"
LOCAL = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[str]:
    """URL of a service with an index of one key, of which any model is sure, and one of more."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        more = {"state_dir": Path(folder), "worker": "off"}
        with serving(create_app(settings.model_copy(update=more))) as url, ServiceClient(url) as client:
            for name, lines in {"one": facts.LINES[:2], "own": facts.LINES}.items():
                client.build_index(name, lines)
                report = client.wait_index(name, timeout=300)
                assert report.build is not None and report.build.state == "ready"
            yield url


@asynccontextmanager
async def by_streams(command: Path, *arguments: str, **variables: str) -> AsyncIterator[Client]:
    """A client of the command's standard streams."""
    values = {f"CHAINWRIGHT_{name.upper()}": value for name, value in variables.items()}
    parameters = StdioServerParameters(command=str(command), args=["mcp", *arguments], env=LOCAL | values)
    with open(os.devnull, "w") as log:
        async with Client(stdio_client(parameters, errlog=log)) as client:
            yield client


def of(result: types.CallToolResult) -> tuple[bool, str]:
    """Whether a call failed, and the text that came of it."""
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return result.is_error, content.text


async def listed(client: Client) -> dict[str, types.Tool]:
    return {tool.name: tool for tool in (await client.list_tools()).tools}


def test_an_assistant_lists_and_calls_the_four_tools(chainwright: Path, live: str) -> None:
    said: list[tuple[float, float | None, str | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        said.append((done, total, message))

    async def work() -> None:
        async with by_streams(chainwright, "--url", live) as client:
            tools = await listed(client)
            assert tools.keys() == {"write_sentences", "score_texts", "correct_texts", "ask_index"}
            for tool in tools.values():
                assert tool.description and tool.output_schema and tool.input_schema["additionalProperties"] is False
                assert all("title" not in each for each in tool.input_schema["properties"].values())

            words = ["今天", ["散步", "公园"]]
            asked = {"keywords": words, "samples": 2, "max_length": 12, "forbidden": ["明天"], "seed": 7}
            written = await client.call_tool("write_sentences", asked, progress_callback=progress)
            failed, text = of(written)
            assert not failed, text
            found = written.structured_content
            assert found["seed"] == 7 and 1 <= len(found["sentences"]) <= 2
            for number, sentence in enumerate(found["sentences"], 1):
                assert "今天" in sentence["text"] and ("散步" in sentence["text"] or "公园" in sentence["text"])
                assert len(sentence["text"]) <= 12 and "明天" not in sentence["text"]
                assert f"{number}. {sentence['text']}" in text
            assert said and said[-1][0] == said[-1][1] and "今天" in (said[-1][2] or "")

            scored = await client.call_tool("score_texts", {"texts": ["今天我去公园。", "我今天公园去。"]})
            for each in scored.structured_content["scores"]:
                worst = [token["log_prob"] for token in each["least_likely"]]
                assert worst == sorted(worst) and len(worst) == 3 and worst[0] <= each["log_prob_per_token"] < 0
                assert each["text"] in of(scored)[1]

            given = "我们今天去公园散步。"
            corrected = await client.call_tool("correct_texts", {"texts": [given], "protect": ["散步"]})
            (mended,) = corrected.structured_content["corrections"]
            assert mended["source"] == given and "散步" in mended["target"] and mended["target"] in of(corrected)[1]

            answered = await client.call_tool("ask_index", {"question": "今天天气", "index": "one"})
            (fact,) = answered.structured_content["found"]
            assert fact["key"] == "今天 天气" and fact["values"] == ["晴", "热"]
            assert of(answered)[1].startswith("今天 天气: 晴, 热 (")
            unsure = await client.call_tool("ask_index", {"question": "今天天气", "index": "own", "most": 2})
            assert unsure.structured_content["found"] == [] and of(unsure) == (
                False,
                "The index has no answer to this.",
            )

    asyncio.run(work())


def test_what_is_wrong_comes_with_its_remedy(chainwright: Path, live: str) -> None:
    async def work() -> None:
        async with by_streams(chainwright, "--url", live) as client:

            async def refused(tool: str, **arguments: Any) -> str:
                failed, text = of(await client.call_tool(tool, arguments))
                assert failed, text
                return text

            assert await refused("write_sentences") == "keywords: field required; add this field. [missing]"
            nothing = "keywords: there are no keywords; give at least one. [missing]"
            assert await refused("write_sentences", keywords=[]) == nothing
            assert "[unknown-field]" in await refused("score_texts", texts=["今天。"], model="other")
            assert "[wrong-type]" in await refused("score_texts", texts=7)
            both = await refused("write_sentences", keywords=["今天", "公园"], forbidden=["公园"])
            assert f"\n{both}\n" in PAGE.read_text("utf-8")
            assert (await refused("write_sentences", keywords=["今天"], max_length=1)).startswith("max_length: ")
            assert "protect[0]: " in await refused("correct_texts", texts=["今天。"], protect=["公园"])
            unknown = await refused("ask_index", question="今天？", index="none")
            assert unknown.startswith("index: ") and unknown.endswith("ask one of these: demo, one, own. [not-found]")
            assert (await refused("ask_index", question="今天？", index="own", most=10**6)).startswith("most: ")
            with pytest.raises(MCPError, match="there is no tool 'sing'; call one of write_sentences, "):
                await client.call_tool("sing", {})

    asyncio.run(work())


def test_with_a_service_inside_calls_wait_for_its_model(chainwright: Path, settings: Settings, tmp_path: Path) -> None:
    names = ("model", "device", "precision", "cache_dir")
    values = {name: str(getattr(settings, name)) for name in names}
    values |= {"state_dir": str(tmp_path), "redis_url": "off", "offline": "true", "torch_threads": "1"}

    async def work() -> None:
        async with by_streams(chainwright, **values) as client:
            failed, text = of(await client.call_tool("score_texts", {"texts": ["今天我去公园。"]}))
            assert not failed and "今天我去公园。" in text
        async with by_streams(chainwright, **values | {"model": str(tmp_path / "none")}) as client:
            failed, text = of(await client.call_tool("score_texts", {"texts": ["今天我去公园。"]}))
            assert failed and text.endswith("[unusable-model]")

    asyncio.run(work())


def test_over_http_for_this_machine_alone(live: str, settings: Settings) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"

    async def work() -> None:
        serving = asyncio.create_task(serve_tools(service(live, None, settings), port))
        async with httpx.AsyncClient(trust_env=False, timeout=300) as plain:
            while True:
                with suppress(httpx.ConnectError):
                    foreign = await plain.post(url, json={}, headers={"Origin": "https://elsewhere.example"})
                    break
                assert not serving.done()
                await asyncio.sleep(0.05)
            assert foreign.status_code == 403
        async with Client(streamable_http_client(url)) as client:
            assert len(await listed(client)) == 4
            failed, text = of(await client.call_tool("score_texts", {"texts": ["今天我去公园。"]}))
            assert not failed and "今天我去公园。" in text
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    asyncio.run(work())


def test_a_service_that_is_away_is_named() -> None:
    async def work() -> types.CallToolResult:
        client = asyncio.get_running_loop().create_future()
        async with AsyncClient(f"http://127.0.0.1:{free_port()}", retries=0) as away:
            client.set_result(away)
            return await called(ScoreTexts, {"texts": ["今天。"]}, client, lambda *_: asyncio.sleep(0))

    failed, text = of(asyncio.run(work()))
    assert failed and "127.0.0.1" in text and text.endswith("see that the service runs, and call again")


def test_the_command_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch, live: str) -> None:
    def refused(*arguments: str) -> str:
        done = CliRunner().invoke(cli, ["mcp", *arguments])
        assert done.exit_code == 2
        return done.stderr

    taken = refused("--url", live, "--http", live.rpartition(":")[2])
    assert "is taken" in taken and "choose another port with --http. [unavailable]" in taken
    assert refused("--url", "ftp://here").startswith("Error: --url: 'ftp://here' is no http:// or https:// URL; ")
    assert "65535" in refused("--http", "70000")
    monkeypatch.setitem(sys.modules, "mcp", None)
    missing = "Error: the package mcp is not installed; pip install 'chainwright[mcp]'. [unavailable]\n"
    assert refused("--url", live) == missing
