"""Keys of scores: hashes of all that a score depends on, without ambiguity."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b

KEY_BYTES = 16
"""Size of a key. Among 10^12 keys, two are equal with probability 1.5e-15."""

Field = str | bytes | Sequence[int]


class KeySpace:
    """Keys that share their first fields, which are hashed once.

    ``KeySpace(a, b).key(c)`` equals ``KeySpace(a).key(b, c)``: the fields are one list, and two
    lists that differ in a value, a type or where a field ends have different keys.

    Args:
        fields: shared by all scores of this space, such as the model's fingerprint, the
            vocabulary's and the context's tokens.
    """

    def __init__(self, *fields: Field) -> None:
        self._state = blake2b(digest_size=KEY_BYTES, person=b"chainwright")
        for field in fields:
            self._state.update(_framed(field))

    def key(self, *fields: Field) -> bytes:
        """The key of these further fields, :data:`KEY_BYTES` bytes.

        Raises:
            struct.error: an integer does not fit 64 bits.
        """
        state = self._state.copy()
        for field in fields:
            state.update(_framed(field))
        return state.digest()


def _framed(field: Field) -> bytes:
    """A kind, a length and the content: no two lists of fields have the same bytes."""
    if isinstance(field, str):
        kind, content = b"s", field.encode()
    elif isinstance(field, bytes):
        kind, content = b"b", field
    else:
        kind, content = b"i", struct.pack(f"<{len(field)}q", *field)
    return kind + struct.pack("<Q", len(content)) + content
