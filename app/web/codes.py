"""Codes of faults: one closed list, in words that programs may rely on."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """What is wrong, whatever the message says of it; a code never changes its meaning.

    Attributes:
        description: in a line, as docs/api.md lists it.
    """

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        code = str.__new__(cls, value)
        code._value_ = value
        code.description = description
        return code

    MISSING = "missing", "what must be there is not, or is empty"
    UNKNOWN_FIELD = "unknown-field", "there is no such field here"
    WRONG_TYPE = "wrong-type", "a value of another type is due, or a thing of another kind"
    UNKNOWN_VALUE = "unknown-value", "none of the values that there are"
    MALFORMED = "malformed", "not written as it must be"
    NOT_FINITE = "not-finite", "NaN or infinite"
    TOO_SMALL = "too-small", "a number below its least"
    TOO_LARGE = "too-large", "a number, or the bytes of a body, above the greatest"
    TOO_FEW = "too-few", "too few entries"
    TOO_MANY = "too-many", "too many entries"
    TOO_SHORT = "too-short", "too few characters"
    TOO_LONG = "too-long", "too many characters or tokens"
    BLANK = "blank", "white space and nothing else"
    CONTROL_CHARACTER = "control-character", "a control character, or a line break where none may be"
    NOT_UNICODE = "not-unicode", "bytes in another encoding than UTF-8, or half a surrogate pair"
    DUPLICATE = "duplicate", "what must be there once is there twice"
    RESERVED = "reserved", "a name that the service keeps for itself"
    CONTRADICTORY = "contradictory", "things asked for that exclude each other"
    UNSPELLABLE = "unspellable", "the vocabulary has no tokens for a character"
    FORBIDDEN_KEYWORD = "forbidden-keyword", "a keyword is, or contains, a forbidden word"
    INFEASIBLE = "infeasible", "no sentence was found that meets all that is asked"
    NO_EFFECT = "no-effect", "there is nothing to do"
    MALFORMED_JSON = "malformed-json", "not JSON, or nested too deeply"
    WRONG_MEDIA_TYPE = "wrong-media-type", "a body declared as something that this route does not read"
    NOT_FOUND = "not-found", "there is nothing of this name"
    METHOD_NOT_ALLOWED = "method-not-allowed", "this path does not take this method"
    UNAUTHORIZED = "unauthorized", "no API key, or an unknown or revoked one"
    OVER_RATE = "over-rate", "a rate or quota is used up"
    BUSY = "busy", "as much is running and waiting as may be"
    IN_USE = "in-use", "something else is at work on it"
    DAMAGED = "damaged", "what is kept cannot be read any more"
    OTHER_MODEL = "other-model", "an index was built for another model"
    CONFLICT = "conflict", "it belongs to something else, or has just changed"
    LOADING = "loading", "the model is still loading"
    UNUSABLE_MODEL = "unusable-model", "the model cannot be loaded"
    UNUSABLE_DEVICE = "unusable-device", "the device does not compute what is asked of it"
    STOPPING = "stopping", "the service is stopping"
    UNAVAILABLE = "unavailable", "a part of the service is away, hangs or is full"
    UNUSABLE_FILE = "unusable-file", "a file or folder that cannot be read, written or made sense of"
    TIMED_OUT = "timed-out", "it did not come, or was not done, in time"
    CLIENT_GONE = "client-gone", "the client left"
    INTERNAL_ERROR = "internal-error", "a mistake of the service"
