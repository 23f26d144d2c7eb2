"""The engine's model with an adapter added to its weights."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from app.engine.engine import Engine
from models.language.loading import causal_model, find_files, fingerprint_of, source_of
from models.language.scoring.model import LoadedModel


def adapted_model(engine: Engine, adapter: Path) -> LoadedModel:
    """Load the engine's model with an adapter, which takes a second or two."""
    model, settings = engine.model, engine.settings
    source = source_of(settings.model, settings.cache_dir, engine.progress, settings.model_source, settings.offline)
    dtype = model.scorer.forward.dtype
    weights = causal_model(source, dtype, model.scorer.forward.device, adapter)
    # Before the scorer takes it apart.
    fingerprint = fingerprint_of(find_files(source), weights, dtype)
    return model.adapted(weights, fingerprint)


@dataclass(eq=False)
class AdaptedModels:
    """The engine's model with each adapter that was asked for, loaded once."""

    engine: Engine
    _loading: dict[Path, asyncio.Future[LoadedModel]] = field(default_factory=dict, init=False)

    async def get(self, adapter: Path | None) -> LoadedModel:
        """The model with an adapter; as it is for None."""
        if adapter is None:
            return self.engine.model
        known = self._loading.get(adapter)
        if known is None or (known.done() and known.exception() is not None):
            call = self.engine.batcher.call(lambda: adapted_model(self.engine, adapter))
            self._loading[adapter] = asyncio.ensure_future(call)
        # Who leaves meanwhile does not take it from the others.
        return await asyncio.shield(self._loading[adapter])


def adapted_models(engine: Engine) -> AdaptedModels:
    """The engine's adapted models."""
    return engine.part(AdaptedModels)
