"""Forms in which passages and questions are put to the model, by language."""

from __future__ import annotations

from app.languages.registry import FALLBACK
from models.retrieval.reading.form import Example, Form

_ASKING_ZH = (
    "请告诉 为什么 怎么样 请写出 请说出 请给出 多少 什么 哪个 哪种 哪里 哪儿 哪些 哪面 怎么 怎样 何时 何地 请问 "
    "哪 谁 几 吗 呢 的 是 叫 在 用 把 有 为 与 说 讲 请 我"
)
_ASKING_EN = (
    "which where please tell whose what whom when does much many name are was were who why how did the and for is "
    "do of in to an by on at a"
)

NONE = "—"
"""The adapter's answer where the passage does not tell: no span begins with a dash."""

FORMS = {
    "zh": Form(
        "短文：",
        "问题：",
        "答案：",
        "",
        _ASKING_ZH.split(),
        (
            Example(
                "广东的省会是广州，简称粤。沈阳是辽宁的省会。下面介绍云南。它的省会是昆明，别称彩云之南。山东的车牌以鲁字开头，"
                "山东大学是山东最大的大学。",
                (
                    ("辽宁的省会是哪座城市？", "沈阳"),
                    ("云南的别称是什么？", "彩云之南"),
                    ("哪个省简称粤？", "广东"),
                    ("请问山东的车牌以什么开头？", "鲁字"),
                    ("山东最大的大学是哪所？", "山东大学"),
                ),
            ),
            Example(
                "铁的元素符号是Fe，熔点为1538℃。人们用Na表示钠。金：符号Au，颜色黄。罗马人把锡叫做stannum。",
                (
                    ("钠用什么符号表示？", "Na"),
                    ("铁怎么缩写？", "Fe"),
                    ("罗马人怎么称呼锡？", "stannum"),
                    ("Au代表什么？", "金"),
                ),
            ),
            Example(
                "猫在德语里叫Katze。Hund是狗的德语名称。日语把书称为本，法语说livre。",
                (
                    ("狗用德语怎么说？", "Hund"),
                    ("书的日语是什么？", "本"),
                    ("请写出猫的德语名称。", "Katze"),
                ),
            ),
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
        _ASKING_EN.split(),
        (
            Example(
                "The capital of Ohio is Columbus. Austin is the capital of Texas. We come to Maine. Its capital is "
                "Augusta, and it is known as the Pine Tree State. Students in Ohio go to Ohio State University.",
                (
                    ("Which city is the capital of Texas?", "Austin"),
                    ("What is Maine known as?", "Pine Tree State"),
                    ("Columbus is the capital of which state?", "Ohio"),
                    ("Which university do students in Ohio attend?", "Ohio State University"),
                ),
            ),
            Example(
                "Iron has the symbol Fe and melts at 1538 °C. In tables, Na is put for sodium. Gold: symbol Au, colour "
                "yellow. Tin was stannum to the Romans.",
                (
                    ("What is sodium's symbol?", "Na"),
                    ("How is iron abbreviated?", "Fe"),
                    ("What did the Romans call tin?", "stannum"),
                    ("What does Au stand for?", "Gold"),
                ),
            ),
            Example(
                "A cat is called Katze in German. Hund is the German word for dog. For book the Japanese write 本, "
                "while the French say livre.",
                (
                    ("What is the German for dog?", "Hund"),
                    ("How do you say book in Japanese?", "本"),
                    ("What would a German call a cat?", "Katze"),
                ),
            ),
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


def form_of(code: str, *, adapted: bool = False) -> Form:
    """The form of a language, or that of the fallback; a model with an adapter for readings needs no examples."""
    form = FORMS.get(code) or FORMS[FALLBACK.code]
    return form._replace(examples=(), none=NONE) if adapted else form
