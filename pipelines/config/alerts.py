"""Schema of `alerts.yaml`: where events are sent. Addresses hold secrets, so the file names the environment variable of each.

Which events there are, and how they are sent, is `pipelines.alerts`.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import refuse_twice
from pipelines.config.variables import Variable
from pipelines.warehouse.tables.core_alerts import ALERT_KINDS, AlertKind


class Channel(Declaration):
    """Where events go. `url_env` names the environment variable that holds the address as the library apprise writes it.

    `kinds` are the events to send, all where left out. Events with an amount below `min_usd` are left out. More than
    `digest_above` events at once are one message.
    """

    channel: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    url_env: Variable
    kinds: tuple[AlertKind, ...] = ALERT_KINDS
    min_usd: Decimal = Field(default=Decimal(0), ge=0)
    digest_above: int = Field(default=3, ge=0, le=100)


class AlertsConfig(Declaration):
    """The whole of `alerts.yaml`. `link` is the address under which people find reports, without `<day>/index.html`."""

    channels: tuple[Channel, ...] = ()
    link: str | None = Field(default=None, pattern=r"^https?://\S+$")
    credit_days: int = Field(default=14, ge=1, le=366)

    @model_validator(mode="after")
    def _named_once(self) -> AlertsConfig:
        refuse_twice("channels", [item.channel for item in self.channels], within="channel")
        return self
