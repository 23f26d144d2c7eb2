"""Texts that stand in every sentence beside the keywords: its opening, its ending, phrases that occur so often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from app.languages.base import Language
from app.languages.choice import Named
from app.tasks.keywords.clauses import Clauses, clauses
from app.tasks.keywords.forms import Keywords
from app.tasks.keywords.schemas import Counted, SentencesRequest, WordList
from models.language.vocabulary import Role, SpellingError, Vocabulary
from samplers.constraints.acrostic import Acrostic
from samplers.constraints.base import Constraint
from samplers.constraints.counts import Counts, count
from samplers.constraints.ends_with import EndsWith
from samplers.constraints.listed_words import ListedWords
from samplers.constraints.starts_with import StartsWith
from samplers.constraints.words import occurrences
from samplers.spans import Decode

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Texts that a request wants in every sentence, and the keywords that they leave to place.

    Attributes:
        opening: that of ``starts_with``.
        ending: that of ``ends_with``, without its closing mark.
        mark: the closing mark that ``ends_with`` asks for; any if empty.
        counts: phrases and how often each occurs.
        placed: keywords that neither opening nor ending holds.
        repeated: a text for each occurrence of a phrase that the others lack.
        clauses: those of an acrostic.
        words: the only ones that sentences may have, those of keywords among them; None for any.
    """

    opening: Named | None
    ending: Named | None
    mark: str
    counts: Sequence[Counted]
    placed: Keywords
    repeated: Sequence[Named]
    clauses: Clauses | None
    words: frozenset[str] | None

    @property
    def outer(self) -> list[Named]:
        """Opening and ending, as far as there are any."""
        return [text for text in (self.opening, self.ending) if text is not None]

    @property
    def named(self) -> list[Named]:
        """Every whole text but the keywords."""
        return [*self.repeated, *self.outer]

    @property
    def characters(self) -> list[Named]:
        """The characters that clauses are still to open with."""
        return [Named("acrostic", character) for character in (self.clauses.left if self.clauses is not None else "")]

    def texts(self, language: Language) -> list[list[str]]:
        """The least text of each block but the keywords'."""
        openings = self.clauses.texts(language) if self.clauses is not None else []
        return [[text] for text in (*(named.text for named in self.named), *openings)]

    def constraints(self, language: Language, decode: Decode) -> list[Constraint]:
        """What keeps the texts where they are."""
        found: list[Constraint] = []
        if self.opening is not None:
            found.append(StartsWith(self.opening.text))
        if self.ending is not None or self.mark:
            found.append(EndsWith(self.ending.text if self.ending else "", decode, self.mark))
        found += [Counts(each.phrase, each.at_least, each.at_most, language.forbidden_edges) for each in self.counts]
        if self.clauses is not None:
            found.append(Acrostic(self.clauses.asked))
        if self.words is not None:
            found.append(ListedWords(self.words, language.word_spans, decode))
        return found

    def inserts(self, vocabulary: Vocabulary) -> list[Tokens]:
        """The words as free tokens, with a capital too, as far as the model proposes these."""
        capital = {word[0].upper() + word[1:] for word in self.words or ()}
        interior = {int(token) for token in vocabulary.ids[: vocabulary.interior]}
        found: dict[Tokens, None] = {}
        for word in sorted(capital | (self.words or set())):
            with suppress(SpellingError):
                found |= dict.fromkeys(vocabulary.spellings(word))
        return [tokens for tokens in found if interior.issuperset(tokens)]

    def drafted(self, vocabulary: Vocabulary, inserts: Sequence[Tokens]) -> frozenset[int] | None:
        """Tokens that a draft may write: marks, and those of :meth:`inserts`; None for all."""
        if self.words is None:
            return None
        marks = (int(token) for token in vocabulary.ids[: vocabulary.interior])
        marks = (token for token in marks if not any(map(str.isalnum, vocabulary.piece(token))))
        return frozenset({*marks, *chain.from_iterable(inserts)})

    def spellings(self, vocabulary: Vocabulary, language: Language) -> list[list[Tokens]]:
        """Token sequences of the forms of each block but the keywords': of :attr:`named`, then of clauses' openings."""
        found = [vocabulary.spellings(text.text) for text in self.repeated]
        if self.opening is not None:
            found.append([vocabulary.sentence(self.opening.text)])
        if self.ending is not None:
            text = self.ending.text
            # A mark carries no space before it.
            found.append([vocabulary.sentence(text) if text[0].isalnum() else vocabulary.spell(text)])
        return found + (self.clauses.forms(vocabulary, language, self.words) if self.clauses is not None else [])


def fixed_texts(request: SentencesRequest, keywords: Keywords, language: Language) -> Fixed:
    """The texts of a request whose values are within their bounds."""
    opening = Named("starts_with", request.starts_with) if request.starts_with else None
    text = request.ends_with or ""
    mark = text[-1:] if text and any(mask.rule(text[-1], 0) is Role.END for mask in language.masks) else ""
    body = text.removesuffix(mark).rstrip()
    ending = Named("ends_with", body) if body else None
    placed = _placed(keywords, opening, ending, request.ordered, language)
    outer = [each for each in (opening, ending) if each is not None]
    return Fixed(
        opening,
        ending,
        mark,
        request.counts,
        placed,
        list(_repeated(request.counts, placed, outer, language)),
        clauses(request.acrostic, opening, ending) if request.acrostic else None,
        _words(request.vocabulary, keywords, language),
    )


def _words(asked: WordList | None, keywords: Keywords, language: Language) -> frozenset[str] | None:
    if asked is None:
        return None
    forms = [form.text for forms in keywords for form in forms]
    own = {text[start:stop] for text in forms for start, stop in language.word_spans(text)}
    return frozenset({*asked.words, *forms, *own} | (language.function_words if asked.function_words else set()))


def _placed(
    keywords: Keywords, opening: Named | None, ending: Named | None, ordered: bool, language: Language
) -> Keywords:
    """The keywords without those that opening or ending hold as whole words, in their order if it counts."""
    if not ordered:
        texts = [each.text for each in (opening, ending) if each is not None]
        edges = [language.edges(text) for text in texts]
        return [
            forms
            for forms in keywords
            if not any(
                next(occurrences(form.text, text, edge), None)
                for form in forms
                for text, edge in zip(texts, edges, strict=True)
            )
        ]
    first, last = 0, len(keywords)
    if opening is not None:
        edge, reached = language.edges(opening.text), 0
        while first < last:
            spans = [s for form in keywords[first] for s in occurrences(form.text, opening.text, edge)]
            stops = [stop for start, stop in spans if start >= reached]
            if not stops:
                break
            first, reached = first + 1, min(stops)
    if ending is not None:
        edge, reached = language.edges(ending.text), len(ending.text)
        while first < last:
            spans = [s for form in keywords[last - 1] for s in occurrences(form.text, ending.text, edge)]
            starts = [start for start, stop in spans if stop <= reached]
            if not starts:
                break
            last, reached = last - 1, max(starts)
    return keywords[first:last]


def _repeated(
    counts: Sequence[Counted], placed: Keywords, outer: Sequence[Named], language: Language
) -> Iterator[Named]:
    """Each phrase as often as the texts laid out so far lack it, long phrases first: they may hold short ones."""
    laid = [[each.text] for each in outer] + [[form.text for form in forms] for forms in placed]
    for number, each in sorted(enumerate(counts), key=lambda pair: -len(pair[1].phrase)):
        for _ in range(each.at_least - sure_occurrences(each.phrase, laid, language)):
            laid.append([each.phrase])
            yield Named(f"counts[{number}].phrase", each.phrase)


def sure_occurrences(phrase: str, laid: Sequence[Sequence[str]], language: Language) -> int:
    """How often a phrase occurs at least in texts of which each has one of several forms."""
    return sum(min(count(phrase, form, language.forbidden_edges) for form in forms) for forms in laid)
