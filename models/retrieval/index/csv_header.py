"""Headers of CSV: which field is which column of a source."""

from __future__ import annotations

from collections.abc import Sequence

from models.text.normalisation import normalise_name

Header = tuple[int, ...]
"""Number of the field of each column of a source."""

_NAMES = (
    {"subject", "entity", "head", "s", "主语", "主体", "实体", "实体名", "实体名称", "头实体"},
    {"predicate", "attribute", "property", "relation", "p", "谓语", "谓词", "属性", "属性名", "关系"},
    {"object", "value", "tail", "o", "宾语", "客体", "值", "属性值", "尾实体"},
)
_KEYS = {"key", "name", "alias", "键", "名称", "别名"}
_VALUES = {"value", "values", "subject", "entity", "值", "主语", "实体"}


def header_of(fields: Sequence[str]) -> Header | None:
    """The order of the fields if they are a header's, in upper or lower case."""
    names = [normalise_name(field).casefold() for field in fields]
    for columns in (_NAMES, (_KEYS, _VALUES)):
        places = [[at for at, name in enumerate(names) if name in column] for column in columns]
        if len(names) == len(columns) and all(len(one) == 1 for one in places):
            return tuple(one[0] for one in places)
    return None
