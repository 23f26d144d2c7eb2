"""Nothing that is loaded can run code: safetensors and JSON only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
CALLS = {"torch.load", "torch.save", "torch.jit.load", "torch.hub.load", "pandas.read_pickle", "eval", "exec"}
ALLOWED_TRUE = {"allow_pickle", "trust_remote_code"}


def dangers(source: str) -> Iterator[str]:
    """Imports of modules that unpickle, calls that do, and arguments that allow it."""
    names: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {each.asname or each.name: each.name for each in node.names}
            yield from (each.name for each in node.names if each.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            names |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
            if (node.module or "").split(".")[0] in MODULES:
                yield str(node.module)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        head, _, rest = ast.unparse(node.func).partition(".")
        called = ".".join(filter(None, (names.get(head, head), rest)))
        if called in CALLS:
            yield called
        for keyword in node.keywords:
            constant = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in ALLOWED_TRUE and constant is not False:
                yield f"{keyword.arg}={ast.unparse(keyword.value)}"
            if keyword.arg == "use_safetensors" and constant is not True:
                yield f"use_safetensors={ast.unparse(keyword.value)}"
        if (
            called.endswith("from_pretrained")
            and "AutoModel" in called
            and "use_safetensors"
            not in {keyword.arg for keyword in node.keywords}
            | ({"use_safetensors"} if "gguf_file" in {keyword.arg for keyword in node.keywords} else set())
        ):
            yield f"{called} without use_safetensors=True"


def test_the_search_finds_what_it_should() -> None:
    for source in (
        "import pickle",
        "from pickle import loads",
        "import torch as t\nt.load('x')",
        "from torch import load\nload('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "M.from_pretrained('x', trust_remote_code=flag)",
        "M.from_pretrained('x', use_safetensors=None)",
        "from transformers import AutoModelForCausalLM\nAutoModelForCausalLM.from_pretrained('x')",
        "eval('1')",
    ):
        assert list(dangers(source)), source
    assert list(dangers("import json\njson.load(file)\nx.load('y')\nnp.load('x', allow_pickle=False)")) == []


def test_nothing_unpickles() -> None:
    found = {
        str(path.relative_to(ROOT)): list(dangers(path.read_text("utf-8")))
        for folder in ("app", "models", "samplers", "docker")
        for path in [*(ROOT / folder).rglob("*.py"), *([ROOT / "docker/check"] if folder == "docker" else [])]
    }
    assert {path: dangers for path, dangers in found.items() if dangers} == {}
