"""Pydantic's errors as faults, with the field's path and a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.web.codes import Code
from app.web.problems import Fault, ProblemError, UnfitError
from app.web.schemas import union_tags

M = TypeVar("M", bound=BaseModel)

_KINDS = {
    "missing": (Code.MISSING, "add this field"),
    "extra_forbidden": (Code.UNKNOWN_FIELD, "remove this field, or see /docs for how it is spelled"),
    "greater_than_equal": (Code.TOO_SMALL, "give a value of at least {ge}"),
    "greater_than": (Code.TOO_SMALL, "give a value above {gt}"),
    "less_than_equal": (Code.TOO_LARGE, "give a value of at most {le}"),
    "less_than": (Code.TOO_LARGE, "give a value below {lt}"),
    "finite_number": (Code.NOT_FINITE, "give a finite number, neither NaN nor infinite"),
    "too_short": (Code.TOO_FEW, "give at least {min_length}"),
    "too_long": (Code.TOO_MANY, "give at most {max_length}"),
    "string_too_short": (Code.TOO_SHORT, "give at least {min_length} character"),
    "string_too_long": (Code.TOO_LONG, "give at most {max_length} characters"),
    "string_pattern_mismatch": (Code.MALFORMED, "give a text that {pattern} matches"),
    "string_type": (Code.WRONG_TYPE, "give a string in double quotes"),
    "string_unicode": (Code.NOT_UNICODE, "send well-formed Unicode, without lone surrogates"),
    "int_type": (Code.WRONG_TYPE, "give a whole number, without quotes, point or exponent"),
    "int_from_float": (Code.WRONG_TYPE, "give a whole number"),
    "int_parsing": (Code.WRONG_TYPE, "give a whole number"),
    "int_parsing_size": (Code.TOO_LARGE, "give a whole number of fewer digits"),
    "float_type": (Code.WRONG_TYPE, "give a number without quotes"),
    "float_parsing": (Code.WRONG_TYPE, "give a number"),
    "bool_type": (Code.WRONG_TYPE, "give true or false without quotes"),
    "bool_parsing": (Code.WRONG_TYPE, "give true or false"),
    "list_type": (Code.WRONG_TYPE, "give a list in square brackets"),
    "dict_type": (Code.WRONG_TYPE, "give a JSON object in braces"),
    "literal_error": (Code.UNKNOWN_VALUE, "give one of {expected}"),
    "union_tag_invalid": (Code.UNKNOWN_VALUE, "give one of {expected_tags}"),
    "model_attributes_type": (Code.WRONG_TYPE, "give a JSON object in braces"),
    "model_type": (Code.WRONG_TYPE, "give a JSON object in braces"),
}
"""Code and remedy of each kind of error that the schemas of this service raise, by pydantic's name for it."""

_OTHER = (Code.MALFORMED, "see /docs for what this field takes")


def validated(schema: type[M], value: Any) -> M:
    """A value read by a schema.

    Raises:
        ProblemError: 422.
    """
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        raise ProblemError(422, faults_of(error.errors())) from None


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """One fault for each of pydantic's errors, in order, at most twenty."""
    return [_fault(error) for error in errors[:20]]


def path_of(location: Sequence[Any]) -> str:
    """A field's path such as ``sampler.steps`` or ``keywords[3]``."""
    if location[:1] == ("header",):
        return "-".join(word.capitalize() for word in str(location[1]).split("-"))
    path, tags = "", union_tags()
    for i, part in enumerate(location):
        if (i == 0 and part in ("body", "query", "path")) or (path and part in tags and location[i - 1] not in tags):
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _fault(error: Mapping[str, Any]) -> Fault:
    kind, context = str(error["type"]), error.get("ctx") or {}
    path = path_of(error["loc"])
    if kind == "union_tag_invalid":
        path = f"{path}.kind" if path else "kind"
    if kind == "value_error":
        return _refused(path, context.get("error", error["msg"]))
    message = str(error["msg"])
    code, template = _KINDS.get(kind, _OTHER)
    remedy = template.format(**context)
    if kind == "float_type" and type(error.get("input")) is int:
        code, message, remedy = Code.TOO_LARGE, "the number is beyond all bounds", "give a smaller number"
    if code is Code.WRONG_TYPE and str(error.get("input"))[:1] in ("{", "[") and isinstance(error["input"], str):
        remedy += ", not a string that holds it"
    if code is Code.UNKNOWN_FIELD and (of := error["loc"][-2:-1]) and of[0] in union_tags():
        message, remedy = f"{of[0]} has no such field", "remove this field, or name a kind that has it"
    if kind == "less_than_equal" and isinstance(context.get("le"), int):
        remedy += ", the limit"
    return Fault(field=path, code=code, message=message[:1].lower() + message[1:], remedy=remedy)


def _refused(path: str, error: object) -> Fault:
    """The fault of a validator's error; one of another library may end in ``; remedy: how to mend it``."""
    if isinstance(error, UnfitError):
        return Fault(field=path, code=error.code, message=str(error), remedy=error.remedy)
    return Fault.parse(error, Code.MALFORMED, path)
