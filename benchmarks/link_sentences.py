"""Sentences about the demo graph with the mentions in them marked, for development and, of other templates, for tests.

``[[name]]`` is a mention, ``[[name|meaning]]`` one of a subject with this meaning; ``{territory}``, ``{language}``,
``{currency}`` and ``{script}`` are filled with names of the graph, each a mention. All else is none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from babel import Locale

from models.retrieval.demo import demo_triples
from models.retrieval.index.key_format import split_entity

PLAIN = {
    ("zh", "dev"): (
        "{territory}的官方语言是{language}。", "{territory}使用{currency}。", "他从{territory}飞到了{territory}。",
        "她会说{language}和{language}。", "这本书是用{script}印的。", "昨天{currency}对{currency}的汇率又跌了。",
        "我在{territory}住过三年，能听懂一点{language}。", "{territory}、{territory}和{territory}都派了代表。",
        "他们在{territory}不收{currency}，只收{currency}。", "{script}怎么写？", "请问{territory}的国旗是什么样的？",
        "老师问：“{territory}在哪里？”", "{territory}人爱喝茶。", "{language}课和{language}课在同一天。",
    ),
    ("zh", "test"): (
        "在{territory}，人们说{language}，用{currency}买东西。", "{territory}和{territory}签了协议。",
        "他祖父是{territory}人。", "这封信是{language}写的，我看不懂。", "换一百{currency}要多少{currency}？",
        "{script}和{script}看上去很像。", "{territory}{territory}两国恢复了往来。", "我最想去{territory}旅行！",
        "{language}难学吗？", "听说{currency}要升值了", "她把{language}小说译成了{language}。",
        "比赛在{territory}举行，{territory}队赢了。",
    ),
    ("en", "dev"): (
        "The official language of {territory} is {language}.", "People in {territory} pay in {currency}.",
        "She studied {language} at school.", "I flew from {territory} to {territory} last week.",
        "{territory} borders {territory}.", "The letter was written in {script}.",
        "{currency} fell against {currency}.",
        "He speaks {language} and {language}, but no {language}.", "{territory}’s delegates met those of {territory}.",
        "Have you ever been to {territory}?", "In {territory} they take {currency} only.",
        "In {territory} President Smith won.", "{language} is her mother tongue.", "On Monday {territory} lost.",
    ),
    ("en", "test"): (
        "Last year {territory} signed a treaty with {territory}.", "My teacher was born in {territory}.",
        "The novel was translated from {language} into {language}.", "How many {currency} do I get for one {currency}?",
        "{territory}, {territory} and {territory} sent teams.", "{language} is hard to learn.",
        "Her parents left {territory} when she was six.", "The inscription is in {script}, not in {script}.",
        "Is {currency} accepted in {territory}?", "“{territory} is far away,” he said.",
        "They traded with {territory} (and with {territory}) for years.",
    ),
}  # fmt: skip
"""Templates without traps."""

TRAPS = {
    ("zh", "dev", "inside words"): (
        "沿海地区的经济发展很快。", "参加纳税培训的人不少。", "许多哥哥姐姐都来了。", "完美元素都在这里。",
        "这本道德语录卖得很好。", "他研究发展中国家的问题。", "司法国际合作不断加强。", "这份指南非常有用。",
        "他把薄荷兰花都搬走了。", "漆黑山洞里什么也看不见。", "增加蓬松度的洗发水。", "宝贝宁愿待在家里。",
        "江苏丹阳的眼镜很有名。", "精英语文老师来上课。",
    ),
    ("zh", "test", "inside words"): (
        "上海地铁今天延误了。", "这是增加纳米材料强度的办法。", "大多哥们儿都走了。", "今日元旦放假。",
        "平安哥拉开窗帘看了看。", "我们要集中国家的力量办大事。", "他神秘鲁莽的样子很好笑。", "方法语言都很重要。",
        "复古巴士开过来了。", "水波兰舟都在画里。", "穿越南北的铁路通车了。", "祥瑞典礼在广场举行。",
        "他从上海地下通道走出来。", "这一点司法国家都有规定。",
    ),
    ("zh", "dev", "inside names"): (
        "[[赤道几内亚]]不是[[几内亚]]。", "[[中国香港特别行政区]]的居民很多。", "[[南苏丹]]和[[苏丹]]是两个国家。",
        "约旦河流入死海。", "马里兰州在[[美国]]东部。", "船队驶过了印度洋。",
        "[[多米尼加共和国]]的首都是圣多明各。", "[[几内亚比绍]]的货币是什么？", "[[印度尼西亚]]有很多岛。",
        "新几内亚岛上有很多鸟。", "日本海的鱼很多。",
    ),
    ("zh", "test", "inside names"): (
        "[[巴布亚新几内亚]]有八百多种语言。", "[[中国澳门特别行政区]]比[[中国香港特别行政区]]小。",
        "[[美属萨摩亚]]和[[萨摩亚]]离得很近。", "阿曼湾里停着油轮。", "墨西哥湾的水很暖。",
        "[[多米尼克]]是岛国，[[多米尼加共和国]]也在岛上。", "[[尼日利亚]]和[[尼日尔]]相邻。", "泰国湾盛产海鲜。",
        "[[英属维尔京群岛]]和[[美属维尔京群岛]]都在加勒比海。", "[[法属圭亚那]]不是[[圭亚那]]。", "几内亚湾有石油。",
    ),
    ("zh", "dev", "none"): (
        "今天天气很好，我们去公园散步吧。", "他昨天买了一台新电脑。", "会议推迟到下周三。", "妈妈做的饭真好吃。",
        "这种药通用名是什么？", "请在表格里打上符号。",
    ),
    ("zh", "test", "none"): (
        "孩子们在操场上踢足球。", "这条路正在维修，请绕行。", "她每天早上六点起床。", "书架上落满了灰尘。",
        "这个插头是通用的。", "数学符号很多。",
    ),
    ("zh", "dev", "written meaning"): ("[[刚果（金）|金]]和[[刚果（布）|布]]隔河相望。",),
    ("zh", "test", "written meaning"): ("[[刚果(布)|布]]比[[刚果（金）|金]]小。", "[[线形文字（A）|A]]还没有人读懂。"),
    ("zh", "dev", "meaning by context"): (
        "[[刚果|金]]的首都是金沙萨。", "[[刚果|布]]的首都是布拉柴维尔。", "[[刚果|金]]使用[[刚果法郎]]。",
        "[[刚果|布]]使用[[中非法郎]]。",
    ),
    ("zh", "test", "meaning by context"): (
        "在[[刚果|金]]可以用[[刚果法郎]]付钱。", "金沙萨是[[刚果|金]]最大的城市。", "布拉柴维尔是[[刚果|布]]的首都。",
        "[[刚果|布]]的货币是[[中非法郎]]。",
    ),
    ("en", "dev", "inside words"): (
        "The woman took a romanesque pose.", "They had a party in the omanhene’s house.",
        "He is an Indianapolis native.",
        "She is Nigerien, he is Guinean.", "Malian music is popular.", "He ate a turkey sandwich.",
    ),
    ("en", "test", "inside words"): (
        "The Chadian team lost.", "A Peruvian cook opened a café.", "The chinaware was broken.", "Fijian players won.",
        "Her Omani friend called.", "Please polish the table.", "They wore jersey shirts.",
    ),
    ("en", "dev", "inside names"): (
        "[[Niger]] is not [[Nigeria]].", "[[Equatorial Guinea]] lies north of [[Gabon]], and [[Guinea]] far west.",
        "[[Guinea-Bissau]] is smaller than [[Guinea]].", "[[Dominica]] is not the [[Dominican Republic]].",
        "He moved to New Mexico in May.", "Michael Jordan played basketball.", "She works at Georgia Tech.",
        "[[South Sudan]] left [[Sudan]] in 2011.", "The Jordan River is short.", "Chad Smith plays the drums.",
    ),
    ("en", "test", "inside names"): (
        "[[Papua New Guinea]] has many languages, [[Guinea]] fewer.", "[[American Samoa]] is east of [[Samoa]].",
        "[[South Korea]] and [[North Korea]] held talks.", "He lives in New Jersey.", "Jordan Peterson wrote a book.",
        "[[French Guiana]] is in South America, like [[Guyana]].", "The Panama Canal was closed.",
        "Paris Texas is a film.",
        "[[Congo - Kinshasa]] and [[Congo - Brazzaville]] face each other.", "The Japan Times reported it.",
        "[[British Virgin Islands]] firms pay no tax.", "They met at the Oman Air desk.",
    ),
    ("en", "dev", "none"): (
        "We went for a walk in the park.", "The meeting starts at nine.", "He bought a new computer yesterday.",
        "Common sense is rare.", "Symbols matter in this story.",
    ),
    ("en", "test", "none"): (
        "The children played football until dark.", "My bus was late again.", "She gets up at six every morning.",
        "Common colds last a week.", "Moon landings are rare.",
    ),
}  # fmt: skip
"""Sentences with names that are no mentions, or not those that they seem to be, and such that hold none."""

_SLOT = re.compile(r"\{(\w+)\}")
_MENTION = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]*))?\]\]")
_KINDS = {"territory": "territories", "language": "languages", "script": "scripts", "currency": "currencies"}


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a mention stands, and its entity."""

    start: int
    end: int
    subject: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, its mentions, and what is difficult about it."""

    text: str
    mentions: tuple[Mention, ...]
    language: str
    trap: str  # plain for none


def sentences(part: str, fillings: int, seed: int) -> list[Sentence]:
    """All sentences of a part, dev or test, each plain template filled so often."""
    rng = random.Random(seed)
    made: list[Sentence] = []
    for (language, whose), templates in PLAIN.items():
        if whose == part:
            names = _names(language)
            for template in templates * fillings:
                parts = _SLOT.split(template)  # texts and slots by turns
                parts[1::2] = [f"[[{rng.choice(names[slot])}]]" for slot in parts[1::2]]
                made.append(_read("".join(parts), language, "plain"))
    for (language, whose, trap), texts in TRAPS.items():
        made += [_read(text, language, trap) for text in texts if whose == part]
    return made


def _read(marked: str, language: str, trap: str) -> Sentence:
    text, at, mentions = "", 0, []
    for found in _MENTION.finditer(marked):
        text += marked[at : found.start()]
        subject, meaning = split_entity(found[1].replace("(", "（").replace(")", "）") if found[2] else found[1])
        mentions.append(Mention(len(text), len(text) + len(found[1]), subject, found[2] or meaning))
        text, at = text + found[1], found.end()
    return Sentence(text + marked[at:], tuple(mentions), language, trap)


def _names(language: str) -> dict[str, list[str]]:
    """Names of the graph by kind, less those that mean nothing in a sentence (unknown script, no language)."""
    subjects = {triple.subject for triple in demo_triples()}
    locale = Locale(language)
    endings = {"languages": "语", "scripts": "文"} if language == "zh" else {}
    odd = re.compile(r"[(),（）]|[Uu]nknown|[Mm]ultiple|Common|Symbols|Inherited|Unwritten|Emoji|No linguistic")
    return {
        slot: sorted(
            name
            for name in set(getattr(locale, kind).values()) & subjects
            if not odd.search(name) and name.endswith(endings.get(kind, ""))
        )
        for slot, kind in _KINDS.items()
    }


def demo_kinds() -> Iterator[tuple[str, str, str]]:
    """The English facts of the demo graph with the kind of each subject for its meaning."""
    locale = Locale("en")
    kinds = {"territory": locale.territories, "language": locale.languages}
    names = {kind: set(table.values()) for kind, table in kinds.items()}
    own = {"currency": "territory", "time zone": "territory", "flag": "territory", "official language": "territory"}
    own |= {"main language": "territory", "script": "language", "own name": "language", "used in": "language"}
    own |= {"languages": "script", "symbol": "currency"}
    for triple in demo_triples():
        kind = own.get(triple.predicate)
        if kind is not None and (kind not in names or triple.subject in names[kind]):
            yield f"{triple.subject}（{kind}）", triple.predicate, triple.object


AMBIGUOUS = (
    ("language", "She is learning [[{}]] at school."), ("script", "The [[{}]] alphabet has many letters."),
    ("language", "My grandmother spoke [[{}]] at home."), ("script", "The word is written in [[{}]] letters."),
    ("language", "He gave the speech in [[{}]]."), ("script", "Which languages use the [[{}]] script?"),
)  # fmt: skip
"""Sentences about names that :func:`demo_kinds` has for a language and for a script."""


def ambiguous() -> list[Sentence]:
    """Those sentences for every such name."""
    of: dict[str, set[str]] = {}
    for subject, _, _ in demo_kinds():
        name, meaning = split_entity(subject)
        of.setdefault(name, set()).add(meaning)
    both = sorted(name for name, kinds in of.items() if {"language", "script"} <= kinds)
    return [_read(text.format(f"{name}|{kind}"), "en", kind) for name in both for kind, text in AMBIGUOUS]
