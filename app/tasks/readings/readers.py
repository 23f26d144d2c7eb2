"""The engine's readers, one for each language, and the adapter that they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from app.engine.adapted import adapted_model
from app.engine.engine import Engine
from app.engine.reports import Scorer
from app.engine.session import scorer_report
from app.settings.settings import Settings
from app.tasks.readings.forms import form_of
from models.language.scoring.model import LoadedModel
from models.retrieval.reading.form import Form
from models.retrieval.reading.reader import Reader

SHIPPED_ADAPTER = Path(__file__).parents[3] / "models" / "retrieval" / "adapters" / "readings"
"""The default model's adapter; it may be left out of an installation."""
SHARE_OF_EXAMPLES = 4
"""Examples take one part in so many of what the model reads, at most."""


@dataclass(eq=False)
class Readers:
    """Readers over the weights that the engine samples with, with the adapter where there is one for them."""

    engine: Engine
    adapter: Path | None = field(init=False)
    _made: dict[str, Reader] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.adapter = adapter_of(self.engine.settings)

    @cached_property
    def loaded(self) -> LoadedModel:
        """What reads; loaded by who asks first, which takes a second or two."""
        return self.engine.model if self.adapter is None else adapted_model(self.engine, self.adapter)

    @property
    def report(self) -> Scorer:
        """What reads, for an answer."""
        return scorer_report(self.loaded)

    @property
    def room(self) -> int:
        """Tokens that are read and written together, at most."""
        return min(self.engine.model.max_context, self.engine.limits.max_context_tokens)

    def of(self, code: str) -> Reader:
        """The reader of a language, which has read no example yet; with as many of them as fit."""
        if code not in self._made:
            form = form_of(code, adapted=self.adapter is not None)
            reader = self._reader(form)
            while form.examples and len(reader.opening) > self.room // SHARE_OF_EXAMPLES:
                form = form._replace(examples=form.examples[1:])
                reader = self._reader(form)
            self._made[code] = reader
        return self._made[code]

    def _reader(self, form: Form) -> Reader:
        model = self.engine.model
        return Reader(lambda: self.loaded.scorer, model.tokenizer.backend, model.begin, form)


def adapter_of(settings: Settings) -> Path | None:
    """The adapter with which the settings' model reads; None for none."""
    fits = settings.model == "default" and (SHIPPED_ADAPTER / "adapter_config.json").is_file()
    return SHIPPED_ADAPTER if fits else None


def readers_of(engine: Engine) -> Readers:
    """The engine's readers."""
    return engine.part(Readers)
