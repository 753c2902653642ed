"""The base of every declaration in YAML: a key that it does not know is an error, and nothing changes it once it is read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Declaration(BaseModel):
    """One block of a configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
