"""Ground of request schemas: strictness, texts in normal form, unions by kind."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from app.web.codes import Code
from app.web.problems import UnfitError
from models.text.normalisation import normalise, normalise_name


class Strict(BaseModel):
    """A part of a request: unknown fields and quoted numbers are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def union_tags() -> frozenset[str]:
    """Names that pydantic puts into an error's path for the branch of a union; no field has such a name, unless at the
    top or right below a branch: ``text`` in ``{"kind": "text", "text": ...}``."""
    return frozenset().union(*map(_tags_of, _subclasses(Strict)))


def _subclasses(schema: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in schema.__subclasses__():
        yield each
        yield from _subclasses(each)


@cache
def _tags_of(schema: type[BaseModel]) -> frozenset[str]:
    """Tags in the schema that pydantic compiled a model to."""
    tags, left = set[str](), [schema.__pydantic_core_schema__]
    while left:
        part: Any = left.pop()
        if isinstance(part, dict):
            if part.get("type") == "tagged-union":
                tags |= part["choices"].keys()
            left.extend(part.values())
        elif isinstance(part, list | tuple):
            left.extend(part)
    return frozenset(tags)


def normalised(text: str) -> str:
    """The normal form of a text; see :func:`models.text.normalisation.normalise`.

    Raises:
        UnfitError: a control character other than tab and line ends, or half a surrogate pair.
    """
    for at, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            code = Code.NOT_UNICODE if unicodedata.category(character) == "Cs" else Code.CONTROL_CHARACTER
            raise UnfitError(code, f"character {at} is the control character U+{ord(character):04X}", "remove it")
    return normalise(text)


Text = Annotated[str, AfterValidator(normalised)]


def _not_blank(text: str) -> str:
    if not normalised(text).strip():
        raise UnfitError(Code.BLANK, "it is blank", "give a text, or leave the entry out")
    return text


GivenText = Annotated[str, AfterValidator(_not_blank)]
"""A text that is not blank, as it is given."""


def _not_empty(entries: list[Any], info: ValidationInfo) -> list[Any]:
    if not entries:
        raise UnfitError(Code.MISSING, f"there are no {info.field_name}", "give at least one")
    return entries


AT_LEAST_ONE = AfterValidator(_not_empty)
"""Annotation of a list that has an entry."""


def word(text: str) -> str:
    """A word or a name in its normal form; see :func:`models.text.normalisation.normalise_name`.

    Raises:
        UnfitError: it is blank or has a control character.
    """
    text = normalise_name(normalised(text))
    if not text:
        raise UnfitError(Code.BLANK, "it is blank", "give a word, or leave the entry out")
    return text


Word = Annotated[str, AfterValidator(word)]


def by_kind(default: str) -> tuple[Any, ...]:
    """Annotations of a union whose members are told apart by `kind`, which may be left out for one of them."""

    def filled(value: Any) -> Any:
        return {"kind": default, **value} if isinstance(value, dict) else value

    def without_discriminator(schema: dict[str, Any]) -> None:
        # OpenAPI's names a field that every member requires; that one member matches, `oneOf` says by itself.
        schema.pop("discriminator", None)

    return Field(discriminator="kind", json_schema_extra=without_discriminator), BeforeValidator(filled)
