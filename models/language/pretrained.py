"""A model as transformers and peft read it, refused where they would make up what the files lack."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from models.language import model_files
from models.language.model_files import CONFIG_FILE, LoadingError, in_one_line, public_name


def read_weights(kind: str, source: str, dtype: torch.dtype, device: torch.device, adapter: Path | None = None) -> Any:
    """A model in evaluation mode, without gradients.

    Args:
        kind: name of a transformers ``AutoModelFor...``.
        source: folder.
        dtype: of the weights.
        device: where they go.
        adapter: folder of a peft adapter, whose products are added to the weights: as fast as without.

    Raises:
        LoadingError: no such model, no safetensors, tensors that are missing or of another shape than the
            configuration's, or an adapter that does not fit.
    """
    with model_files.naming("model", source):
        stored = model_files.check_weights(Path(source))
    import transformers

    transformers.utils.logging.disable_progress_bar()
    verbosity = transformers.utils.logging.get_verbosity()
    # Its report of missing tensors is a table; the error below says the same in a line.
    transformers.utils.logging.set_verbosity_error()
    try:
        model, report = getattr(transformers, kind).from_pretrained(
            source,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            # sdpa where the family has it, else eager (Gemma 2).
            attn_implementation=None,
            device_map="meta" if device.type == "meta" else None,
            output_loading_info=True,
            # They are in the report, and refused.
            ignore_mismatched_sizes=True,
        )
        with model_files.naming("model", source):
            _complete(model, report, Path(source), stored)
        if adapter is not None:
            model = _with_adapter(model, adapter)
        return model.to(device).eval().requires_grad_(False)
    except LoadingError:
        raise
    except Exception as error:  # safetensors, configurations and torch raise errors of their own
        raise LoadingError(
            f"model {public_name(source)!r}: {kind} cannot read it ({in_one_line(error, source)}): copy or download it "
            "again, or take another"
        ) from error
    finally:
        transformers.utils.logging.set_verbosity(verbosity)


_OUTPUT = "lm_head.weight"


def _complete(model: Any, report: Mapping[str, Any], folder: Path, stored: frozenset[str]) -> None:
    """Refuse a model of which transformers would have made up a part: it draws missing tensors at random.

    Weights that are tied to others, and those that a family can do without, are not in the report.

    Args:
        model: as transformers made it.
        report: of missing and mismatched tensors.
        folder: of the files.
        stored: tensors in them.
    """
    parts = sorted(folder.glob("*.safetensors"))
    where = parts[0].name if len(parts) == 1 else "the weights"
    # Of tied ones that are all missing, the one that the others are copies of says it.
    missing = sorted(report["missing_keys"] - model.all_tied_weights_keys.keys()) or sorted(report["missing_keys"])
    if not missing and _OUTPUT in model.all_tied_weights_keys:
        # T5's configurations tie it whatever they say, so that only the files tell.
        untied = model_files.read_config(folder / CONFIG_FILE).get("tie_word_embeddings") is False
        missing = [_OUTPUT] if untied and _OUTPUT not in stored else []
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        verb = "lacks" if len(parts) == 1 else "lack"
        remedy = "copy or download all of the weights again"
        if missing[0] == _OUTPUT:
            remedy += ", or set tie_word_embeddings to true where the output layer is the embedding"
        raise LoadingError(f"{where} {verb} {missing[0]}{more}, which config.json calls for: {remedy}")
    for name, found, due in sorted(report["mismatched_keys"], key=lambda entry: str(entry[0])):
        raise LoadingError(
            f"{name} in {where} has the shape {list(found)}, where config.json calls for {list(due)}: take config.json "
            "and weights of the same model"
        )


def _with_adapter(model: Any, adapter: Path) -> Any:
    # Imported where it is needed: it takes a second.
    from peft import PeftModel

    with model_files.naming("adapter", str(adapter)):
        check_adapter(adapter)
        try:
            with warnings.catch_warnings():
                # peft draws a factor at random where it finds none, and only warns.
                warnings.filterwarnings("error", "(?s).*Found missing adapter keys")
                return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
        except Exception as error:  # safetensors raises one of its own, and peft what its parts raise
            raise LoadingError(
                f"it does not fit the model ({in_one_line(error, str(adapter))}): name the adapter of this model"
            ) from error


def check_adapter(adapter: Path) -> None:
    """Refuse the folder of an adapter whose files cannot be read.

    Raises:
        LoadingError: they are not there, or not whole.
    """
    model_files.read_object(adapter / "adapter_config.json")
    model_files.check_part(adapter / "adapter_model.safetensors")
