"""Verdicts on chains whose state is known because they are made up."""

from __future__ import annotations

import re
from itertools import permutations

import numpy as np
import pytest
from starlette.testclient import TestClient

from app.tasks.sampling.convergence import MIN_ESS, Convergence, convergence, order_number
from samplers.diagnostics.scores import Draws

STEPS = 400


def noise(chains: int = 8, draws: int = STEPS // 2, seed: int = 0) -> Draws:
    return np.random.default_rng(seed).standard_normal((chains, draws))


def held(draws: Draws, share: float) -> Draws:
    """Draws of which each is the one before with a probability."""
    stays = np.random.default_rng(1).random(draws.shape) < share
    for t in range(1, draws.shape[1]):
        draws[:, t] = np.where(stays[:, t], draws[:, t - 1], draws[:, t])
    return draws


def judged(log_density: Draws, length: Draws | None = None, order: Draws | None = None) -> Convergence:
    draws = {"log_density": log_density, "length": np.round(noise(*log_density.shape, 2) if length is None else length)}
    return convergence(draws | ({} if order is None else {"keyword_order": order}), STEPS)


def test_good_chains() -> None:
    report = judged(noise(), order=np.round(noise(seed=3)))
    assert report.converged is True and report.summary.startswith("Converged: the chains agree (R-hat 1.0")
    assert report.rhat is not None and report.rhat.keyword_order is not None
    assert report.ess_bulk is not None and report.ess_bulk.log_density is not None
    assert report.ess_bulk.log_density > 1000
    assert report.mcse is not None and report.mcse.log_density == pytest.approx(1 / np.sqrt(1600), rel=0.2)
    assert report.reason is None and report.warmup == STEPS // 2


def test_good_but_few_draws_say_how_many_steps_are_enough() -> None:
    def slow(draws: int) -> Convergence:
        return judged(held(noise(draws=draws), 0.75), held(noise(draws=draws, seed=2), 0.75))

    report = slow(STEPS // 2)
    assert report.converged is False and report.summary.startswith("Not yet: the chains agree")
    advised = int(re.findall(r"about (\d+)", report.summary)[0])
    assert STEPS < advised < 60 * STEPS
    ess = [
        table.model_dump()[name] for table in (report.ess_bulk, report.ess_tail) for name in ("log_density", "length")
    ]
    assert advised == pytest.approx(STEPS * MIN_ESS / min(ess), rel=0.1)
    assert slow(advised // 2).converged is True


def test_chains_apart() -> None:
    report = judged(noise() + 3 * np.arange(8)[:, None])
    assert report.converged is False and "disagree (R-hat" in report.summary and "log density" in report.summary
    assert "sampler.steps to 4000" in report.summary
    report = judged(noise(), order=np.repeat([[0.0], [1.0]] * 4, STEPS // 2, axis=1))
    assert report.converged is False and "R-hat inf of the keyword order" in report.summary
    assert report.rhat is not None and report.rhat.keyword_order is None and report.rhat.log_density is not None


def test_stuck_chains() -> None:
    everyone = judged(np.repeat(noise(8, 1), STEPS // 2, axis=1))
    assert everyone.converged is False and "no chain moved" in everyone.summary
    one = noise()
    one[3] = 4.0
    report = judged(one)
    assert report.converged is False and "1 of 8 chains stood still" in report.summary


def test_what_cannot_be_known_is_null() -> None:
    report = judged(noise(chains=1))
    assert report.converged is None and "sampler.chains" in report.summary
    assert report.rhat is not None and report.rhat.log_density is None
    assert report.ess_bulk is not None and report.ess_bulk.log_density is not None
    report = convergence({"log_density": noise(draws=3), "length": noise(draws=3)}, 6)
    assert report.converged is None and report.rhat is None and report.reason is not None
    assert "too few steps" in report.reason and "sampler.steps to 8" in report.summary


def test_an_order_that_never_changes_is_null_and_harmless() -> None:
    report = judged(noise(), order=np.zeros((8, STEPS // 2)))
    assert report.converged is True and report.ess_tail is not None and report.ess_tail.keyword_order is None


def test_orders_are_numbered_like_permutations() -> None:
    assert [order_number(order) for order in permutations(range(4))] == list(range(24))
    assert order_number([]) == 0


def test_answers_hold_the_report(client: TestClient) -> None:
    body = {"keywords": ["今天", "公园"], "seed": 3, "sampler": {"kind": "metropolis", "chains": 4, "steps": 60}}
    found = client.post("/v1/sentences", json=body).json()["diagnostics"]
    assert found["warmup"] == 30 and found["converged"] in (True, False) and found["summary"]
    assert set(found["rhat"]) == set(found["mcse"]) == {"log_density", "length", "keyword_order"}
    assert found["ess_bulk"]["log_density"] > 0 and found["reason"] is None

    found = client.post("/v1/sentences", json={**body, "sampler": {"chains": 2, "steps": 10}}).json()["diagnostics"]
    assert found["converged"] is found["rhat"] is found["mcse"] is None and "annealing" in found["reason"]
    few = {**body, "sampler": {**body["sampler"], "steps": 3}}  # type: ignore[dict-item]
    assert "too few" in client.post("/v1/sentences", json=few).json()["diagnostics"]["reason"]
    pool = client.post("/v1/sentences", json={**body, "context": {"kind": "pool"}}).json()["diagnostics"]
    assert pool["converged"] is pool["rhat"] is None and "different contexts" in pool["reason"]
