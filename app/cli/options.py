"""Options of a command, from the fields of a schema."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache, reduce
from itertools import chain
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError

from app.cli import console
from app.web.problems import Fault
from app.web.schemas import word
from app.web.validation import faults_of

M = TypeVar("M", bound=BaseModel)


class Leaf(NamedTuple):
    """A field that is no schema itself.

    Attributes:
        kind: type of an option for it; of a list that of its entries.
        help: its description.
        default: None if it has none, or several.
        is_list: whether it is a list.
        words: whether the entries of the list are words, names, choices or numbers, rather than texts.
    """

    kind: Any
    help: str
    default: Any
    is_list: bool
    words: bool

    @property
    def option(self) -> Any:
        """Type of an option."""
        return list[self.kind] if self.is_list else self.kind  # type: ignore[name-defined]


class Options:
    """The options that fill in a schema: one for each field, those of nested schemas included.

    An option is named by the shortest end of its field's dotted path that no other field shares, and has the field's
    description for its help. Options that are not given are left out, so that the schema's defaults hold.

    Args:
        schema: of the request.
        argument: the field that the command takes as its arguments; none if empty.
        names: options by dotted field that are named otherwise, or that there are not (None); a name without a dash is
            of an argument, which goes before the others.
    """

    def __init__(
        self, schema: type[BaseModel], argument: str = "", names: Mapping[str, str | None] | None = None
    ) -> None:
        names = names or {}
        self._argument = argument
        self._before = {path for path, name in names.items() if name and not name.startswith("-")}
        self._fields = {path: leaf for path, leaf in leaves_of(schema).items() if names.get(path, "") is not None}
        ends = Counter(end for path in self._fields for end in _ends(path))
        self.flags = {
            path: names.get(path) or next(flag_of(end) for end in _ends(path) if ends[end] == 1)
            for path in self._fields
            if path != argument and path not in self._before
        }

    def parameters(self) -> list[inspect.Parameter]:
        """The parameters of a command, the arguments first."""
        paths = sorted(self._fields, key=lambda path: (path not in self._before, path != self._argument))
        return [self._parameter(path) for path in paths]

    def _parameter(self, path: str) -> inspect.Parameter:
        leaf = self._fields[path]
        text, default = leaf.help, leaf.default
        keyword = inspect.Parameter.KEYWORD_ONLY
        if path == self._argument or path in self._before:
            argument: Any = Annotated[leaf.option, typer.Argument(help=text, show_default=False)]
            return inspect.Parameter(_variable(path), keyword, annotation=argument)
        flag = self.flags[path]
        if leaf.option is bool:
            flag = f"{flag}/--no-{flag.removeprefix('--')}"
        shown = str(default) if isinstance(default, str | int | float) and default is not False else False
        declared: Any = Annotated[leaf.option | None, typer.Option(flag, help=text, show_default=shown)]
        return inspect.Parameter(_variable(path), keyword, default=None, annotation=declared)

    def read(self, schema: type[M], given: dict[str, Any], finish: Callable[[dict[str, Any]], Any] = dict) -> M:
        """The request, or exit with code 2, the option named.

        Args:
            schema: of the request.
            given: values by the parameters' names; None for those not given.
            finish: puts the body in its last form.
        """
        body: dict[str, Any] = {}
        for path in self._fields:
            value = given.get(_variable(path))
            if value is not None and not (value == [] and path != self._argument):
                *parents, name = path.split(".")
                reduce(lambda inner, parent: inner.setdefault(parent, {}), parents, body)[name] = value
        try:
            return schema.model_validate(finish(body))
        except ValidationError as error:
            console.fail(self.named(faults_of(error.errors())))

    def named(self, faults: list[Fault]) -> list[Fault]:
        """Faults whose fields are the options that set them."""
        return [fault.model_copy(update={"field": self.flags.get(fault.field, fault.field)}) for fault in faults]


def with_parameters(command: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    """A command with parameters in the place of its ``**given``, those without a default first."""
    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    every = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *parameters)]
    every.sort(key=lambda each: each.default is not inspect.Parameter.empty)
    command.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
    return command


def flag_of(field: str) -> str:
    """The option that a field has by its name."""
    return f"--{field.replace('.', '-').replace('_', '-')}"


@cache
def leaves_of(schema: type[BaseModel]) -> Mapping[str, Leaf]:
    """Fields that are no schemas themselves, by dotted path; of a union's members each field once."""
    return dict(_leaves(schema))


def _leaves(schema: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Leaf]]:
    for name, field in schema.model_fields.items():
        path = f"{prefix}{name}"
        members = list(_members(field.annotation))
        schemas = [member for member in members if inspect.isclass(member) and issubclass(member, BaseModel)]
        if schemas:
            found: dict[str, Leaf] = {}
            for each in schemas:
                for inner, leaf in _leaves(each, f"{path}."):
                    before = found.setdefault(inner, leaf)
                    if before.default != leaf.default:
                        found[inner] = before._replace(default=None)  # which default holds depends on the schema
            if len(schemas) > 1 and f"{path}.kind" in found:
                kinds = chain.from_iterable(get_args(each.model_fields["kind"].annotation) for each in schemas)
                told = f"{', '.join(kinds)}; {field.description or ''}".rstrip("; ")
                found[f"{path}.kind"] = Leaf(str, told, None, is_list=False, words=False)
            yield from found.items()
        else:
            default = None if field.is_required() else field.get_default(call_default_factory=False)
            is_list, kind = get_origin(members[-1]) is list, _typed(members[-1])
            yield path, Leaf(kind, field.description or "", default, is_list, is_list and _is_word(members[-1]))


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union, annotations taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _members(each)
    elif annotation is not NoneType:
        yield annotation


def _typed(kind: Any) -> Any:
    """The type of an option, or of the entries of a list; a string for what has no shorter form."""
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        typed = _typed(next(_members(item)))
        # Lists of choices are more than typer reads; the schema names what is none of them.
        return str if get_origin(typed) is Literal else typed
    return kind if kind in (bool, int, float) or get_origin(kind) is Literal else str


def _is_word(annotation: Any) -> bool:
    """Whether an annotation is of words, names, choices or numbers."""
    if get_origin(annotation) is Annotated:
        annotation, *marks = get_args(annotation)
        if any(getattr(mark, "func", None) is word for mark in marks):
            return True
    return annotation in (int, float) or get_origin(annotation) is Literal or any(map(_is_word, get_args(annotation)))


def _ends(path: str) -> list[str]:
    """Ends of a dotted path, the shortest first."""
    parts = path.split(".")
    return [".".join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]


def _variable(path: str) -> str:
    return path.replace(".", "__")
