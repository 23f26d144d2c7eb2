"""A prefix tree of tokens' texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


class _Node(dict[str, "_Node"]):
    """Children by character, and the token whose text ends here."""

    __slots__ = ("token",)

    def __init__(self) -> None:
        super().__init__()
        self.token: int | None = None


class PieceTrie:
    """Finds the tokens that write a text of which each character may be one of several.

    Args:
        tokens: by their text.
    """

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self._root = _Node()
        for text, token in tokens.items():
            node = self._root
            for character in text:
                node = node.setdefault(character, _Node())
            node.token = token

    def spelled(
        self, choices: Sequence[Mapping[str, float]], start: int = 0, shortest: int = 1
    ) -> Iterator[tuple[int, str, float]]:
        """Tokens whose text takes one of the choices at each place.

        Args:
            choices: for each place the characters that may stand there, with a weight.
            start: the first place.
            shortest: fewest characters of a text.

        Yields:
            Token, its text, and the sum of the weights.
        """
        waiting = [(self._root, "", 0.0)]
        while waiting:
            node, text, weight = waiting.pop()
            if node.token is not None and len(text) >= shortest:
                yield node.token, text, weight
            if start + len(text) == len(choices):
                continue
            choice = choices[start + len(text)]
            smaller, larger = (choice, node) if len(choice) < len(node) else (node, choice)
            long_enough = len(text) + 1 >= shortest
            waiting += [
                (node[c], text + c, weight + choice[c]) for c in smaller if c in larger and (long_enough or node[c])
            ]
