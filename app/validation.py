"""Pydantic's findings, said with the field's path and a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.problems import Fault

UNION_TAGS = frozenset(
    {"metropolis", "annealing", "linear", "geometric", "listed", "word", "forms", "switch", "weight"}
)
"""Names that pydantic puts into a path for the branch of a union; no field has such a name."""

_REMEDIES = {
    "missing": "add this field",
    "extra_forbidden": "remove this field, or see /docs for how it is spelled",
    "greater_than_equal": "give a value of at least {ge}",
    "greater_than": "give a value above {gt}",
    "less_than_equal": "give a value of at most {le}",
    "less_than": "give a value below {lt}",
    "finite_number": "give a finite number, neither NaN nor infinite",
    "too_short": "give at least {min_length}",
    "too_long": "give at most {max_length}",
    "string_too_short": "give at least {min_length} character",
    "string_pattern_mismatch": "give a text that {pattern} matches",
    "string_type": "give a string in double quotes",
    "string_unicode": "send well-formed Unicode, without lone surrogates",
    "int_type": "give a whole number without quotes",
    "int_from_float": "give a whole number",
    "float_type": "give a number without quotes",
    "bool_type": "give true or false without quotes",
    "list_type": "give a list in square brackets",
    "literal_error": "give one of {expected}",
    "union_tag_invalid": "give one of {expected_tags}",
    "union_tag_not_found": "add the field {discriminator}",
    "model_attributes_type": "give a JSON object in braces, with Content-Type: application/json",
    "model_type": "give a JSON object in braces",
}


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """One fault for each of pydantic's errors, in order, at most twenty."""
    return [_fault(error) for error in errors[:20]]


def path_of(location: Sequence[Any]) -> str:
    """A field's path such as ``sampler.steps`` or ``keywords[3]``."""
    path = ""
    for i, part in enumerate(location):
        if (i == 0 and part in ("body", "query", "path")) or (part in UNION_TAGS and i < len(location)):
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _fault(error: Mapping[str, Any]) -> Fault:
    kind, context = str(error["type"]), error.get("ctx") or {}
    path = path_of(error["loc"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = f"{path}.kind" if path else "kind"
    if kind == "value_error":
        # Our validators raise ValueError("what is wrong; remedy: how to mend it").
        message, _, remedy = str(context.get("error", error["msg"])).partition("; remedy: ")
        return Fault(field=path, message=message, remedy=remedy or "see /docs")
    message = str(error["msg"])
    template = _REMEDIES.get(kind, "see /docs for what this field takes")
    try:
        remedy = template.format(**context)
    except (KeyError, IndexError):
        remedy = "see /docs for what this field takes"
    if kind == "less_than_equal" and isinstance(context.get("le"), int):
        remedy += ", the limit"
    return Fault(field=path, message=message[:1].lower() + message[1:], remedy=remedy)
