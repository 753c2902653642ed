"""Where modelmeter keeps its things: the environment variables, validated once and passed on.

Only the environment is read here; the YAML files of `MODELMETER_CONFIG` are read by `pipelines.config`.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one process. Every field is an environment variable `MODELMETER_<NAME>`.

    `home` holds the embedded database, the generated sample, caches and Dagster's files.
    `landing` is the landing zone, a folder or `s3://bucket/prefix`; where it is unset and `home/landing` does not
    exist, the bundled sample is used.
    `config` is a folder of YAML files, each of which replaces the packaged default of the same name.
    `dagster_database` names the database of Dagster's run history on the same server; where it is the warehouse's own,
    its tables lie there in a schema `dagster`.
    `user_hash_key` replaces end users by a keyed hash (HMAC-SHA-256) before anything is stored.
    `ping_url` is asked for after every daily run that is well, so that an outside service notices when none did.
    `engine` says who parses files and makes the requests of a day: this machine, or the executors of `spark_master`, with `spark_conf`
    (JSON) for Spark's own properties. `facts` is the folder or URL (s3://...) under which that engine leaves request facts as Parquet.
    `database_url` names an external Postgres 15 or later; unset means the embedded server under `home`.
    """

    model_config = SettingsConfigDict(env_prefix="MODELMETER_", extra="ignore")

    home: Path = Field(default=Path(".modelmeter"))
    landing: Path | str | None = None
    config: Path | None = None
    database_url: SecretStr | None = None
    dagster_database: str = Field(default="modelmeter_dagster", min_length=1)
    offline: bool = False
    user_hash_key: SecretStr | None = None
    reports: Path = Field(default=Path("reports"))
    ping_url: SecretStr | None = None
    engine: Literal["local", "spark"] = "local"
    spark_master: str = Field(default="local[*]", min_length=1)
    spark_conf: dict[str, str] = Field(default_factory=dict)
    facts: Path | str | None = None

    @field_validator("landing", "facts", mode="before")
    @classmethod
    def _folder_or_url(cls, value: object) -> object:
        return Path(value) if isinstance(value, str) and value and "://" not in value else value

    @field_validator("home", "landing", "config", "reports", "facts", mode="after")
    @classmethod
    def _absolute(cls, value: Path | str | None) -> Path | str | None:
        return value.expanduser().resolve() if isinstance(value, Path) else value

    @field_validator("landing", "config", "database_url", "user_hash_key", "ping_url", "facts", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def sample_landing(self) -> Path:
        """Where the generated sample landing zone lies."""
        return self.home / "sample" / "landing"

    @property
    def uses_sample(self) -> bool:
        """True where no landing zone is named and none lies under `home`: the synthetic sample is read instead."""
        return self.landing is None and not (self.home / "landing").is_dir()

    @property
    def landing_zone(self) -> Path:
        """The folder that is read: the landing zone in force, or the copy of the one that lies in a bucket."""
        if self.landing_url is not None:
            # Readable, and another one for the same bucket name on another server.
            digest = hashlib.sha256(f"{object_store_endpoint()} {self.landing_url}".encode()).hexdigest()[:12]
            name = re.sub(r"[^A-Za-z0-9._-].*", "", self.landing_url.partition("://")[2])
            return self.home / "cache" / "objects" / f"{name}-{digest}"
        if isinstance(self.landing, Path):
            return self.landing
        return self.sample_landing if self.uses_sample else self.home / "landing"

    @property
    def landing_url(self) -> str | None:
        """The landing zone where it is no folder: `s3://bucket/prefix`."""
        return self.landing if isinstance(self.landing, str) else None

    @property
    def facts_root(self) -> str:
        """Where the engine spark leaves request facts: a folder that all machines see, or a URL."""
        return str(self.facts or self.home / "facts")

    @property
    def is_offline(self) -> bool:
        """True where nothing may be fetched: asked for, or because the sample must stay as it was made."""
        return self.offline or self.uses_sample


def object_store_endpoint() -> str | None:
    """The address of a server that speaks the S3 protocol, as other tools name it; None for Amazon's own."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
