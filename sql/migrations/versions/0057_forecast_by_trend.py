"""A forecast by the trend of the weeks: its method was not accepted, so that the run of a day with growing spend failed."""

from __future__ import annotations

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table mart.spend_forecast drop constraint spend_forecast_method_accepted, add constraint spend_forecast_method_accepted "
        "check (method in ('seasonal_naive', 'weekday_level', 'weekday_trend', 'month_level'))"
    )
