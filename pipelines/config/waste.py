"""Schema of `waste.yaml`: traffic that can wait, and sellers that may replace each other. No log shows that; only
the company knows. `pipelines.books.waste` applies the rules to requests.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from pipelines.config.allocation import ATTRIBUTION
from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import refuse_unknown
from pipelines.warehouse.tables.core import SERVICE_TIER_NAME


class WaitRule(Declaration):
    """Requests that match every pattern of `when` (`*` stands for any text) could be served by `tier`, for example batch."""

    when: dict[str, str] = Field(min_length=1)
    tier: str = Field(pattern=f"^{SERVICE_TIER_NAME}$")

    @field_validator("when")
    @classmethod
    def _known(cls, when: dict[str, str]) -> dict[str, str]:
        refuse_unknown(when, ATTRIBUTION)
        return when


class WasteConfig(Declaration):
    """The whole of `waste.yaml`: a request goes by the first rule that it matches.

    `equal_sellers` are the sellers (`*` stands for any text) at which a model counts as the same one.
    """

    can_wait: tuple[WaitRule, ...] = ()
    equal_sellers: tuple[str, ...] = ("*",)
