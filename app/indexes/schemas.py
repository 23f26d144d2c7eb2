"""Schemas of requests about indexes, and of their answers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.indexes.formats import AnyFormat
from app.web.codes import Code
from app.web.problems import UnfitError
from app.web.schemas import Strict
from models.retrieval.index.values import normal_value

NAME_PATTERN = r"^[a-z0-9_-]{1,64}$"

Name = Annotated[str, Field(pattern=NAME_PATTERN, description="1 to 64 of a-z, 0-9, _ and -")]


def _well_formed(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnfitError(
            Code.NOT_UNICODE, f"character {error.start} is half a surrogate pair", "send well-formed Unicode"
        ) from None
    return text


def _line(text: str) -> str:
    for at, character in enumerate(text):
        if character in "\n\r":
            raise UnfitError(
                Code.CONTROL_CHARACTER, f"character {at} is a line break", "give each line as an entry of its own"
            )
    return text


def _value(text: str) -> str:
    text = normal_value(text)
    if not text:
        raise UnfitError(Code.BLANK, "it is blank", "give some text")
    return text


Text = Annotated[str, AfterValidator(_well_formed)]
Line = Annotated[Text, AfterValidator(_line)]
NotEmpty = Annotated[Text, Field(min_length=1)]
Value = Annotated[NotEmpty, AfterValidator(_value)]

FORMAT = (
    "triples: S<TAB>P<TAB>O, a meaning in full-width brackets after S; pairs: key<TAB>value; triples-jsonl, "
    "pairs-jsonl: JSON objects, one a line, with subject, predicate, meaning and object(s), or key and value(s); csv: "
    "three fields or two, perhaps under a header; ntriples: N-Triples or N-Quads; neo4j: nodes and relationships under "
    "the headers of neo4j-admin or apoc.export.csv; auto: as the first line looks"
)
ENCODING = (
    "of the lines, such as gbk, big5 or cp1252, if they are not in UTF-8 and have no byte order mark; the charset of "
    "Content-Type if left out"
)
BOTH_ENDS = (
    "index each triple from its object, too: the key (object, ^predicate) gets the subject as a value, and of several "
    "triples all subjects"
)
STRICT = "refuse the whole where a line cannot be read, rather than leaving the line out"
TYPOS = (
    "let names be found that a question misspells by one character, where answers are ranked by a fitted order; takes "
    "about 8 bytes a character of the names"
)
LANGUAGE_PATTERN = r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"
LANGUAGE = "of the names that ntriples show nodes by, such as en; if left out Chinese, else English, else any"
TOKENS_PATTERN = r"^([0-9]{1,10}(,[0-9]{1,10})*)?$"
TOKENS = "ids of the prefix's tokens, with commas between; none for the beginning of all keys"


class BuildRequest(Strict):
    """Build an index of lines, or another in the place of one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "cities", "lines": ["上海\t人口\t2487万", "苹果（公司）\t总部\t库比蒂诺"]}]
        }
    )

    name: Name
    lines: Annotated[list[Line], Field(min_length=1)] = Field(description="of the format")
    format: AnyFormat = Field(default="auto", description=FORMAT)
    strict: bool = Field(default=False, description=STRICT)
    both_ends: bool = Field(default=False, description=BOTH_ENDS)
    typos: bool = Field(default=True, description=TYPOS)
    language: str | None = Field(default=None, pattern=LANGUAGE_PATTERN, description=LANGUAGE)
    aliases: list[Line] = Field(
        default_factory=list, description="alias<TAB>subject: the alias is found as the subject is"
    )


class Entry(Strict):
    """A key: subject, predicate and perhaps meaning, or key, as the index has them; and values."""

    subject: NotEmpty | None = Field(default=None, description="without its meaning")
    predicate: NotEmpty | None = None
    meaning: Text | None = Field(default=None, description="what tells subjects of one name apart")
    key: NotEmpty | None = Field(default=None, description="where keys have one part")


class Addition(Entry):
    """A key and values to append to those that it has."""

    values: Annotated[list[Value], Field(min_length=1)]


class Removal(Entry):
    """A key and values to take from it."""

    values: Annotated[list[Value], Field(min_length=1)] | None = Field(
        default=None, description="all if left out; a key without values is gone"
    )


class PatchRequest(Strict):
    """Removals, then additions, all together or, where one is wrong, none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"add": [{"subject": "上海", "predicate": "人口", "values": ["2487万"]}], "remove": []}]
        }
    )

    add: list[Addition] = Field(default_factory=list)
    remove: list[Removal] = Field(default_factory=list)


class PatchAnswer(BaseModel):
    """What an update did, in pairs of key and value."""

    index: str
    added: int
    removed: int
    known: int = Field(description="were to be added and were there already")
    missing: int = Field(description="keys, or pairs, that were to be removed and were not there")
    keys: int = Field(description="keys of the index now")


class Malformed(BaseModel):
    """A line that could not be read."""

    source: str
    line: int = Field(description="from 1")
    fault: str


class ReadReport(BaseModel):
    """What an index was built from."""

    lines: int
    blank: int
    unused: int = Field(default=0, description="lines of a graph that give names, or are about what has none")
    malformed: int
    duplicates: int = Field(description="pairs of key and value that came again")
    examples: list[Malformed] = Field(description="the first malformed lines")
    note: str | None = Field(default=None, description="a warning where most lines are malformed, or null")


class Changes(BaseModel):
    """Additions and removals since the index was built."""

    keys_added: int = Field(description="new keys, and keys with other values")
    keys_removed: int = Field(description="keys that are gone, and keys with other values")
    bytes: int = Field(description="on the disk: a reason to merge")


class BuildReport(BaseModel):
    """The last build of an index since the service started."""

    state: Literal["waiting", "building", "ready", "failed"]
    step: str = Field(description="reading, tokenising or compiling")
    done: int = Field(description="of this step: bytes, distinct parts, or steps")
    total: int = Field(description="of this step, 0 if it is not known")
    seconds: float
    failure: str | None = Field(description="why it failed, or null")


class IndexReport(BaseModel):
    """An index."""

    name: str
    state: Literal["ready", "on-first-use", "building", "failed", "damaged"] = Field(
        description="ready: it is searched, be it that another is built in its place; on-first-use: built when first "
        "asked for"
    )
    keys: int | None = Field(description="null if there is no index yet")
    values: int | None = Field(description="of the build, changes not counted")
    bytes: int | None = Field(description="on the disk")
    parts: list[str] | None = Field(description="of a key, in order")
    tokenizer: str | None = Field(description="fingerprint of the tokenizer that it was built for")
    typos: bool | None = Field(description="whether names are found that a question misspells by one character")
    opened: bool = Field(description="whether this process holds it open")
    changes: Changes | None = Field(description="null while it is not open")
    report: ReadReport | None
    build: BuildReport | None
    failure: str | None = Field(description="what is damaged, or null")


class Indexes(BaseModel):
    """All indexes, by name."""

    indexes: list[IndexReport]


class Token(BaseModel):
    """A token of the model that writes keys."""

    id: int
    text: str = Field(description="as the vocabulary spells it where alone it has no text")


class Branch(Token):
    """A token that goes on with a prefix."""

    keys: int = Field(description="keys below, exactly")


class Branches(BaseModel):
    """A prefix of keys, and the tokens that go on with it."""

    index: str
    tokens: list[Token] = Field(description="of the prefix")
    text: str = Field(description="of the prefix, a space between the parts of a key")
    complete: bool = Field(description="whether the prefix is a key itself")
    values: list[str] = Field(description="of that key; none if it is no key")
    keys: int = Field(description="keys that begin with the prefix, exactly, itself included if it is one")
    branches: list[Branch] = Field(description="those with most keys first, then by text")
    total: int = Field(description="branches in all, of which `limit` from `offset` on are here")


IndexName = Annotated[str, Path(pattern=NAME_PATTERN, description="of the index")]
