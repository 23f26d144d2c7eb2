"""Options of a command from the fields of a schema."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from app.cli import console
from app.web.validation import faults_of

M = TypeVar("M", bound=BaseModel)


def options_of(schema: type[BaseModel]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace a command's ``**options`` by an option for each field, with its default, its description for help."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        more = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=Annotated[field.annotation, typer.Option(help=field.description)],
            )
            for name, field in schema.model_fields.items()
        ]
        command.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
        return command

    return decorate


def chosen(schema: type[M], options: dict[str, Any]) -> M:
    """The options as the schema has them, or exit with code 2, the option named."""
    try:
        return schema.model_validate(options)
    except ValidationError as error:
        console.fail([fault.model_copy(update={"field": flag(fault.field)}) for fault in faults_of(error.errors())])


def flag(name: str) -> str:
    """The option of a field."""
    return f"--{name.replace('_', '-')}"
