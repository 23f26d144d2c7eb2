"""Chinese, simplified and traditional, with or without words in Latin letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import rjieba

from app.languages.base import Language
from app.languages.contexts import zh
from app.languages.en import english_rule
from models.language.vocabulary import PIECE_RANK, WIDE, Mask, Role
from models.odds import Odds
from samplers.constraints.words import segmented_boundaries
from samplers.spans import Span

_HAN_CHARACTER = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff〇\U00020000-\U0003ffff]"
_HAN = re.compile(_HAN_CHARACTER)
_SPACED_HAN = re.compile(rf"{_HAN_CHARACTER}\s+{_HAN_CHARACTER}")
_LATIN = re.compile(r"[A-Za-z]")

_HAN_PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff〇]+")
_MARK = re.compile(
    r"[\u3001-\u3003\u3005\u3008-\u3011\u2013\u2014\u2018\u2019\u201c\u201d\u2026·％～（），：；！？]{1,2}"
)
_UNSPACED_WORD = re.compile(r"[A-Z][A-Za-z]+")


def is_simplified(text: str) -> bool:
    """Whether GB 2312, the simplified characters in daily use, has all of a text."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def han_rule(piece: str, rank: int) -> Role | None:
    """Every Han character, traditional ones too, ，、 between, 。！？ to close."""
    if _HAN_PIECE.fullmatch(piece):
        return Role.INTERIOR
    if piece in ("。", "！", "？"):
        return Role.END
    if piece in ("，", "、"):
        return Role.INTERIOR
    if _MARK.fullmatch(piece) or (len(piece) == 1 and piece in "0123456789%.-"):
        return Role.SPELLING
    return None


def chinese_rule(piece: str, rank: int) -> Role | None:
    """Simplified Chinese: words and characters of GB 2312; marks as :func:`han_rule`."""
    role = han_rule(piece, rank)
    return role if role is not Role.INTERIOR or is_simplified(piece) else None


def mixed_rule(piece: str, rank: int) -> Role | None:
    """Chinese (all Han) and English together; unspaced Latin words spell keywords such as APP."""
    role = han_rule(piece, rank) or english_rule(piece, rank)
    if role is None and rank < PIECE_RANK and _UNSPACED_WORD.fullmatch(piece):
        return Role.SPELLING
    return role


_EDGES = segmented_boundaries(rjieba.cut)


def _latin_lead(word: str) -> tuple[str, ...]:
    return ("", " ") if word[:1].isascii() else ("",)


_FUNCTION_WORDS = (
    "的 地 得 了 着 过 吗 呢 吧 啊 呀 嘛 啦 么 我 你 您 他 她 它 我们 你们 他们 她们 它们 咱们 自己 大家 别人 这 那 "
    "这个 那个 这些 那些 这里 那里 这儿 那儿 这样 那样 这么 那么 谁 什么 哪 哪个 哪里 哪儿 怎么 怎样 怎么样 为什么 "
    "多少 几 每 每个 各 某 有些 一些 一个 是 有 没有 没 不 别 也 都 还 就 才 又 再 很 太 真 最 更 非常 已经 正在 在 "
    "到 从 向 往 对 对于 给 跟 和 与 同 及 以及 或 或者 还是 但 但是 可是 不过 因为 由于 所以 如果 要是 虽然 尽管 "
    "只有 只要 无论 不但 而且 并且 而 并 于是 然后 把 被 让 叫 使 用 以 为 为了 关于 按照 根据 通过 除了 比 像 如 能 "
    "会 可以 可能 应该 必须 要 想 得以 上 下 里 中 外 前 后 之 所 其 其他 个 只 位 次 些 点 件 种 之前 之后 以前 "
    "以后 时候 地方"
)
"""Pronouns, particles, adverbs of degree and negation, prepositions, conjunctions, auxiliaries, measure words."""


class Chinese(Language):
    """Chinese: words are jieba's, lengths count characters."""

    code = "zh"
    name = "Chinese"
    opening = (
        "这条路走到尽头就能看见大海。\n"
        "双方将于下个月就合同细节继续协商。\n"
        "外婆做的红烧肉，我到现在还记得那个味道。\n"
        "新的规定对中小企业影响不大。\n"
        "她推开窗户，外面已经飘起了雪花。\n"
        "随着技术的进步，人们的出行方式发生了很大变化。\n"
    )
    pool = zh.POOL
    examples = zh.EXAMPLES
    example_form = ("词语：", "、", "句子：")
    instruction = "请用下面的词语写一个通顺的句子：{words}。只写这个句子。"
    copied_run = 4
    masks = (Mask("zh", chinese_rule), Mask("zh-full", han_rule), Mask("mixed", mixed_rule, _latin_lead))
    unit = "characters"
    character_bounds = (24, 12)
    full_stop = "。"
    comma = "，"
    words_apart = False
    evidence = "a Han character"
    function_words = frozenset(_FUNCTION_WORDS.split())
    naturalness = Odds.read(Path(__file__).parent / "naturalness" / "zh.json")

    def claims(self, text: str) -> bool:
        """Whether a Han character occurs."""
        return _HAN.search(text) is not None

    def vocabularies(self, texts: Sequence[str]) -> list[str]:
        """Simplified characters if they do, else all Han; with Latin letters the mixed mask."""
        text = "".join(texts)
        if _LATIN.search(text):
            return ["mixed", "mixed" + WIDE]
        proposals = "zh" if all(map(is_simplified, _HAN.findall(text))) else "zh-full"
        return ["zh", "zh-full", proposals + WIDE]

    def edges(self, text: str) -> frozenset[int]:
        """Offsets between jieba's words."""
        return _EDGES(text)

    def word_spans(self, text: str) -> list[Span]:
        """See :meth:`Language.word_spans`."""
        spans: list[Span] = []
        at = 0
        for word in rjieba.cut(text):
            if any(c.isalnum() for c in word):
                spans.append((at, at + len(word)))
            at += len(word)
        return spans

    def units(self, text: str) -> list[Span]:
        """Characters, without punctuation and white space."""
        return [(at, at + 1) for at, character in enumerate(text) if character.isalnum()]

    def flaw(self, keyword: str) -> tuple[str, str] | None:
        """White space between Han characters, which no sentence has: such a keyword is several."""
        if _SPACED_HAN.search(keyword) is None:
            return None
        return (
            f"{keyword[:40]!r} has white space between Chinese characters, which no sentence has",
            "leave the white space out, or give the parts as keywords of their own",
        )
