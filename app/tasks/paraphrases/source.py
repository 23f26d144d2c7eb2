"""A text to be said in other words: its tokens, and what of them stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.languages.base import Language
from app.languages.choice import Named, choose_language, choose_vocabulary
from app.tasks.paraphrases.kept import KINDS, Kind, kept_spans
from app.tasks.paraphrases.schemas import ParaphrasesRequest
from models.language.scoring.model import LoadedModel
from models.language.vocabulary import Role, Vocabulary
from models.text.normalisation import normalise_name
from samplers.first_states import from_text
from samplers.spans import Span
from samplers.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text of a request, read.

    Attributes:
        field: that gave it.
        given: as given.
        text: in normal form, with a closing mark.
        marked: whether the closing mark was given.
        language: what it is written in.
        vocabulary: the mask that spells it.
        state: its tokens; what stays is in blocks.
        held: the kinds of words that are kept.
    """

    field: str
    given: str
    text: str
    marked: bool
    language: Language
    vocabulary: Vocabulary
    state: State
    held: frozenset[Kind]

    @property
    def kept(self) -> list[str]:
        """The texts of the blocks; one may be a space alone, of which nothing is shown."""
        state, decode = self.state, self.vocabulary.decode
        return [text for number in state.keywords if (text := decode(state.tokens[state.block(number)]))]

    def shown(self, text: str) -> str:
        """A paraphrase as the caller sees it: with a closing mark if the text has one."""
        return text if self.marked else text[:-1].rstrip()


def read_source(request: ParaphrasesRequest, number: int, model: LoadedModel) -> Source:
    """Read a text of a request.

    Raises:
        ProblemError: 422, the vocabulary has no tokens for it.
    """
    field, given = f"texts[{number}]", request.texts[number]
    text = normalise_name(given)
    language = choose_language(request.language, [text])
    marked = all(mask.rule(text[-1], 0) is Role.END for mask in language.masks)
    text = text if marked else text + language.full_stop
    vocabulary = choose_vocabulary(language, [Named(field, text)], model.vocabulary, Vocabulary.sentence)
    tokens = vocabulary.sentence(text)
    held = frozenset(KINDS) - frozenset(request.change)
    blocks = _blocks(tokens, vocabulary, language, kept_spans(text, language, request.keep, held))
    return Source(field, given, text, marked, language, vocabulary, from_text(tokens, blocks), held)


def _blocks(tokens: Sequence[int], vocabulary: Vocabulary, language: Language, kept: Sequence[Span]) -> list[slice]:
    """Runs of tokens that stay: what is kept, and each word with a token that no proposal brings back."""
    free = {int(token) for token in vocabulary.ids[: vocabulary.interior]}
    text, start = vocabulary.decode(tokens), 0
    spans: list[Span] = []
    for at in range(len(tokens) - 1):
        stop = len(vocabulary.decode(tokens[: at + 1]))
        spans.append((stop - len(text[start:stop].lstrip()), stop))
        start = stop
    unfree = [token not in free for token in tokens[:-1]]
    held = [*kept, *(span for span, alone in zip(spans, unfree, strict=True) if alone)]
    held += [word for word in language.word_spans(text) if any(_meet(word, span) for span in held)]
    blocks: list[slice] = []
    for at, span in enumerate(spans):
        if unfree[at] or any(_meet(span, other) for other in held):
            joined = blocks and blocks[-1].stop == at
            blocks.append(slice(blocks.pop().start if joined else at, at + 1))
    return blocks


def _meet(one: Span, other: Span) -> bool:
    """Whether two spans share a character."""
    return max(one[0], other[0]) < min(one[1], other[1])
