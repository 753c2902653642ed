"""Schema of `sources.yaml`: the request sources, leaderboards and price feeds to ingest.

The formats themselves are implemented in `pipelines.requests`, `pipelines.benchmarks` and `pipelines.prices`;
here are only the declarations that name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.fetched import Fetched
from pipelines.config.mistakes import KeyMistake, did_you_mean, refuse_twice
from pipelines.config.pull import Pull

LogFormat = Literal[
    "otel_genai", "litellm_spend_logs", "litellm_payload", "langfuse", "helicone", "openai_chat", "openai_responses",
    "anthropic_messages", "gemini", "bedrock_invocation", "bedrock_converse", "azure_apim", "openrouter", "vllm", "tgi", "ollama",
    "llamacpp", "claude_code", "codex", "gemini_cli", "mapping",
]  # fmt: skip
BillFormat = Literal[
    "openai_usage_api", "openai_costs_api", "anthropic_usage_api", "anthropic_cost_api", "openrouter_activity",
    "focus", "bill_mapping", "litellm_daily", "langfuse_daily", "azure_cost", "aws_cur", "google_billing",
]  # fmt: skip
"""Formats of what providers report and bill. Their records are never requests."""
ShadowFormat = Literal["shadow"]
"""Formats of what shadow runs and evaluations found: the same requests on other models, never your traffic."""
RequestFormat = Literal[LogFormat, BillFormat, ShadowFormat]
BILL_FORMATS: tuple[str, ...] = get_args(BillFormat)
SHADOW_FORMATS: tuple[str, ...] = get_args(ShadowFormat)
PriceFormat = Literal[
    "genai_prices",
    "litellm_map",
    "openrouter_models",
    "models_dev",
    "llm_prices",
    "azure_retail",
    "aws_price_list",
    "price_mapping",
    "page",
    "price_sheet",
]
BoardFormat = Literal[
    "lmarena", "arena_daily", "swebench", "aider", "livebench", "livecodebench", "bigcodebench", "evalplus", "epoch",
    "artificial_analysis", "open_llm_leaderboard", "helm", "mmlu_pro", "matharena", "terminal_bench", "every_eval_ever",
    "mapping",
]  # fmt: skip

HardwareFormat = Literal["gpu_tco", "inferencex", "inferencex_runs", "mlperf"]
LimitFormat = Literal["openai_limits", "anthropic_limits"]

VERDICT_OPTIONS = ("accept", "reject")
"""Options of a price feed that decide about its files."""

_NAME = r"^[a-z0-9][a-z0-9_.-]*$"


class RequestSource(Declaration):
    """One request log. `source` names its folder under `requests/`.

    `defaults` gives values for canonical fields that the log does not hold, for example `provider_id` or
    `model`; `options` are the format's own (the columns of a `mapping`, a time zone); `attribution` maps
    team, project, environment, application and end_user_id to fields of the log. If records of two sources describe
    one call equally well, the one with the lower `precedence` is kept. `pull` says where modelmeter itself gets the
    files.
    """

    source: str = Field(pattern=_NAME)
    format: RequestFormat
    attribution: dict[str, str] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    precedence: int = 100
    pull: Pull | None = None

    @property
    def is_bill(self) -> bool:
        """Whether its records are bills, not requests."""
        return self.format in BILL_FORMATS

    @property
    def is_shadow(self) -> bool:
        """Whether its records are shadow measurements, not requests."""
        return self.format in SHADOW_FORMATS


class Sighting(Declaration):
    """Records by their source and the instrument that wrote them (tag `emitter`); `*` stands for any text."""

    source: str = "*"
    emitter: str = "*"

    @model_validator(mode="after")
    def _names_something(self) -> Sighting:
        if self.source == self.emitter == "*":
            raise ValueError("source or emitter is needed")
        return self


class LookAlike(Declaration):
    """The records `drop` describe the same calls as the records `keep`. For each of the latter, one of the former
    with the same counts and the same time is dropped, although only this rule says that they are one call."""

    keep: Sighting
    drop: Sighting


class Preference(Declaration):
    """Another precedence of a feed for one seller, model or meter, or several of them together; empty means any.

    `provider` and `model` are canonical ids, as core.price has them.
    """

    provider: str = ""
    model: str = ""
    meter: str = ""
    precedence: int

    @model_validator(mode="after")
    def _names_something(self) -> Preference:
        if not (self.provider or self.model or self.meter):
            raise ValueError("provider, model or meter is needed; for all prices of the feed set its own precedence")
        return self


class PriceFeed(Fetched):
    """One price feed. `feed` names its folder under `prices/`; the lowest `precedence` wins per model and meter.

    Of `prefer` the first entry that fits a price gives it another precedence than the feed's own.
    """

    feed: str = Field(pattern=_NAME)
    format: PriceFormat
    precedence: int = 100
    prefer: tuple[Preference, ...] = ()


class Leaderboard(Fetched):
    """One leaderboard export. `board` names its folder under `leaderboards/`."""

    board: str = Field(pattern=_NAME)
    format: BoardFormat
    stale_after_hours: float = Field(default=24 * 14, gt=0)


class HardwareFeed(Fetched):
    """Published prices of GPUs or measurements on them. `feed` names its folder under `selfhost/`."""

    feed: str = Field(pattern=_NAME)
    format: HardwareFormat
    stale_after_hours: float = Field(default=24 * 14, gt=0)


class LimitFeed(Fetched):
    """Limits and alerts that a seller keeps itself. `feed` names its folder under `limits/`."""

    feed: str = Field(pattern=_NAME)
    format: LimitFormat


class Sources(Declaration):
    """The whole of `sources.yaml`. A list of `DEFAULTED` that a file leaves out is that of the packaged default.

    `enabled` switches feeds and boards on and off by name, wherever they are declared.
    """

    DEFAULTED: ClassVar[tuple[str, ...]] = ("prices", "leaderboards", "selfhost")

    requests: tuple[RequestSource, ...] = ()
    look_alikes: tuple[LookAlike, ...] = ()
    prices: tuple[PriceFeed, ...] = ()
    leaderboards: tuple[Leaderboard, ...] = ()
    selfhost: tuple[HardwareFeed, ...] = ()
    limits: tuple[LimitFeed, ...] = ()
    enabled: dict[str, bool] = Field(default_factory=dict)

    @property
    def logs(self) -> frozenset[str]:
        """Names of the sources of requests that are neither bills nor measurements."""
        return frozenset(one.source for one in self.requests if not (one.is_bill or one.is_shadow))

    @model_validator(mode="before")
    @classmethod
    def _switched(cls, content: object) -> object:
        """Each declaration with its switch; what is no map or list is left to the fields, which refuse it."""
        switches = content.get("enabled") if isinstance(content, dict) else None
        if not isinstance(content, dict) or not isinstance(switches, dict):
            return content
        return content | {
            kind: _with_switches(content.get(kind), switches) for kind in (*cls.DEFAULTED, "limits") if kind in content
        }

    @model_validator(mode="after")
    def _names_stand_once(self) -> Sources:
        refuse_twice("requests", [item.source for item in self.requests], within="source")
        refuse_twice("prices", [item.feed for item in self.prices], within="feed")
        refuse_twice("leaderboards", [item.board for item in self.leaderboards], within="board")
        refuse_twice("selfhost", [item.feed for item in self.selfhost], within="feed")
        refuse_twice("limits", [item.feed for item in self.limits], within="feed")
        fetched = [*(item.feed for item in self.prices), *(item.board for item in self.leaderboards)]
        fetched += [item.feed for item in self.selfhost] + [item.feed for item in self.limits]
        for name in self.enabled:
            if name not in fetched:
                raise KeyMistake(("enabled", name), f"no feed or board has this name{did_you_mean(name, fetched)}")
        return self


def _with_switches(declared: object, switches: Mapping[object, object]) -> object:
    return [_with_switch(item, switches) for item in declared] if isinstance(declared, list) else declared


def _with_switch(item: object, switches: Mapping[object, object]) -> object:
    name = item.get("feed", item.get("board")) if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(name, str) or name not in switches:
        return item
    return item | {"enabled": switches[name]}
