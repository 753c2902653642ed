"""What every command does first: a misspelt variable or file stops it, a misspelt option or folder is said in a line.

What is looked for is `pipelines.preflight` and `pipelines.config`; `modelmeter doctor` shows the same with everything else.
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

from assets.cli.terminal import say

_LOOK_THEMSELVES = ("doctor", "status")
_NEED_NO_CONFIGURATION = ("sql", "db", "ui")
"""Commands that work, or stop a server, whatever the configuration says."""


def version_line() -> str:
    """`modelmeter 1.2.3`."""
    try:
        return f"modelmeter {version('modelmeter')}"
    except PackageNotFoundError:
        return "modelmeter, from a checkout that is not installed"


def check(command: str) -> None:
    """Warnings go to standard error. Raises ConfigError where the command can't mean what its user means."""
    if command not in _LOOK_THEMSELVES:
        look(command)


def look(command: str) -> None:
    """The same for a command that first has to be able to say what it finds."""
    from pipelines.config import ConfigError
    from pipelines.preflight import unknown_variables

    if unknown := unknown_variables(os.environ):
        raise ConfigError("\n".join(unknown))
    if command not in _NEED_NO_CONFIGURATION:
        for line in warnings():
            say(f"modelmeter: warning: {line}", err=True)


def warnings() -> list[str]:
    """What costs only its own source, feed or board, or is never read. Raises ConfigError for files that can't be used."""
    from pipelines.config import load_config
    from pipelines.preflight import absent_fields, undeclared_folders, unknown_names, unusable_declarations
    from pipelines.settings import Settings

    settings = Settings()
    config = load_config(settings.config, use_sample=settings.uses_sample)
    unusable = unusable_declarations(config.sources, settings.config, use_sample=settings.uses_sample)
    unusable += unknown_names(config, settings.config)
    if settings.uses_sample:
        return unusable
    zone = settings.landing_zone
    return [
        *unusable,
        *undeclared_folders(config, zone),
        *absent_fields(config.sources, zone, settings.config),
    ]
