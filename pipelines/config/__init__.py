"""The YAML configuration: which files there are, their schemas, and one loader with readable errors.

A file in `MODELMETER_CONFIG` replaces the packaged default of the same name (`defaults/`).
Settings that come from the environment are in `pipelines.settings`.
"""

from __future__ import annotations

from pipelines.config.loader import Config, load_config
from pipelines.config.mistakes import ConfigError

__all__ = ["Config", "ConfigError", "load_config"]
