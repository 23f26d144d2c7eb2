"""A mapping of bytes that forgets what was used longest ago."""

from __future__ import annotations

from collections import OrderedDict

ENTRY_BYTES = 190
"""What an entry takes besides its value: two bytes objects, a 16-byte key and the ordered
dictionary's slot (tracemalloc over 50,000 entries, CPython 3.11)."""


class ByteLRU:
    """Least recently used entries go when the rest would exceed the bound.

    Args:
        most: bytes that all entries may take together, :data:`ENTRY_BYTES` apiece included.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._entries: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def held(self) -> int:
        """Bytes that the entries take."""
        return self._held

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> bytes | None:
        """The value, which counts as used."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value, unless it alone exceeds the bound."""
        size = len(value) + ENTRY_BYTES
        if size > self._most:
            return
        before = self._entries.pop(key, None)
        if before is not None:
            self._held -= len(before) + ENTRY_BYTES
        self._entries[key] = value
        self._held += size
        while self._held > self._most:
            _, forgotten = self._entries.popitem(last=False)
            self._held -= len(forgotten) + ENTRY_BYTES
