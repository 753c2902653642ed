"""What is fetched as a file from a public address or an API: price feeds, boards, prices of hardware, exchange rates.

Fetching is `pipelines.fetch`.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake
from pipelines.config.variables import Variable

FETCH_OPTIONS = ("suffix", "headers_env", "redirects")
"""Options that everything fetched has, besides those of its format."""

_TYPES: dict[str, tuple[TypeAdapter[Any], str]] = {
    "suffix": (TypeAdapter(str), "a suffix is accepted, such as .json"),
    "headers_env": (
        TypeAdapter(dict[str, Variable]),
        "a map of headers to names of environment variables is accepted, such as {X-Api-Key: MY_KEY}",
    ),
    "redirects": (TypeAdapter(list[str]), "a list of origins is accepted, such as [https://cdn.example.com]"),
}


class Fetched(Declaration):
    """Something with an address. `enabled: false` leaves its files in use and asks for no new ones.

    Without `url`, others put its files into the landing zone. It is stale when its newest file is older than `stale_after_hours`.
    """

    url: str | None = None
    enabled: bool = True
    stale_after_hours: float = Field(default=48, gt=0)
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        """Raises ValueError, which does not quote the address: it may hold a key."""
        if url is not None and not re.match(r"https?://[^/\s]+\S*$", url):
            raise ValueError("an address that begins with https:// or http:// is accepted")
        return url

    @field_validator("options")
    @classmethod
    def _of_fetching(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Raises KeyMistake for an option of fetching of another type. What was found is not said: it may be a key."""
        for name, (accepted, words) in _TYPES.items():
            if name in options:
                try:
                    accepted.validate_python(options[name], strict=True)
                except ValidationError:
                    raise KeyMistake((name,), words) from None
        return options

    @property
    def headers_env(self) -> dict[str, str]:
        """The variable of the environment that holds the value of each secret header."""
        return dict(self.options.get("headers_env", {}))
