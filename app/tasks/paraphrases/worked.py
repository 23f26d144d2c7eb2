"""Worked paraphrases, after which the language model says a text in other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.languages.base import Language
from app.tasks.sampling.contexts import ReadContext
from models.language.adapters.registry import PARAPHRASES
from models.language.scoring.model import LoadedModel


@dataclass(frozen=True, slots=True)
class Worked:
    """Worked paraphrases of a language.

    Attributes:
        before: goes before a text.
        between: goes before its paraphrase.
        pairs: texts and paraphrases, of the same meaning and in other words and order.
    """

    before: str
    between: str
    pairs: Sequence[tuple[str, str]]


WORKED = {
    "en": Worked(
        "Sentence: ",
        "In other words: ",
        (
            (
                "What is the quickest way to get from the airport to the city centre?",
                "How do I get to the city centre from the airport as quickly as possible?",
            ),
            (
                "The committee rejected the proposal because it was too expensive.",
                "Since the proposal was too expensive, it was turned down by the committee.",
            ),
            (
                "Can you tell me how long the museum stays open on Sundays?",
                "Until what time is the museum open on Sundays?",
            ),
            (
                "He has not been able to work since the accident last year.",
                "Since last year's accident he has not been fit for work.",
            ),
            (
                "Why do so many people give up learning a language?",
                "What makes so many people stop learning a language?",
            ),
            ("How can I improve my handwriting?", "What should I do to make my handwriting better?"),
        ),
    ),
    "zh": Worked(
        "句子：",
        "换句话说：",
        (
            ("由于下大雨，今天的比赛被取消了。", "今天的比赛因为大雨没有举行。"),
            ("怎样才能在短时间内提高写作水平？", "要想很快写得更好，应该怎么做？"),
            ("这家公司去年的利润增长了两成。", "去年，这家公司的利润比前年多了两成。"),
            ("大家一致认为，这个方案切实可行。", "所有人都觉得，这个办法行得通。"),
            ("他每天早上都坚持跑步，身体越来越好。", "因为天天早晨跑步，他的身体一天比一天好。"),
            ("孩子的教育不仅是学校的责任，也是家庭的责任。", "教育孩子，学校和家庭都有责任。"),
        ),
    ),
}
"""By the code of the language."""
PLAIN = Worked("Text: ", "Paraphrase: ", ())
"""For a language without any."""


def asking(text: str, language: Language) -> str:
    """What asks for a text in other words, without examples, as the adapter was trained to read it."""
    worked = WORKED.get(language.code, PLAIN)
    return f"\n{worked.before}{text}\n{worked.between.rstrip()}"


def asked_paraphrase(text: str, language: Language, model: LoadedModel) -> ReadContext:
    """A text, after which its paraphrase is due.

    Read with the model's adapter where it has one for the language; else worked paraphrases go before.
    """
    due = asking(text, language)
    if (adapter := model.adapters.get(PARAPHRASES.get(language.code, ""))) is not None:
        return ReadContext(due, adapter=adapter)
    worked = WORKED.get(language.code, PLAIN)
    lines = [f"{worked.before}{given}\n{worked.between}{said}\n\n" for given, said in worked.pairs]
    return ReadContext("".join(lines) + due.removeprefix("\n"))
