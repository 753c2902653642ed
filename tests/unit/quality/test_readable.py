"""A source of which much can't be read is loud: from 1 % a warning, from 20 % an error, harmless lines apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from pipelines.quality import ExpectationOutcome, sources_readable
from pipelines.quality.readable import REMEDIES
from pipelines.warehouse.database import Database
from tests.unit.quality.rows import DAY
from tests.unit.quality.test_accounting import add, run

WINDOW = (DAY, DAY + timedelta(days=1))


def outcome(database: Database, *, grant: bool = True) -> ExpectationOutcome:
    if grant:
        with database.connect() as connection:
            connection.execute("grant usage on schema raw to modelmeter_reader")
            connection.execute("grant select on all tables in schema raw to modelmeter_reader")
    return run(database, sources_readable, *WINDOW)


def file(database: Database, number: int, source: str, *, valid: int, broken: dict[str, int], **more: Any) -> None:
    """One file of `source`: `valid` rows and, by reason, records that are set aside."""
    snapshot, total = UUID(int=number), sum(broken.values())
    add(
        database,
        "raw.snapshot",
        {"snapshot_id": snapshot, "landing_path": f"{number}.jsonl", "source": source, "lines": valid + total,
         "valid": valid, "quarantined": total, "event_dates": [DAY], **more},
    )  # fmt: skip
    reasons = [reason for reason, records in broken.items() for _ in range(records)]
    rows = [
        {"snapshot_id": snapshot, "line_no": n, "reason": reason, "severity": "info" if reason == "not_a_request" else "error"}
        for n, reason in enumerate(reasons, 1)
    ]  # fmt: skip
    if rows:
        add(database, "raw.quarantine", *rows)


@pytest.mark.parametrize(
    ("broken", "valid", "success", "severity"),
    [(1, 101, True, "warning"), (1, 99, False, "warning"), (19, 81, False, "warning"), (20, 80, False, "blocking")],
)
def test_the_bounds(bare: Database, broken: int, valid: int, success: bool, severity: str) -> None:
    file(bare, 1, "gateway", valid=valid, broken={"not_json": broken})
    found = outcome(bare)
    assert (found.success, found.severity) == (success, severity)
    assert found.observed == pytest.approx(broken / (broken + valid))
    assert found.description.startswith(f"Found: gateway {broken / 100:.1%}. ") is not success


def test_harmless_lines_do_not_count_and_one_source_does_not_hide_in_another(bare: Database) -> None:
    file(bare, 1, "big", valid=1000, broken={"not_a_request": 900})
    file(bare, 2, "small", valid=6, broken={"undecided_marks": 3, "not_json": 1})
    file(
        bare,
        3,
        "lost",
        valid=0,
        broken={"odd": 1},
        event_dates=[],
        observed_at=datetime(DAY.year, DAY.month, DAY.day, 9, tzinfo=UTC),
    )
    found = outcome(bare)
    assert (found.success, found.severity, found.unexpected_count, found.observed) == (False, "blocking", 2, 1.0)
    lost, small = found.sample
    assert lost["source"] == "lost"
    assert small == {
        "source": "small",
        "set aside": "4 of 10 (40.0%)",
        "reasons": "undecided_marks 3, not_json 1",
        "what helps": REMEDIES["undecided_marks"],
    }
    with bare.connect() as connection:
        rows = connection.execute((found.query or "").encode()).fetchall()
    assert [row[:4] for row in rows] == [
        ("lost", "odd", "3.jsonl", 1),
        ("small", "not_json", "2.jsonl", 4),
        *(("small", "undecided_marks", "2.jsonl", line) for line in (1, 2, 3)),
    ], "the query gives every record, those of other days' files and harmless lines apart"


def test_a_window_without_files(bare: Database) -> None:
    found = outcome(bare)
    assert (found.success, found.observed) == (True, 0.0)


def test_a_source_without_any_request_is_no_quiet_day(bare: Database) -> None:
    """A wrong format takes each record for none of its own, and none for a broken one."""
    file(bare, 1, "wrong", valid=0, broken={"not_a_request": 40})
    file(bare, 2, "gateway", valid=10, broken={"not_a_request": 900})
    file(bare, 3, "broken", valid=0, broken={"not_a_request": 2, "not_json": 1})
    file(bare, 4, "empty", valid=0, broken={})
    found = outcome(bare)
    assert [(item["source"], item["what helps"]) for item in found.sample] == [
        ("broken", REMEDIES["not_json"]),
        ("wrong", REMEDIES["nothing_valid"]),
    ]
    assert "wrong without any request" in found.description


@pytest.mark.parametrize("kind", ["bills", "shadow"])
def test_a_bill_and_a_measurement_are_as_loud_as_a_log(bare: Database, kind: str) -> None:
    file(bare, 1, "invoices", valid=6, broken={"undecided_marks": 4}, kind=kind)
    found = outcome(bare)
    assert (found.success, found.severity, found.observed) == (False, "blocking", 0.4)


@pytest.mark.parametrize(
    ("lost", "reason", "success", "severity"),
    [
        ({"valid": 0, "size_bytes": 40}, "not_json", True, "warning"),
        ({"valid": 0, "size_bytes": 2000}, "not_json", False, "warning"),
        ({"valid": 0, "size_bytes": 30_000}, "not_json", False, "blocking"),
        ({"valid": 9000, "size_bytes": 30_000}, "not_json", True, "warning"),
        ({"valid": 0, "size_bytes": 40}, "unknown_container", False, "warning"),
        ({"valid": 9000, "size_bytes": 40}, "broken_archive", False, "warning"),
        ({"valid": 9000, "size_bytes": 30_000}, "broken_archive", False, "blocking"),
    ],
)
def test_a_file_that_cant_be_read_weighs_more_than_one_record(
    bare: Database, lost: dict[str, int], reason: str, success: bool, severity: str
) -> None:
    """Among a hundred thousand records of other files nobody heard of it. One that is cut off is as small as what is left of it."""
    for number in range(1, 9):
        file(bare, number, "gateway", valid=100_000, broken={}, size_bytes=12_500)
    file(bare, 9, "gateway", broken={reason: 1}, **lost)  # type: ignore[arg-type]
    found = outcome(bare)
    assert (found.success, found.severity) == (success, severity)
    if not success:
        assert "1 of 9 files can't be read to their end" in found.description
