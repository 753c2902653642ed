"""Schema of `pull:` in `sources.yaml`: where modelmeter itself gets the files of a request source.

What each kind asks for is in `pipelines.pull`. Secrets are named here by their environment variable, never written.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.variables import Variable

ApiKind = Literal[
    "openai_usage",
    "openai_costs",
    "anthropic_usage",
    "anthropic_costs",
    "anthropic_claude_code",
    "anthropic_analytics_usage",
    "anthropic_analytics_costs",
    "openrouter_activity",
    "langfuse",
    "langfuse_v1",
    "litellm",
    "helicone",
]


class _Windowed(Declaration):
    """A source is asked in windows of time. Those of the last `look_back_days` are asked again, because records come
    late and are revised. `since` is the first day; without it the first run asks for the last 31 days. After
    `minutes` a run stops between two windows, and the next run goes on there.
    """

    since: date | None = None
    look_back_days: int | None = Field(default=None, ge=0, le=400)
    minutes: float = Field(default=30, gt=0)


class ApiPull(_Windowed):
    """An HTTP API that `pipelines.pull.connectors` knows. `params` are added to the parameters of the request, or replace them."""

    kind: ApiKind
    url: str | None = None
    """Scheme and host, with a path before the API's own, if it is not the public one."""
    key_env: tuple[Variable, ...] = ()
    """One name, or as many as the API has keys; empty means the usual ones."""
    reports: tuple[str, ...] = ()
    """The reports to ask for, of a kind that has several; empty means all."""
    params: dict[str, Any] = Field(default_factory=dict)
    window_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 24

    @field_validator("key_env", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _url_is_plain(self) -> ApiPull:
        if self.url is not None:
            _refuse_secrets(self.url, ("http", "https"))
        return self


class SqlPull(_Windowed):
    """Rows of a table or query of a Postgres or MySQL database, by a column that says when or in which order they were written."""

    kind: Literal["sql"]
    url_env: Variable
    table: str | None = None
    query: str | None = None
    cursor: str
    cursor_type: Literal["time", "number"] = "time"
    window_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 24
    window_rows: int = Field(default=50_000, ge=100)
    """With a number as cursor: how many values one window spans."""
    look_back_rows: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _reads_one_thing(self) -> SqlPull:
        if (self.table is None) == (self.query is None):
            raise ValueError("table or query is needed, and not both")
        return self


class BucketPull(Declaration):
    """Every object below a prefix of a bucket, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`, or every file below
    a folder, `file:///var/log/otel`.

    `env` names the variables of the credentials where they are not the usual ones, as `{access_key_id: LOGS_KEY_ID}`.
    """

    kind: Literal["bucket"]
    url: str
    match: str = "*"
    """Objects whose path below the prefix fits this pattern; `*` stands for any text, slashes included."""
    env: dict[str, Variable] = Field(default_factory=dict)
    endpoint: str | None = None
    region: str | None = None

    @model_validator(mode="after")
    def _url_is_plain(self) -> BucketPull:
        _refuse_secrets(self.url, ("s3", "gs", "az", "file"))
        return self


Pull = Annotated[ApiPull | SqlPull | BucketPull, Field(discriminator="kind")]


def _refuse_secrets(url: str, schemes: tuple[str, ...]) -> None:
    """Raises ValueError, which does not quote the address, for one that can't be used."""
    try:
        parts = urlsplit(url)
        named = parts.path.startswith("/") and not parts.netloc if parts.scheme == "file" else bool(parts.hostname)
        known = parts.scheme in schemes and named
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"an address of one of the schemes {', '.join(schemes)} is accepted")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(
            "an address without credentials, query and fragment is accepted: secrets come from the environment"
        )
