"""Paraphrases texts whose paraphrases by people are known, and holds both against copying the text."""

from __future__ import annotations

import importlib.util
import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.progress import Progress

from app.cli.evaluate.each import model_of
from app.cli.evaluate.lines import json_lines, references_of, sink
from app.engine.engine import Engine
from app.languages.choice import AskedLanguage, choose_language
from app.tasks.paraphrases.kept import numbers
from app.tasks.paraphrases.schemas import OfText, ParaphrasesAnswer, ParaphrasesRequest, TextParaphrases
from app.tasks.paraphrases.task import Paraphrases
from app.web.codes import Code
from app.web.problems import invalid
from app.web.validation import validated

ALPHA = 0.9
"""Weight of BLEU in iBLEU (Sun and Zhou, Joint learning of a dual SMT system for paraphrase generation, ACL 2012)."""

_MARKS = re.compile(r"('s\b|'(?=(?:ve|t|m|re|ll|d)\b)|[,.?!;:\"()])")
_ENCLITIC = re.compile(r" +('s\b)| +' +(?=(?:ve|t|m|re|ll|d|s)\b)")


@dataclass(frozen=True, slots=True)
class ParaphrasesEvaluation:
    """An evaluation to run.

    Attributes:
        file: JSON Lines with ``source`` (or ``origin``) and ``reference``, ``references`` or ``ref``.
        limit: only the first so many lines.
        options: fields of the request beside the texts.
        tokenised: whether the texts are English, tokenised and in lower case, and without their closing marks.
        output: JSON Lines with each line's result.
        encoding: of the file; None for UTF-8.
    """

    file: Path
    limit: int | None
    options: dict[str, Any]
    tokenised: bool
    output: Path | None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A text and its paraphrases by people."""

    line: int
    source: str
    references: Sequence[str]


def read_pairs(evaluation: ParaphrasesEvaluation) -> Iterator[Pair]:
    """The texts of the file.

    Raises:
        ProblemError: a line is not what it should be, or the package that counts BLEU is not installed.
        TextFileError: the file cannot be read.
    """
    if importlib.util.find_spec("sacrebleu") is None:
        message = "BLEU is counted by sacrebleu, which is not installed"
        raise invalid("sacrebleu", Code.MISSING, message, "install it, or chainwright with the extra evaluate")
    for number, line in json_lines(evaluation.file, evaluation.encoding)[: evaluation.limit]:
        where = f"{evaluation.file.name}:{number}"
        given = line if isinstance(line, dict) else {}
        source = given.get("source", given.get("origin"))
        references = references_of(where, {"reference": given["ref"], **given} if "ref" in given else given)
        if not isinstance(source, str) or not references:
            message = "the line has no source with a reference"
            raise invalid(where, Code.MISSING, message, "give a JSON object with both")
        yield Pair(number, source, references)


def written_out(tokens: str) -> str:
    """An English text of lower-case tokens as it is written, with a capital and a question mark or a full stop."""
    text = _ENCLITIC.sub(lambda found: found[1] or "'", " ".join(tokens.split())).replace(" ,", ",")
    text = re.sub(r"\bi\b", "I", text)
    asks = re.match(
        r"(?:what|how|why|who|whom|whose|which|when|where|is|are|was|were|do|does|did|can|could|will|would|"
        r"should|has|have|had|am|may|if|in (?:what|which)|on what|at what|for what)\b",
        text,
    )
    return text[:1].upper() + text[1:] + ("?" if asks else ".")


def tokens_of(text: str, tokenised: bool, language: AskedLanguage) -> list[str]:
    """What BLEU counts: tokens in lower case without the closing mark, or the units of the language."""
    if tokenised:
        return _MARKS.sub(r" \1 ", text.lower().rstrip(".?! ")).split()
    spans = choose_language(language, [text]).units(text)
    return [text[start:stop].lower() for start, stop in spans]


async def evaluate_paraphrases(
    evaluation: ParaphrasesEvaluation, pairs: Sequence[Pair], engine: Engine
) -> dict[str, Any]:
    """Paraphrase every text, as few requests as the limits allow, and report.

    Raises:
        ProblemError: a text cannot be paraphrased, or the output cannot be written.
    """
    texts = [written_out(pair.source) if evaluation.tokenised else pair.source for pair in pairs]
    found: dict[int, TextParaphrases] = {}
    measure, most, started = "", engine.limits.max_texts, time.perf_counter()
    errors = Console(stderr=True)
    with (
        Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar,
        sink(evaluation.output) as file,
    ):
        task = bar.add_task("Paraphrasing", total=len(pairs))
        for first in range(0, len(pairs), most):
            body = {"texts": texts[first : first + most], **evaluation.options}
            request = validated(ParaphrasesRequest, body)
            async with Paraphrases().stream(request, engine) as events:
                async for event in events:
                    if isinstance(event.data, ParaphrasesAnswer):
                        measure = event.data.measure
                    if isinstance(event.data, OfText) and isinstance(event.data.data, TextParaphrases):
                        number = first + event.data.number
                        found[number] = event.data.data
                        bar.update(task, completed=len(found))
                        if file:
                            print(
                                json.dumps(_line(pairs[number], found[number]), ensure_ascii=False),
                                file=file,
                                flush=True,
                            )
    seconds = time.perf_counter() - started
    return {
        **summary(pairs, texts, [found[number] for number in range(len(pairs))], evaluation),
        "measure": measure,
        "lm_tokens_per_text": fmean(one.usage.lm_tokens for one in found.values()),
        "texts_per_second": len(pairs) / seconds,
        "options": evaluation.options,
        **model_of(engine),
    }


def _line(pair: Pair, found: TextParaphrases) -> dict[str, Any]:
    best = found.texts[0].model_dump(include={"text", "similarity", "overlap", "log_prob"}) if found.texts else {}
    return {
        "line": pair.line,
        "source": found.source,
        "references": list(pair.references),
        "kept": found.kept,
        **best,
    }


def summary(
    pairs: Sequence[Pair], texts: Sequence[str], found: Sequence[TextParaphrases], evaluation: ParaphrasesEvaluation
) -> dict[str, Any]:
    """BLEU against people's paraphrases and against the text, of the paraphrases and of copying the text.

    A text without a paraphrase, as draws that are no chains may leave one, counts as nothing said.
    """
    language: AskedLanguage = evaluation.options.get("language", "auto")

    def tokens(text: str) -> str:
        return " ".join(tokens_of(text, evaluation.tokenised, language))

    sources = [tokens(text) for text in texts]
    best = [(text, one, one.texts[0]) for text, one in zip(texts, found, strict=True) if one.texts]
    said = [tokens(one.texts[0].text) if one.texts else "" for one in found]
    references = [[tokens(reference) for reference in pair.references] for pair in pairs]
    return {
        "texts": len(pairs),
        "paraphrases": scores(said, references, sources),
        "copying": scores(sources, references, sources),
        "paraphrased": len(best) / len(pairs),
        "similarity": _mean(one.similarity for _, _, one in best),
        "kept": _mean(all(word in one.text for word in asked.kept) for _, asked, one in best),
        "numbers_kept": _mean(sorted(numbers(text)) == sorted(numbers(one.text)) for text, _, one in best),
    }


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None


def scores(said: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]) -> dict[str, float]:
    """BLEU of tokenised texts, mean over sentences and of the corpus, and iBLEU = 0.9 BLEU - 0.1 self-BLEU of each.

    Sentences as sacrebleu has them with the smoothing ``floor``: 0.1 matches where there are none.
    """
    from sacrebleu.metrics import BLEU

    sentence = BLEU(tokenize="none", smooth_method="floor", effective_order=True)
    corpus = BLEU(tokenize="none", force=True)
    most = max(map(len, references))
    columns = [[each[number % len(each)] for each in references] for number in range(most)]
    figures = {
        "bleu": fmean(sentence.sentence_score(a, list(b)).score for a, b in zip(said, references, strict=True)),
        "self_bleu": fmean(sentence.sentence_score(a, [b]).score for a, b in zip(said, sources, strict=True)),
        "corpus_bleu": corpus.corpus_score(list(said), columns).score,
        "corpus_self_bleu": corpus.corpus_score(list(said), [list(sources)]).score,
    }
    for of in ("", "corpus_"):
        figures[f"{of}ibleu"] = ALPHA * figures[f"{of}bleu"] - (1 - ALPHA) * figures[f"{of}self_bleu"]
    return figures
