"""Keywords of a request in their normal form: for each its distinct accepted forms."""

from __future__ import annotations

from collections.abc import Iterable

from app.languages.choice import Named

Keywords = list[list[Named]]
"""For each keyword its forms, each with the field that it came in."""


def forms_of(keywords: Iterable[str | list[str]]) -> Keywords:
    """The forms of keywords, each once, in the order given."""
    return [
        [Named(f"keywords[{number}]", keyword)]
        if isinstance(keyword, str)
        else [Named(f"keywords[{number}][{keyword.index(form)}]", form) for form in dict.fromkeys(keyword)]
        for number, keyword in enumerate(keywords)
    ]
