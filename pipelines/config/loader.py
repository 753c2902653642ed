"""Reads and validates every YAML file of the configuration, naming file, key, what was found and what is accepted.

Each file's schema is a pydantic model in a module of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.config.allocation import Allocation
from pipelines.config.attribution import Attribution
from pipelines.config.calendars import Calendars
from pipelines.config.claims import ClaimsConfig
from pipelines.config.commitments import Commitments
from pipelines.config.evidence import Evidence
from pipelines.config.focus import FocusConfig
from pipelines.config.fx import FxConfig
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.models import ModelsConfig
from pipelines.config.periods import Periods
from pipelines.config.reconciliation import Reconciliation
from pipelines.config.retention import Retention
from pipelines.config.routing import RoutingConfig
from pipelines.config.selfhost import Hardware, SelfHost
from pipelines.config.sources import Sources
from pipelines.config.waste import WasteConfig
from pipelines.config.watch import Watch
from pipelines.outside import worded

ModelT = TypeVar("ModelT", bound=BaseModel)


class ConfigError(ValueError):
    """A configuration file can't be used. The message names file, key, what was found and what is accepted."""


@dataclass(frozen=True)
class Config:
    """The validated configuration."""

    sources: Sources
    attribution: Attribution
    allocation: Allocation
    commitments: Commitments
    models: ModelsConfig
    model_facts: ModelFactsConfig
    routing: RoutingConfig
    fx: FxConfig
    focus: FocusConfig
    reconciliation: Reconciliation
    periods: Periods
    calendars: Calendars
    watch: Watch
    evidence: Evidence
    claims: ClaimsConfig
    selfhost: SelfHost
    hardware: Hardware
    waste: WasteConfig
    retention: Retention


def load_config(folder: Path | None, *, use_sample: bool = False) -> Config:
    """Read every configuration file from `folder`, falling back to the packaged default of the same name.

    `use_sample` takes `sources.yaml` of the bundled sample where `folder` has none. Raises ConfigError.
    """
    return Config(
        sources=load_file(Sources, "sources.yaml", folder, use_sample=use_sample),
        attribution=_with_lookups(load_file(Attribution, "attribution.yaml", folder, use_sample=use_sample), folder),
        allocation=load_file(Allocation, "allocation.yaml", folder, use_sample=use_sample),
        commitments=load_file(Commitments, "commitments.yaml", folder, use_sample=use_sample),
        models=load_file(ModelsConfig, "models.yaml", folder, use_sample=use_sample),
        model_facts=load_file(ModelFactsConfig, "model_facts.yaml", folder, use_sample=use_sample),
        routing=load_file(RoutingConfig, "routing.yaml", folder, use_sample=use_sample),
        fx=load_file(FxConfig, "fx.yaml", folder, use_sample=use_sample),
        focus=load_file(FocusConfig, "focus.yaml", folder, use_sample=use_sample),
        reconciliation=load_file(Reconciliation, "reconciliation.yaml", folder, use_sample=use_sample),
        periods=load_file(Periods, "periods.yaml", folder, use_sample=use_sample),
        calendars=load_file(Calendars, "calendars.yaml", folder, use_sample=use_sample),
        watch=load_file(Watch, "watch.yaml", folder, use_sample=use_sample),
        evidence=load_file(Evidence, "evidence.yaml", folder, use_sample=use_sample),
        claims=load_file(ClaimsConfig, "claims.yaml", folder, use_sample=use_sample),
        selfhost=load_file(SelfHost, "selfhost.yaml", folder, use_sample=use_sample),
        hardware=load_file(Hardware, "hardware.yaml", folder, use_sample=use_sample),
        waste=load_file(WasteConfig, "waste.yaml", folder, use_sample=use_sample),
        retention=load_file(Retention, "retention.yaml", folder, use_sample=use_sample),
    )


def _with_lookups(attribution: Attribution, folder: Path | None) -> Attribution:
    try:
        return attribution.with_files(folder)
    except ValueError as error:
        raise ConfigError(f"attribution.yaml: {error}") from error


def load_file(model: type[ModelT], name: str, folder: Path | None, *, use_sample: bool = False) -> ModelT:
    """Read one YAML file into its schema."""
    path, text = _locate(name, folder, use_sample)
    try:
        content = _parsed(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {worded(error)}") from error
    try:
        return model.model_validate({} if content is None else content)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, item) for item in error.errors(include_url=False))) from error


def _parsed(text: str) -> object:
    """The parser in C, where PyYAML has it: every command reads the files, and the one in Python takes eight times as long."""
    return yaml.load(text, yaml.CSafeLoader) if yaml.__with_libyaml__ else yaml.safe_load(text)


def _locate(name: str, folder: Path | None, use_sample: bool) -> tuple[str, str]:
    if folder is not None:
        if not folder.is_dir():
            raise ConfigError(f"MODELMETER_CONFIG: {folder} is not a folder")
        own = folder / name
        if own.is_file():
            return str(own), own.read_text(encoding="utf-8")
    packages = ["pipelines.sample"] if use_sample else []
    for package in [*packages, "pipelines.config"]:
        packaged = resources.files(package) / ("config" if package == "pipelines.sample" else "defaults") / name
        if packaged.is_file():
            return f"packaged default {name}", packaged.read_text(encoding="utf-8")
    raise ConfigError(f"{name}: neither in {folder} nor among the packaged defaults")


def _explain(path: str, error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(top level)"
    return f"{path}: {key}: {error['msg']} (found {error['input']!r})"
