"""Reads and validates every YAML file of the configuration; what is wrong in any of them is one error with a line per mistake.

Each file's schema is a pydantic model in a module of its own; a field of `Config` is a file of that name.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError

from pipelines.config.alerts import AlertsConfig
from pipelines.config.allocation import Allocation
from pipelines.config.attribution import Attribution
from pipelines.config.budgets import Budgets
from pipelines.config.calendars import Calendars
from pipelines.config.claims import ClaimsConfig
from pipelines.config.commitments import Commitments
from pipelines.config.evidence import Evidence
from pipelines.config.focus import FocusConfig
from pipelines.config.fx import FxConfig
from pipelines.config.mistakes import ConfigError, KeyMistake, did_you_mean, explained
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
from pipelines.config.yaml_file import YamlFile

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True)
class Config:
    """The validated configuration: each field is the file `<field>.yaml`."""

    sources: Sources
    attribution: Attribution
    allocation: Allocation
    commitments: Commitments
    budgets: Budgets
    alerts: AlertsConfig
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

    `use_sample` takes the bundled sample's own files where `folder` has none. Raises ConfigError with every mistake of every file.
    """
    mistakes = _unknown_files(folder)
    read: dict[str, Any] = {}
    for name, schema in _schemas().items():
        try:
            read[name] = load_file(schema, f"{name}.yaml", folder, use_sample=use_sample)
        except ConfigError as error:
            mistakes.append(str(error))
    if "attribution" in read:
        try:
            read["attribution"] = read["attribution"].with_files(folder)
        except KeyMistake as error:
            mistakes.append(
                open_file("attribution.yaml", folder, use_sample=use_sample).mistake(error.key, error.problem)
            )
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return Config(**read)


def load_file(model: type[ModelT], name: str, folder: Path | None, *, use_sample: bool = False) -> ModelT:
    """Read one YAML file into its schema. Raises ConfigError with a line per mistake.

    Keys of the schema's `DEFAULTED` that the file leaves out come from the packaged one.
    """
    if folder is None or not (folder / name).is_file():
        return model.model_validate(_packaged(model, name, use_sample))
    own, packaged = open_file(name, folder), open_file(name, None, use_sample=use_sample)
    if isinstance(own.content, dict) and isinstance(packaged.content, dict):
        defaulted = {key: packaged.content[key] for key in getattr(model, "DEFAULTED", ()) if key in packaged.content}
        own.content = defaulted | own.content
    return _validated(model, own)


def open_file(name: str, folder: Path | None, *, use_sample: bool = False) -> YamlFile:
    """The file in force: that of `folder`, else that of the sample where it is used, else the packaged default."""
    own = None if folder is None else folder / name
    if own is not None and own.is_file():
        try:
            return YamlFile(str(own), own.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ConfigError(f"{own}: can't be read: {reason}") from error
    packages = [("pipelines.sample", "config")] if use_sample else []
    for package, place in [*packages, ("pipelines.config", "defaults")]:
        packaged = resources.files(package) / place / name
        if packaged.is_file():
            return YamlFile(f"packaged default {name}", packaged.read_text(encoding="utf-8"))
    raise ConfigError(f"{name}: neither in {folder} nor among the packaged defaults")


@cache
def _packaged(model: type[BaseModel], name: str, use_sample: bool) -> BaseModel:
    """A packaged file never changes while a process runs, so it is read once."""
    return _validated(model, open_file(name, None, use_sample=use_sample))


def _validated(model: type[ModelT], file: YamlFile) -> ModelT:
    try:
        return model.model_validate(file.content)
    except ValidationError as error:
        lines = [file.mistake(*found) for found in explained(model, error.errors(include_url=False))]
        raise ConfigError("\n".join(lines)) from error


@cache
def _schemas() -> dict[str, type[BaseModel]]:
    hints = get_type_hints(Config)
    return {field.name: hints[field.name] for field in fields(Config)}


def _unknown_files(folder: Path | None) -> list[str]:
    """A line for each YAML file that nothing reads. Raises ConfigError where the folder is none."""
    if folder is None:
        return []
    if not folder.is_dir():
        raise ConfigError(f"MODELMETER_CONFIG: found {folder}, accepted is a folder")
    accepted = [f"{name}.yaml" for name in _schemas()]
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".yaml", ".yml"))
    return [
        f"{folder / name}: no file of that name is read; accepted are {', '.join(accepted)}"
        f"{did_you_mean(name.lower().replace('.yml', '.yaml'), accepted)}"
        for name in names
        if name not in accepted and not name.startswith(".")
    ]
