"""Schema of `selfhost.yaml` (one's own deployments, prices and measurements) and `hardware.yaml` (public ones, GPUs and machines).

Only declarations live here; what a deployment costs and whether it pays is `pipelines.selfhost`.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.commitments import UnusedRule
from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, refuse_twice

Engine = Literal["vllm", "tgi", "ollama", "llamacpp", "sglang", "tensorrt_llm"]
Precision = Literal["fp16", "bf16", "fp8", "int8", "fp4", "int4", "mxfp4", "q4_k_m"]
BITS: dict[str, float] = {
    "fp16": 16,
    "bf16": 16,
    "fp8": 8,
    "int8": 8,
    "fp4": 4,
    "int4": 4,
    "mxfp4": 4.25,
    "q4_k_m": 4.8,
}
"""Bits per weight, with the scales of formats that have them in every block."""

_NAME = r"^[a-z0-9][a-z0-9_.-]*$"
_MODEL = r"^[a-z0-9][a-z0-9._:-]*$"


class Gpu(Declaration):
    """One kind of GPU. `aliases` are names of it in price lists and benchmarks; case and marks between words do not matter."""

    gpu: str = Field(pattern=_NAME)
    memory_gb: float = Field(gt=0)
    aliases: tuple[str, ...] = ()


class Machine(Declaration):
    """A machine on which a model may or may not fit: `gpus` GPUs of `gpu_gb` gigabytes."""

    machine: str = Field(pattern=_NAME)
    gpu_gb: float = Field(gt=0)
    gpus: int = Field(default=1, ge=1)


class GpuPrice(Declaration):
    """What an hour of one GPU costs, from `valid_from` on, as `source` states it.

    `known_from` is the day since when it is known; without it, the price was known when it began. `term` is how long
    you commit to it: `on_demand`, `spot`, `reserved_1_year`, `rental_3_years`, `owned`. A correction is a further row with the
    same `valid_from` and a later `known_from`.
    """

    gpu: str = Field(pattern=_NAME)
    usd_per_hour: Decimal = Field(gt=0)
    valid_from: date
    known_from: date | None = None
    source: str = Field(min_length=1)
    region: str = ""
    term: str = Field(pattern=_NAME)

    @field_validator("usd_per_hour", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return _digits(value)


class Throughput(Declaration):
    """The measured throughput of `gpus` GPUs together: tokens of output a second, with the configuration that was measured.

    `input_tokens` and `output_tokens` are of one request, on average; `concurrency` is how many requests ran at once.
    """

    model: str = Field(pattern=_MODEL)
    gpu: str = Field(pattern=_NAME)
    gpus: int = Field(default=1, ge=1)
    engine: str = Field(min_length=1)
    precision: Precision
    output_tokens_per_second: float = Field(gt=0)
    input_tokens: float | None = Field(default=None, ge=0)
    output_tokens: float | None = Field(default=None, gt=0)
    concurrency: int | None = Field(default=None, ge=1)
    scenario: str = ""
    measured_on: date
    source: str = Field(min_length=1)


class Deployment(Declaration):
    """One model on your own hardware: `replicas` times `gpus` GPUs serve it together. They are paid for whether used or not.

    `ops_usd_per_day` is what else it costs a day: people, power, network. It runs from `from_date` up to, not including, `to_date`.
    Its requests are those of the model whose log names `provider_id`, or the engine's own name by default. `unused`
    says who pays for idle hours, as for a commitment.
    """

    deployment: str = Field(pattern=_NAME)
    engine: Engine
    model: str = Field(pattern=_MODEL)
    gpu: str = Field(pattern=_NAME)
    gpus: int = Field(default=1, ge=1)
    replicas: int = Field(default=1, ge=1)
    precision: Precision
    term: str = Field(pattern=_NAME)
    region: str = ""
    ops_usd_per_day: Decimal = Field(default=Decimal(0), ge=0)
    from_date: date | None = None
    to_date: date | None = None
    provider_id: str | None = None
    unused: UnusedRule | None = None

    @property
    def seller(self) -> str:
        """Whom the log of its requests names."""
        return self.provider_id or self.engine

    @field_validator("ops_usd_per_day", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return _digits(value)

    def runs_on(self, day: date) -> bool:
        """Whether it runs on a UTC day."""
        return (self.from_date is None or self.from_date <= day) and (self.to_date is None or day < self.to_date)


class SelfHost(Declaration):
    """The whole of `selfhost.yaml`. Its prices and measurements go before public ones.

    `headroom` is how much more than the busiest hour's mean the GPUs must be able to serve; `term` is the price term by which models that are not
    deployed are judged; `window_days` is how many days of requests show when they come.
    """

    deployments: tuple[Deployment, ...] = ()
    gpu_prices: tuple[GpuPrice, ...] = ()
    throughput: tuple[Throughput, ...] = ()
    term: str = Field(default="on_demand", pattern=_NAME)
    headroom: Decimal = Field(default=Decimal(1), ge=1)
    window_days: int = Field(default=7, ge=1, le=60)

    @field_validator("headroom", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return _digits(value)

    @model_validator(mode="after")
    def _names_hold(self) -> SelfHost:
        refuse_twice("deployments", [item.deployment for item in self.deployments], within="deployment")
        return self

    def deployment(self, name: str) -> Deployment | None:
        """The deployment of that name, or None."""
        return next((item for item in self.deployments if item.deployment == name), None)


class Hardware(Declaration):
    """The whole of `hardware.yaml`."""

    gpus: tuple[Gpu, ...] = ()
    machines: tuple[Machine, ...] = ()
    gpu_prices: tuple[GpuPrice, ...] = ()

    @model_validator(mode="after")
    def _names_hold(self) -> Hardware:
        refuse_twice("machines", [item.machine for item in self.machines], within="machine")
        owners: dict[str, str] = {}
        for number, item in enumerate(self.gpus):
            for name in map(gpu_name, (item.gpu, *item.aliases)):
                if owners.setdefault(name, item.gpu) != item.gpu:
                    raise KeyMistake(
                        ("gpus", number), f"the name {name!r} is given to {owners[name]} too; once is accepted"
                    )
        refuse_twice("gpus", [gpu_name(item.gpu) for item in self.gpus], within="gpu")
        return self

    def gpu(self, name: str) -> Gpu | None:
        """The GPU that goes by that name, or None."""
        wanted = gpu_name(name)
        return next((item for item in self.gpus if wanted in map(gpu_name, (item.gpu, *item.aliases))), None)


def gpu_name(name: str) -> str:
    """A GPU's name as one word: `NVIDIA H200-SXM-141GB` is `nvidia-h200-sxm-141gb`."""
    return re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-")


def _digits(value: object) -> object:
    """A number of YAML as its digits, so that 1.3 stays 1.3."""
    return str(value) if isinstance(value, float) else value
