"""The server of the protocol: lists the tools, checks arguments, runs calls; a fault is answered with its remedy."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from typing import Any

from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema

from app.cli.console import line_of
from app.cli.mcp.tools import TOOLS, Report, Tool
from app.web.problems import Fault, ProblemError
from app.web.validation import faults_of
from chainwright_client import AsyncClient, ClientError, ServiceError, __version__
from chainwright_client import Fault as AnsweredFault

INSTRUCTIONS = (
    "Sentences with hard guarantees, from a sampler over a small language model: use write_sentences where a text must "
    "hold given words, score_texts to choose the most natural of several wordings, correct_texts to mend errors "
    "without rephrasing, and ask_index for facts that must not be invented."
)
HINTS = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)

Context = ServerRequestContext[Any, Any]


def make_server(client: asyncio.Future[AsyncClient]) -> Server[Any]:
    """The server, which asks a service as soon as there is a client of it; a call waits for that."""

    async def list_tools(context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS.values()])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        if params.name not in TOOLS:
            message = f"there is no tool {params.name!r}; call one of {', '.join(TOOLS)}"
            raise MCPError(types.INVALID_PARAMS, message)
        return await called(TOOLS[params.name], params.arguments or {}, client, context.session.report_progress)

    return Server(
        "chainwright",
        title="chainwright",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def called(
    tool: type[Tool], arguments: dict[str, Any], client: asyncio.Future[AsyncClient], report: Report
) -> types.CallToolResult:
    """The result of a call, which for a fault has a line with its remedy, so that the caller can mend the call."""
    try:
        asked = tool.model_validate(arguments)
        # Shielded: one call that is cancelled leaves the client to the others.
        answer = await asked.call(await asyncio.shield(client), report)
    except ValidationError as error:
        return _refused(tool, faults_of(error.errors()))
    except ProblemError as error:
        return _refused(tool, error.faults)
    except ServiceError as error:
        return _refused(tool, error.errors) if error.errors else _failed(str(error))
    except ClientError as error:
        return _failed(f"{error}; see that the service runs, and call again")
    content: list[types.ContentBlock] = [types.TextContent(text=answer.text())]
    return types.CallToolResult(content=content, structured_content=answer.model_dump())


def _refused(tool: type[Tool], faults: Sequence[Fault | AnsweredFault]) -> types.CallToolResult:
    named = (fault.model_copy(update={"field": tool.renamed.get(fault.field, fault.field)}) for fault in faults)
    return _failed("\n".join(map(line_of, named)))


def _failed(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


class _Untitled(GenerateJsonSchema):
    """Schemas without the titles that repeat their fields' names: a language model reads all of it."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _described(tool: type[Tool]) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=" ".join(inspect.cleandoc(tool.__doc__ or "").split()),
        input_schema=_schema(tool),
        output_schema=_schema(tool.answer),
        annotations=HINTS,
    )


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_Untitled)
    return {name: value for name, value in schema.items() if name not in ("title", "description")}
