"""The engine's readers, one for each language."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.engine.engine import Engine
from app.tasks.readings.forms import form_of
from models.retrieval.reading.form import Form
from models.retrieval.reading.order import ReadingOrder
from models.retrieval.reading.reader import Reader

SHARE_OF_EXAMPLES = 4
"""Examples take one part in so many of what the model reads, at most."""


@dataclass(eq=False)
class Readers:
    """Readers over the weights that the engine samples with."""

    engine: Engine
    order: ReadingOrder | None = field(init=False)  # fitted for the model
    _made: dict[str, Reader] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.order = ReadingOrder.of(self.engine.model.name)

    @property
    def room(self) -> int:
        """Tokens that are read and written together, at most."""
        return min(self.engine.model.max_context, self.engine.limits.max_context_tokens)

    def of(self, code: str) -> Reader:
        """The reader of a language, which has read no example yet; with as many of them as fit."""
        if code not in self._made:
            form = form_of(code)
            reader = self._reader(form)
            while form.examples and len(reader.opening) > self.room // SHARE_OF_EXAMPLES:
                form = form._replace(examples=form.examples[1:])
                reader = self._reader(form)
            self._made[code] = reader
        return self._made[code]

    def _reader(self, form: Form) -> Reader:
        model = self.engine.model
        return Reader(model.scorer, model.tokenizer.backend, model.begin, form)


def readers_of(engine: Engine) -> Readers:
    """The engine's readers."""
    return engine.part(Readers)
