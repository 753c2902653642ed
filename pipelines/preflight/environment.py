"""Variables `MODELMETER_...` of the environment that nothing reads: a misspelt one would leave its default in force without a word."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.config.mistakes import accepted_are
from pipelines.settings import Settings

_PREFIX = "MODELMETER_"
# Kubernetes sets these for a Service that is called modelmeter.
_OF_A_SERVICE = re.compile(r"MODELMETER_(?:SERVICE_(?:HOST|PORT).*|PORT(?:_\d+_(?:TCP|UDP).*)?)")
# The addresses of channels, which alerts.yaml names.
_OF_CHANNELS = ("ALERT_",)
# What our own processes hand to dbt, to Dagster's and to the tests'.
_BETWEEN_PROCESSES = ("PG_", "DAGSTER_URL", "DAGSTER_LOGS", "UI_NAMES", "FUZZ_", "TEST_")


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A line for each variable of the environment that begins as ours do and is none."""
    accepted = [f"{_PREFIX}{field.upper()}" for field in Settings.model_fields]
    return [
        f"{name}: no such variable; {accepted_are(name, accepted)}"
        for name in sorted(names)
        if name.startswith(_PREFIX)
        and name not in accepted
        and not name.removeprefix(_PREFIX).startswith(_BETWEEN_PROCESSES + _OF_CHANNELS)
        and not _OF_A_SERVICE.fullmatch(name)
    ]
