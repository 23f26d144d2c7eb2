"""All kinds of sampler: a new one joins this union."""

from __future__ import annotations

from typing import Annotated

from app.tasks.sampling.kernels import Annealing, Metropolis
from app.tasks.sampling.kinds.gibbs import GibbsOptions
from app.tasks.sampling.kinds.particle_gibbs import ParticleGibbsOptions
from app.tasks.sampling.kinds.rejection import RejectionOptions
from app.tasks.sampling.kinds.sequential import ImportanceOptions, SmcOptions
from app.tasks.sampling.kinds.tempering import TemperingOptions
from app.web.schemas import by_kind

Sampler = Annotated[
    Metropolis
    | Annealing
    | TemperingOptions
    | GibbsOptions
    | ParticleGibbsOptions
    | RejectionOptions
    | ImportanceOptions
    | SmcOptions,
    *by_kind("annealing"),
]
