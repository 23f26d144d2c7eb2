"""``python -m models.retrieval.training TRAIN DEV FOLDER``: train an adapter for the default model."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

import platformdirs
import torch
from transformers import AutoModelForCausalLM

from models.language.default_weights import default_weights
from models.retrieval.loading import KeyTokenizer
from models.retrieval.training.examples import ExampleError, read_examples
from models.retrieval.training.learner import Learner
from models.retrieval.training.options import TrainingOptions
from models.retrieval.training.train import Report, Trainer


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("dev", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--dev-rows", type=int, default=300)
    parser.add_argument("--train-rows", type=int, default=None)
    kinds = {"int": int, "float": float}
    for option in fields(TrainingOptions):
        kind = kinds.get(str(option.type), str)
        parser.add_argument(f"--{option.name.replace('_', '-')}", type=kind, default=option.default)
    given = parser.parse_args()
    try:
        options = TrainingOptions(**{option.name: getattr(given, option.name) for option in fields(TrainingOptions)})
        train, dev = read_examples(given.train)[: given.train_rows], read_examples(given.dev)[: given.dev_rows]
    except (ExampleError, ValueError) as error:
        sys.exit(str(error))
    cache = Path(platformdirs.user_cache_dir("chainwright"))
    source = given.model
    if source == "default":
        source = str(default_weights(cache, lambda what, share: print(f"{what} {share:.0%}", file=sys.stderr)))
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.bfloat16, attn_implementation="sdpa")
    codec = KeyTokenizer.load(source).codec
    trainer = Trainer(Learner.start(model, options), codec, train, dev, given.folder, options, _show)
    trainer.run()


def _show(report: Report) -> None:
    kind = "dev  " if report.dev else "train"
    print(
        f"{kind} step {report.step}/{report.steps}  language {report.language:.3f}  siblings {report.siblings:.3f}  "
        f"right {report.right:.1%}  {report.rate:.1f} questions/s",
        flush=True,
    )


if __name__ == "__main__":
    main()
