"""Schemas of a request for links and of its answer."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.indexes.reports import KeyModelReport
from app.indexes.schemas import IndexName
from app.web.schemas import AT_LEAST_ONE, GivenText, Strict


class LinksRequest(Strict):
    """Ask which entities of an index the names in texts mean."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "在沿海地区，赤道几内亚和法国的居民都说法语。", "index": "demo"},
                {"texts": ["Niger is not Nigeria.", "刚果的货币是刚果法郎。"], "index": "demo", "n": 2},
            ]
        }
    )

    text: GivenText | None = Field(
        default=None, description="a running text; either this or `texts`", json_schema_extra={"minLength": 1}
    )
    texts: Annotated[list[GivenText], AT_LEAST_ONE] | None = Field(
        default=None, description="running texts; either this or `text`", json_schema_extra={"minItems": 1}
    )
    index: IndexName = Field(description="name of the index whose entities are linked to")
    n: int = Field(default=3, ge=1, description="entities for each mention at most")
    confidence: float = Field(
        default=0.5, ge=0, le=1, description="least probability of a mention that is linked; more links less"
    )
    stream: bool = Field(default=False, description="server-sent events, one for each linked text")

    @property
    def given(self) -> list[str]:
        """The texts, whichever way they came."""
        return self.texts or ([] if self.text is None else [self.text])


class LinkedKey(BaseModel):
    """An entity that a mention may mean."""

    subject: str = Field(description="the subject of its keys; of an index of single keys, the key")
    meaning: str = Field(description='what tells it from others of its name; "" for nothing')
    text: str = Field(description="subject（meaning）")
    facts: int = Field(description="keys of the index that are the entity's")
    score: float = Field(
        description="log-prob of the entity among all of the index when the model reads the text with the mention "
        "marked, summed over its facts, in nats"
    )
    confidence: float = Field(description="the same among the entities of this name: over all of these it sums to 1")


class MentionReport(BaseModel):
    """A name of the index that stands in a text."""

    start: int = Field(description="first character of it in the text as given, from 0")
    end: int = Field(description="character after the last")
    text: str = Field(description="as it stands there")
    confidence: float = Field(description="probability that the name is meant there, fitted on sentences")
    keys: list[LinkedKey] = Field(description="the entities that have the name, likeliest first")
    exact: bool = Field(
        description="whether every fact under the name was scored; else so many of the shortest as are compared"
    )


class Linked(BaseModel):
    """A text and the mentions in it."""

    text: str = Field(description="as given")
    mentions: list[MentionReport] = Field(description="from left to right, none overlapping another")


class LinkedReport(Linked):
    """A linked text in a stream."""

    number: int = Field(description="place of the text in the request, from 0")


class LinksUsage(BaseModel):
    """What the links cost."""

    names: int = Field(description="names of the index that stand in the texts, mentions or not")
    rounds: int = Field(description="turns in the model's thread, each about one forward")
    seconds: float


class LinksAnswer(BaseModel):
    """Linked texts in the order of the texts."""

    index: str
    links: list[Linked]
    usage: LinksUsage
    model: KeyModelReport
