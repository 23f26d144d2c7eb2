"""What a sentence continues where the request names no context."""

from __future__ import annotations

from collections.abc import Callable

from app.languages.choice import Language

OPENINGS: dict[Language, str] = {
    "zh": "他每天早上都坚持跑步，身体一直很好。\n"
    "这家公司去年的利润增长了两成。\n"
    "妈妈把刚做好的饭菜端上了桌。\n"
    "研究表明，睡眠不足会影响记忆力。\n"
    "雨停了以后，孩子们又跑到院子里玩。\n"
    "会议决定进一步加强对食品安全的管理。\n",
    "en": "She goes for a run every morning before work. "
    "The company's profits rose by a fifth last year. "
    "He put the hot soup on the table and called everyone to dinner. "
    "Studies show that too little sleep harms the memory. "
    "After the rain the children went back out to play in the yard. "
    "The committee decided to build a new bridge across the river.",
}
"""A few plain sentences on different matters.

Text at the very start of a document is, to a language model, often a headline or the head of a
list: 一、基本信息。 After whole sentences another whole sentence is likely. English pieces carry
their leading space, so the English ones end without one.
"""


def context_of(given: str | None, language: Language, fits: Callable[[str], bool] = lambda text: True) -> str:
    """The context of a request: what it gives, be it empty, else the opening of its language if that ``fits``."""
    if given is not None:
        return given
    return OPENINGS[language] if fits(OPENINGS[language]) else ""
