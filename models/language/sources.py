"""Model sources: the hub, a mirror of it, ModelScope, or a folder that holds models by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from models.language.model_files import CONFIG_FILE, LoadingError, in_one_line, public_name

HUB, MODELSCOPE = "hub", "modelscope"

TIMEOUT = 10.0
"""Seconds that a source may take to say whether it has a model."""

REMEDY = (
    "give a folder with config.json, tokenizer.json and safetensors weights, a name that CHAINWRIGHT_MODEL_SOURCE has, "
    "or 'default'"
)

_FILES = ["*.json", "*.jsonl", "*.jinja", "*.safetensors"]
_OTHER_COPIES = ["*/*", "consolidated*"]
"""Files below a model's own, and weights in the form of their makers: the same once more."""

_NAMES = 8
"""Models that an error lists at most."""


def folder_of(name: str, source: str = HUB, *, offline: bool = False, what: str = "model") -> Path:
    """The folder of a model or adapter: one that is there, or by its name from a source.

    What was fetched before is taken from the source's own cache where the source does not answer.

    Args:
        name: a folder, or a name that the source knows, such as ``Qwen/Qwen3-0.6B``.
        source: ``hub``, ``modelscope``, the URL of a mirror of the hub, or a folder that holds models by name.
        offline: take what is here, and ask nobody.
        what: "model" or "adapter", for errors.

    Raises:
        LoadingError: it is not there, or cannot be had.
    """
    if Path(name).is_dir():
        return Path(name)
    if _is_path(name):
        raise LoadingError(f"{what} {public_name(name)!r}: there is no such folder: {REMEDY}")
    if not is_asked(name, source):
        return _in_folder(what, name, Path(source))
    fetch = _modelscope() if source == MODELSCOPE else _hub(None if source == HUB else source)
    return _fetched(what, name, host_of(source), fetch, offline)


def is_asked(name: str, source: str) -> bool:
    """Whether a host is asked for a name: neither it nor its source is a folder."""
    return not _is_path(name) and (source in (HUB, MODELSCOPE) or _is_url(source))


def endpoint_of(source: str) -> str | None:
    """The URL that a source is asked at; None for a folder.

    Raises:
        LoadingError: ModelScope's library is not installed.
    """
    if source == HUB:
        from huggingface_hub import constants

        return str(constants.ENDPOINT)
    if source == MODELSCOPE:
        return str(_modelscope_library().HubConfig().endpoint)
    return source if _is_url(source) else None


def host_of(source: str) -> str:
    """The host that a source is asked at, and its port if it names one; see :func:`endpoint_of`."""
    return urlsplit(endpoint_of(source) or "").netloc.rpartition("@")[2]


def names_in(folder: Path) -> list[str]:
    """The models in a folder: folders of it, or one below, that hold a configuration."""
    found = (path.parent for pattern in ("*", "*/*") for path in folder.glob(f"{pattern}/{CONFIG_FILE}"))
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _is_path(name: str) -> bool:
    return Path(name).is_dir() or public_name(name) != name or name.count("/") > 1


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _in_folder(what: str, name: str, folder: Path) -> Path:
    if (here := folder / name).is_dir():
        return here
    names = names_in(folder)
    more = f" and {len(names) - _NAMES} more" if names[_NAMES:] else ""
    found = f"there are {', '.join(names[:_NAMES])}{more}" if names else "there are no models in it"
    raise LoadingError(
        f"{what} {name!r} is not in the folder {folder.name!r}: {found}: name one of them, or set "
        "CHAINWRIGHT_MODEL_SOURCE to another folder, hub, modelscope or the URL of a mirror"
    )


Fetch = Callable[[str, bool], str]
"""The folder of a name; from what is here alone if the second argument says so."""


def _fetched(what: str, name: str, host: str, fetch: Fetch, offline: bool) -> Path:
    problem: Exception | None = None
    if not offline:
        try:
            return Path(fetch(name, False))
        except Exception as error:  # each library has classes of its own, and those of its HTTP client
            problem = error
    try:
        # What ModelScope's library breaks off it would take for the whole.
        if "FileDownloadError" not in _classes(problem):
            return Path(fetch(name, True))
    except Exception as error:  # as above
        if problem is None:
            raise LoadingError(
                f"{what} {name!r} is not here, and CHAINWRIGHT_OFFLINE forbids to ask {host}: fetch it while online, "
                f"or {REMEDY}"
            ) from error
    raise LoadingError(f"{what} {name!r}: {_reason(problem, host)}") from problem


def _classes(error: Exception | None) -> set[str]:
    """The classes of an error by name: each library has those of another HTTP client."""
    return {each.__name__ for each in type(error).__mro__}


def _reason(error: Exception | None, host: str) -> str:
    """Why a source gave nothing."""
    classes = _classes(error)
    if "GatedRepoError" in classes:
        return f"{host} asks for its terms to be accepted: accept them there, and set HF_TOKEN"
    if classes & {"RepositoryNotFoundError", "NotExistError"}:
        return f"{host} has none of this name, or hides it from those without a token: {REMEDY}"
    if classes & {"TransportError", "ConnectionError", "TimeoutError", "Timeout"}:
        return (
            f"{host} does not answer ({type(error).__name__}): check the network and its proxy, or set "
            "CHAINWRIGHT_MODEL_SOURCE to the URL of a mirror, modelscope or a folder of models"
        )
    return f"it cannot be had from {host} ({in_one_line(error or ValueError(), '')}): {REMEDY}"


def _hub(endpoint: str | None) -> Fetch:
    from huggingface_hub import HfApi, snapshot_download

    # A token that was stored for the hub is not shown to others, unless the environment says so.
    token = None if endpoint is None else os.environ.get("HF_TOKEN") or False

    def fetch(name: str, here: bool) -> str:
        if not here:
            # The download itself asks without a bound of time.
            HfApi(endpoint, token=token).model_info(name, timeout=TIMEOUT)
        return snapshot_download(
            name,
            endpoint=endpoint,
            token=token,
            local_files_only=here,
            allow_patterns=_FILES,
            ignore_patterns=_OTHER_COPIES,
        )

    return fetch


def _modelscope() -> Fetch:
    hub = _modelscope_library()
    api = hub.HubApi(hub.HubConfig())

    def fetch(name: str, here: bool) -> str:
        found = api.download_repo(
            name, "model", local_files_only=here, allow_patterns=_FILES, ignore_patterns=_OTHER_COPIES
        )
        return str(found)

    return fetch


def _modelscope_library() -> Any:
    try:
        import modelscope_hub
    except ImportError as error:
        raise LoadingError(
            "models of ModelScope need the extra modelscope: pip install 'chainwright[modelscope]', or set "
            "CHAINWRIGHT_MODEL_SOURCE to hub, the URL of a mirror or a folder of models"
        ) from error
    return modelscope_hub
