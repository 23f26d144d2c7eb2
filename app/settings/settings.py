"""Settings: environment variables with the prefix CHAINWRIGHT_, or a .env file."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

from platformdirs import user_cache_path, user_state_path
from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings import values
from app.settings.env_file import ENV_FILE, PREFIX, EnvFile
from app.settings.rates import Rate
from models.language.precision import Precision
from models.language.vocabulary import Rule
from models.scores.connection import connection_factory


def _imported(name: str, path: str) -> Rule:
    module, _, function = path.partition(":")
    try:
        rule: Rule = getattr(importlib.import_module(module), function)
    except Exception as error:  # a module may raise anything while it is imported
        raise ValueError(
            f"vocabulary rule {name!r}: {path!r} cannot be imported ({error}); remedy: give package.module:function"
        ) from error
    if not callable(rule):
        raise ValueError(f"vocabulary rule {name!r}: {path!r} is no function; remedy: give package.module:function")
    return rule


def _importable(rules: dict[str, str]) -> dict[str, str]:
    for name, path in rules.items():
        _imported(name, path)
    return rules


def _server(url: SecretStr) -> SecretStr:
    try:
        if url.get_secret_value() != "off":
            connection_factory(url.get_secret_value())
    except ValueError as error:
        remedy = "" if "; remedy: " in str(error) else "; remedy: give redis://host:6379/0, unix:///path or off"
        raise ValueError(f"{error}{remedy}") from None
    return url


ServerUrl = Annotated[SecretStr, AfterValidator(_server)]


class Environment(BaseSettings):
    """Values from the environment, then from the .env file; an empty one counts as not set."""

    # hide_input_in_errors: a mistyped URL may hold a password. enable_decoding: what is no JSON is for our validators.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        enable_decoding=False,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the .env file by our own reader.

        Raises:
            EnvFileError: it cannot be read.
        """
        return init_settings, env_settings, EnvFile(settings_cls, ENV_FILE)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: dict[str, Any]) -> dict[str, Any]:
        found = {name: values.plain(value) if isinstance(value, str) else value for name, value in given.items()}
        return {name: value for name, value in found.items() if value != ""}


class Limits(Environment):
    """The most that one request may ask for, and how many may run side by side.

    Read from CHAINWRIGHT_MAX_CHAINS and so on.
    """

    max_chains: int = Field(default=64, ge=1, description="sampler.chains")
    max_steps: int = Field(default=5000, ge=0, description="sampler.steps")
    max_draws: int = Field(default=100_000, ge=1, description="sampler.draws")
    max_particles: int = Field(default=1024, ge=1, description="sampler.particles")
    max_seconds: float = Field(
        default=600, gt=0, description="sampling of one request; then it answers with what it has found"
    )
    max_samples: int = Field(default=100, ge=1, description="samples")
    max_keywords: int = Field(default=64, ge=1, description="keywords of one request")
    max_keyword_forms: int = Field(default=32, ge=1, description="forms of one keyword")
    max_keyword_characters: int = Field(default=100, ge=1, description="characters of one form")
    max_forbidden: int = Field(default=1000, ge=0, description="forbidden words")
    max_length: int = Field(default=300, ge=1, description="greatest length.min or length.max, in any unit")
    max_context_characters: int = Field(default=8000, ge=0, description="characters of context")
    max_context_tokens: int = Field(default=4096, ge=0, description="attention memory grows with its square")
    max_texts: int = Field(
        default=1000,
        ge=1,
        description="texts of one request for scores, completions, corrections, paraphrases or links",
    )
    max_text_characters: int = Field(default=2000, ge=1, description="characters of one of them")
    max_likely_tokens: int = Field(
        default=100_000, ge=0, description="tokens that one answer of scores lists: top times the tokens of its texts"
    )
    max_corrected_characters: int = Field(
        default=100_000, ge=1, description="characters of all texts of one request for corrections"
    )
    max_paraphrased_characters: int = Field(
        default=20_000, ge=1, description="characters of all texts of one request for paraphrases"
    )
    max_linked_characters: int = Field(
        default=20_000, ge=1, description="characters of all texts of one request for links"
    )
    max_listed: int = Field(default=20_000, ge=0, description="words of protect, of names or of edits")
    max_queries: int = Field(default=64, ge=1, description="queries of one search, questions of one reading")
    max_query_characters: int = Field(default=1000, ge=1, description="characters of one of them")
    max_passage_characters: int = Field(default=4000, ge=1, description="characters of the passage of a reading")
    max_results: int = Field(default=32, ge=1, description="keys or spans for each query")
    max_beams: int = Field(default=32, ge=1, description="width of a beam")
    max_changes: int = Field(default=10_000, ge=1, description="entries added and removed by one request")
    max_upload_bytes: values.Size = Field(
        default=4 << 30, ge=1, description="size of the lines that PUT /v1/indexes/{name} takes; more gets 413"
    )
    max_job_items: int = Field(default=100_000, ge=1, description="items of one job")
    max_job_bytes: values.Size = Field(
        default=256 << 20, ge=1, description="size of a job or of an uploaded file; a larger one gets 413"
    )
    max_files: int = Field(default=1000, ge=1, description="uploaded files that are kept for batches")
    max_files_bytes: values.Size = Field(default=256 << 20, ge=1, description="size of all of them together")
    max_body_bytes: values.Size = Field(default=1 << 20, ge=1, description="size of a request; a larger one gets 413")
    max_body_seconds: float = Field(
        default=60, gt=0, description="for a request's body to come, or the next part of an upload; then 408"
    )
    max_answer_seconds: float = Field(
        default=900, gt=0, description="for an answer that is not streamed, its wait for a turn included; then 504"
    )
    max_running: int = Field(default=16, ge=1, description="requests that use the model side by side")
    max_waiting: int = Field(default=64, ge=0, description="requests that wait for their turn; more get 429")


class Settings(Environment):
    """Which model to serve, where and how."""

    model: str = Field(default="default", description="default (Gemma 3 270M), a folder, or a hub id")
    model_source: values.ModelSource = Field(
        default="hub",
        description="where models are had by name: hub, modelscope, the URL of a mirror of the hub, "
        "or a folder of models",
    )
    device: values.Device = Field(default="auto", description="auto, cpu, cuda, cuda:1, mps")
    precision: Annotated[Precision, values.Lower] = Field(
        default="auto", description="float32, bfloat16, or auto by device"
    )
    offline: bool = Field(default=False, description="never ask the hub, or another source of models")
    cache_dir: values.Folder = Field(
        default_factory=lambda: user_cache_path("chainwright"), description="where the converted default model is kept"
    )
    state_dir: values.Folder = Field(
        default_factory=lambda: user_state_path("chainwright"),
        description="indexes, scores, the job queue (queue/) and API keys (keys.json), kept from one run to the next",
    )
    retrieval_model: str | None = Field(
        default=None, description="model that writes keys: a folder or hub id; None takes CHAINWRIGHT_MODEL"
    )
    retrieval_adapter: str = Field(
        default="default",
        description="its peft adapter: default (the one shipped, for the default model), none, a folder, or a hub id",
    )
    score_cache_memory: values.Size = Field(
        default=64 << 20, ge=0, description="bytes of scores kept in the process; 0 turns the cache off altogether"
    )
    redis_url: ServerUrl | None = Field(
        default=None,
        description="redis://, rediss:// or unix:// server for scores; None starts one; off: in the process only",
    )
    redis_memory: values.Size = Field(
        default=256 << 20, ge=1 << 22, description="bytes that the embedded server may take; rare scores go first"
    )
    queue_url: ServerUrl | None = Field(
        default=None,
        description="redis://, rediss:// or unix:// server for jobs; None takes that of CHAINWRIGHT_REDIS_URL, "
        "else starts one; off: no jobs",
    )
    queue_memory: values.Size = Field(
        default=1 << 30, ge=1 << 22, description="bytes that the embedded server may take for jobs; more jobs get 503"
    )
    worker: values.Switch = Field(default="on", description="whether chainwright serve works off jobs itself")
    worker_items: int = Field(default=8, ge=1, le=256, description="items of jobs that a worker runs side by side")
    lease_seconds: float = Field(
        default=10, ge=1, description="silence after which what a worker was working on goes to another"
    )
    job_seconds: float = Field(
        default=86_400, gt=0, description="expires_after of a job that names none; what is not done by then never is"
    )
    job_retention_seconds: int = Field(
        default=604_800, ge=1, description="how long an ended job and its results are kept"
    )
    host: values.Host = Field(
        default="127.0.0.1", description="address to listen on; an IPv6 address with or without brackets"
    )
    port: values.Port = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    root_path: values.RootPath = Field(
        default="",
        description="path below which a proxy shows the service, such as /llm, whether or not it takes it off",
    )
    torch_threads: int | None = Field(
        default=None, ge=1, description="threads of a forward on CPU; None leaves torch's choice"
    )
    vocabularies: Annotated[dict[str, str], values.Mapping, AfterValidator(_importable)] = Field(
        default_factory=dict,
        description='JSON from vocabulary name to "package.module:function", a models.language.vocabulary.Rule',
    )
    keys_file: values.Folder | None = Field(
        default=None,
        description="API keys, as chainwright keys writes them; None takes keys.json of the state directory, if there",
    )
    rate: Rate | None = Field(
        default=None,
        description="requests of one key (of one address, without keys), such as 600/minute; a key's own goes first",
    )
    quota: Rate | None = Field(default=None, description="likewise over a longer time, such as 100000/day")
    studio: values.Switch = Field(default="on", description="whether the page at /studio is served")
    cors_origins: values.Origins = Field(
        default_factory=list,
        description="origins whose pages may call, such as https://app.example.org, with commas between or as a JSON "
        "list; * for all",
    )
    otlp_endpoint: values.CollectorUrl | None = Field(
        default=None, description="OpenTelemetry collector that takes traces by OTLP over HTTP; None for no traces"
    )
    ping_seconds: float = Field(default=15.0, gt=0, description="silence after which an event stream sends a comment")
    drain_seconds: int = Field(
        default=10, ge=0, description="how long a stopping server lets requests and streams finish"
    )
    limits: Annotated[Limits, values.Mapping] = Field(default_factory=Limits)

    def rules(self) -> dict[str, Rule]:
        """The vocabulary rules that users brought, by name."""
        return {name: _imported(name, path) for name, path in self.vocabularies.items()}
