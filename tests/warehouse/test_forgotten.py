"""A forgotten user in the tables that speak of users in words."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

from pipelines.planning.drivers import Driver, explained
from pipelines.retention.forgotten import forget
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables.core_alerts import ALERT
from pipelines.warehouse.tables.mart_planning import SPEND_ANOMALY
from tests.unit.quality.rows import good_row, insert

DAY = date(2026, 2, 14)


def test_events_that_a_user_drove_lose_the_name_and_keep_their_money(database: Database, tmp_path: Path) -> None:
    with database.connect() as connection:
        for number, user in enumerate(("ann", "annabel")):
            words = explained(("team", f"t{number}"), DAY, 30, 10, Driver("user", user, 15))
            key = {"scope": "team", "scope_value": f"t{number}", "driver": "user", "driver_value": user}
            insert(connection, SPEND_ANOMALY, [good_row(SPEND_ANOMALY) | key | {"explanation": words}])
            event = {
                "alert_id": UUID(int=number),
                "kind": "anomaly",
                "detail": f"{words} 20.00 USD so far, open.",
            }
            insert(connection, ALERT, [good_row(ALERT) | event])
    forget(database, tmp_path, tmp_path, "ann", is_erased=True)
    with database.connect(read_only=True) as connection:
        events = connection.execute(
            "select driver_value, explanation from mart.spend_anomaly order by scope_value"
        ).fetchall()
        details = connection.execute("select detail from core.alert order by alert_id").fetchall()
    assert [name for name, _ in events] == ["unattributed", "annabel"]
    assert [words.split("; ")[1] for _, words in events] == [
        "user unattributed makes 15.00 of the difference.", "user annabel makes 15.00 of the difference.",
    ]  # fmt: skip
    assert [" ann " in text for (text,) in details] == [False, False]
    assert [" annabel " in text for (text,) in details] == [False, True]
