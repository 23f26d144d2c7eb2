"""From a text to be paraphrased to a sampling problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.languages.base import Unit
from app.languages.choice import choose_language
from app.settings.settings import Limits
from app.tasks.limits import Bound, above
from app.tasks.paraphrases.kept import negations, numbers, word_spans
from app.tasks.paraphrases.schemas import ParaphrasesRequest
from app.tasks.paraphrases.source import Source
from app.tasks.paraphrases.worked import asked_paraphrase
from app.tasks.sampling.checks import checked_options
from app.tasks.sampling.contexts import Contexts, ExamplesContext, InstructionContext, contexts_of
from app.tasks.sampling.problem import SamplingProblem
from app.web.codes import Code
from app.web.problems import Fault, refuse
from models.language.scoring.model import LoadedModel
from models.text.normalisation import normalise_name
from samplers.constraints.as_often import AsOften
from samplers.constraints.base import Constraint
from samplers.constraints.differs import Differs
from samplers.constraints.framed import Framed
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.repeats import NoStutter
from samplers.first_states import Apart, KeywordBlocks
from samplers.moves.base import Move
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.redraw import Redraw
from samplers.moves.redraw_span import RedrawSpan
from samplers.moves.replace import Replace
from samplers.moves.shift import Shift
from samplers.target import Target

MOST_APART, MORE_APART = 14, 0.8
"""A text is written in one go where nothing of it is kept, so particles draw as many free tokens as it has, up to
these: with three and 0.4, as between keywords, most of them ended too early."""
START_BETA = 1.2
"""Of the particles that give first states: the likeliest that the model writes after a text is the text itself."""
SHORTEST, LONGEST = 3 / 4, 3 / 2
"""Of the text's length, the bounds of a paraphrase's unless told otherwise."""


def check(request: ParaphrasesRequest, limits: Limits) -> None:
    """Refuse what is wrong with a request whatever its texts say.

    Raises:
        ProblemError: 422.
    """
    bounds, faults = checked_options(request, limits)
    bounds += [Bound("texts", request.texts, limits.max_texts, "texts in one request")]
    bounds += [Bound(f"texts[{n}]", text, limits.max_text_characters) for n, text in enumerate(request.texts)]
    bounds += [Bound("texts", "".join(request.texts), limits.max_paraphrased_characters)]
    bounds += [Bound("keep", request.keep, limits.max_keywords, "words")]
    bounds += [Bound(f"keep[{n}]", word, limits.max_keyword_characters) for n, word in enumerate(request.keep)]
    bounds += [Bound(f"length.{end}", getattr(request.length, end), limits.max_length) for end in ("min", "max")]
    refuse(list(above(bounds)))
    refuse([*faults, *_faults(request)])


def _faults(request: ParaphrasesRequest) -> Iterator[Fault]:
    texts = [normalise_name(text) for text in request.texts]
    read = [(text, choose_language(request.language, [text])) for text in texts]
    for number, text in enumerate(texts):
        if not any(map(str.isalnum, text)):
            yield Fault(
                field=f"texts[{number}]",
                code=Code.TOO_SHORT,
                message=f"{text[:40]!r} has no words",
                remedy="give a sentence, or leave the entry out",
            )
    for number, word in enumerate(request.keep):
        if not any(word_spans(word, text, language) for text, language in read):
            yield Fault(
                field=f"keep[{number}]",
                code=Code.NOT_FOUND,
                message=f"{word[:40]!r} stands in none of the texts as a word",
                remedy="write it as the text does, or leave it out",
            )
    asked = request.length
    if asked.min is not None and asked.max is not None and asked.max < asked.min:
        yield Fault(
            field="length.max",
            code=Code.CONTRADICTORY,
            message=f"{asked.max} is less than length.min, {asked.min}",
            remedy=f"give at least {asked.min}",
        )
    for field, given in (("context.kind", request.context), ("proposals", request.proposals)):
        if isinstance(given, InstructionContext) or given == "instruction":
            yield Fault(
                field=field,
                code=Code.UNKNOWN_VALUE,
                message="the instruction asks for a sentence of keywords",
                remedy="take examples, which are worked paraphrases here, or give a text",
            )


def make_problem(request: ParaphrasesRequest, source: Source, model: LoadedModel) -> SamplingProblem:
    """The support of a text's paraphrases, and the moves that walk it; the potential is still to come."""
    language, vocabulary, state = source.language, source.vocabulary, source.state
    length, unit = _bounds(request, source)
    kept = [[text] for text in source.kept]
    said = vocabulary.decode(state.tokens)
    whole = [forms for forms in kept if not AllKeywords([forms], language.edges).violation(state, said)]
    # A text may break what well-made sentences hold, and so may its paraphrases then.
    usual = [
        AllKeywords(whole, language.edges, ordered=True),
        *language.constraints(kept, vocabulary.decode),
        NoStutter(vocabulary.decode),
    ]
    constraints: list[Constraint] = [
        Differs(source.text),
        length,
        Framed(None, None, frozenset(state.tokens[-1:] if source.marked else vocabulary.end_tokens)),
        *(AsOften(source.text, of_kind) for kind, of_kind in _COUNTED.items() if kind in source.held),
        *(constraint for constraint in usual if not constraint.violation(state, said)),
    ]
    target = Target(vocabulary.decode, constraints, objective=request.sampler.objective)
    moves: list[Move] = [
        Replace(),
        Insert(),
        Delete(),
        RedrawSpan(),
        Shift(True),
        Redraw(
            frozenset(vocabulary.end_tokens),
            hopeless=lambda begun: length.exceeded(begun, vocabulary.decode(begun.tokens)),
        ),
    ]
    return SamplingProblem(
        language=language,
        vocabulary=vocabulary,
        target=target,
        length=length,
        unit=unit,
        moves=moves,
        source=KeywordBlocks(
            [[state.tokens[state.block(number)]] for number in state.keywords],
            ordered=True,
            end=state.tokens[-1],
            apart=Apart(min(len(state), MOST_APART), MORE_APART),
        ),
        contexts=_contexts(request, source, model),
        max_tokens=3 * max(len(state), length.maximum or 0) + 1,
        field=source.field,
        start_beta=START_BETA,
        remedy="keep fewer words, loosen length, or try another seed",
    )


_COUNTED = {"numbers": numbers, "negations": negations}


def _bounds(request: ParaphrasesRequest, source: Source) -> tuple[LengthBounds, Unit]:
    asked, language = request.length, source.language
    unit = asked.unit or language.unit
    own = language.measure(unit)(source.state, source.text)
    least = int(SHORTEST * own) if asked.min is None else asked.min
    most = int(LONGEST * own) + 1 if asked.max is None else asked.max
    if asked.max is None:
        most = max(most, least)
    elif asked.min is None:
        least = min(least, most)
    return LengthBounds(language.measure(unit), least, most, unit != "words" or language.words_apart), unit


def _contexts(request: ParaphrasesRequest, source: Source, model: LoadedModel) -> Contexts:
    """What asks for a paraphrase, or what the request gives; proposals may come from the former in any case."""
    worked, asked = asked_paraphrase(source.text, source.language, model), request.context
    if asked is None or isinstance(asked, ExamplesContext):
        return Contexts([worked])
    given = contexts_of(asked, "context", source.language, [], model.chat)
    return replace(given, guide=worked) if request.proposals == "examples" else given
