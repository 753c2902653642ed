"""The status of the installation as Prometheus reads it: a text file, or the answer of an endpoint."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from assets.status import Status

UNHEALTHY = """# HELP modelmeter_healthy 1 where nothing is wrong.
# TYPE modelmeter_healthy gauge
modelmeter_healthy 0
"""
"""Where the warehouse can't be asked, and nothing else is known."""


def prometheus(status: Status, max_age: timedelta) -> str:
    """The same in Prometheus's text format: gauges, of which each is explained once."""
    lines: list[str] = []

    def gauge(name: str, text: str, values: dict[str, float | None]) -> None:
        lines.extend([f"# HELP modelmeter_{name} {text}", f"# TYPE modelmeter_{name} gauge"])
        lines.extend(f"modelmeter_{name}{labels} {value:.17g}" for labels, value in values.items() if value is not None)

    newest = status.runs[0] if status.runs else None
    day = None if status.newest_day is None else datetime.combine(status.newest_day, time(), UTC)
    gauge("healthy", "1 where nothing is wrong.", {"": float(not status.problems(max_age))})
    gauge(
        "last_run_succeeded",
        "1 where the newest daily run succeeded.",
        {"": float(newest.succeeded) if newest else None},
    )
    gauge("problems", "How many things are wrong.", {"": float(len(status.problems(max_age)))})
    failed = {
        severity: sum(run.checks.get(severity, 0) for run in status.recent(max_age)) for severity in ("warn", "error")
    }
    gauge(
        "failed_checks",
        "Checks that failed in the runs of --max-age, of each day in its newest run.",
        {_labels(severity=severity): float(number) for severity, number in failed.items()},
    )
    gauge("last_success_timestamp_seconds", "When a daily run last succeeded.", {"": _seconds(status.last_success_at)})
    gauge("newest_day_timestamp_seconds", "The newest day with charges.", {"": _seconds(day)})
    gauge(
        "feed_observed_timestamp_seconds",
        "When the content in use was observed.",
        {_labels(kind=feed.kind, name=feed.name): _seconds(feed.observed_at) for feed in status.feeds},
    )
    gauge(
        "feed_stale",
        "1 where it is older than its declaration allows, or was never fetched.",
        {_labels(kind=feed.kind, name=feed.name): float(feed.is_stale is not False) for feed in status.feeds},
    )
    gauge("open_alarms", "Open on the newest day.", {_labels(kind=k): float(n) for k, n in status.alarms.items()})
    gauge("size_bytes", "What grows.", {_labels(part=k): float(n) for k, n in status.sizes.items()})
    return "\n".join(lines) + "\n"


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _labels(**values: str) -> str:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    return "{" + ",".join(f'{name}="{quoted(value)}"' for name, value in values.items()) + "}"
