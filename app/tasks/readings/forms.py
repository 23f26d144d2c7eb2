"""Forms in which passages and questions are put to the model, by language."""

from __future__ import annotations

from app.languages.registry import FALLBACK, LANGUAGES
from models.retrieval.reading.form import Example, Form

_ASKING_ZH = "为什么 怎么样 多少 什么 哪个 哪种 哪里 哪儿 哪些 哪面 怎么 怎样 何时 何地 请问 哪 谁 几 吗 呢 的 是 叫"
_ASKING_EN = (
    "which where whose what whom when does much many name are was were who why how did the and for is do of in to an "
    "by on at a"
)

FORMS = {
    "zh": Form(
        "短文：",
        "问题：",
        "答案：",
        "",
        "这是什么？",
        _ASKING_ZH.split(),
        LANGUAGES["zh"].edges,
        (
            Example(
                "《红楼梦》的作者是曹雪芹。《西游记》是吴承恩写的，主角叫孙悟空。鲁迅写了《呐喊》。",
                (
                    ("谁写了《西游记》？", "吴承恩"),
                    ("鲁迅的作品是什么？", "《呐喊》"),
                    ("《西游记》的主角是谁？", "孙悟空"),
                ),
            ),
            Example(
                "长城饭店建于1983年，位于北京市朝阳区，有一千零七个房间。和平饭店在上海，电话是021-6138。",
                (
                    ("长城饭店有多少个房间？", "一千零七个"),
                    ("和平饭店在哪个城市？", "上海"),
                    ("长城饭店的所在地是哪里？", "北京市朝阳区"),
                ),
            ),
        ),
    ),
    "en": Form(
        "Passage:",
        "Question:",
        "Answer:",
        " ",
        "What is it?",
        _ASKING_EN.split(),
        LANGUAGES["en"].edges,
        (
            Example(
                "Hamlet was written by William Shakespeare. Jane Austen is the author of Emma, whose hero is Mr. "
                "Knightley. Ulysses was published in 1922.",
                (
                    ("Who wrote Emma?", "Jane Austen"),
                    ("When did Ulysses appear?", "1922"),
                    ("Who is the author of Hamlet?", "William Shakespeare"),
                ),
            ),
            Example(
                "The Grand Hotel stands in North Street and has 120 rooms. Anna Berg runs the Park Hotel; it opens at "
                "7 a.m. on Mondays.",
                (
                    ("Which street is the Grand Hotel in?", "North Street"),
                    ("Who is the manager of the Park Hotel?", "Anna Berg"),
                    ("How many rooms does the Grand Hotel have?", "120"),
                ),
            ),
        ),
    ),
}
"""Worked examples on other matters, each with other facts of the same kind beside those asked for."""


def form_of(code: str) -> Form:
    """The form of a language, or that of the fallback."""
    return FORMS.get(code) or FORMS[FALLBACK.code]
