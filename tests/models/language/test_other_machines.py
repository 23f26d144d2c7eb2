"""What computes passes its tests as on machines that this one is not: with less held back, it is one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.language.forward import layer

ROOT = Path(__file__).parents[3]

MACHINES: dict[str, dict[str, str]] = {
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    # The least that there is: what runs here runs on any processor.
    "default": {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default", layer.LAYERS_SWITCH: "off"},
}
"""By PyTorch's name for the instruction set: an ordinary machine, and one with nothing at all."""

TESTS = [
    "language/test_device.py",
    *(f"language/forward/test_{name}.py" for name in ("checkpoint", "layer", "low_rank", "products")),
    "language/scoring/test_scorer.py",
    *(f"retrieval/writers/test_{name}.py" for name in ("causal", "half_precision")),
]
"""Those of arithmetic on tiny models."""

OTHERS = "not for_transformers and not left_to_peft and not asks_for_the_tensors"
"""Without those of what is read and left to others, whatever computes."""

REAL = (
    "language/scoring/test_batch_invariance.py::test_jobs_of_other_contexts_and_vocabularies_leave_no_trace[bfloat16]"
)
"""The default model, in the precision that only some processors multiply."""


@pytest.mark.parametrize("machine", MACHINES)
def test_arithmetic_on(machine: str) -> None:
    if layer.instructions() == machine:
        pytest.skip("this machine is one")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", "-r", "fE"]
    tests = TESTS if machine == "default" else [*TESTS, REAL]
    done = subprocess.run(
        [*command, "-k", OTHERS, *(f"tests/models/{name}" for name in tests)],
        cwd=ROOT,
        env=os.environ | MACHINES[machine],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=580,
    )
    if done.returncode:
        pytest.fail(f"{MACHINES[machine]}:\n{done.stdout}", pytrace=False)
