"""A Dagster logger for the terminal: one line per finished step, warnings cut short where they are long, nothing else.

Used by `modelmeter daily`; the web server and the daemon keep Dagster's own loggers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from assets.boundary import reason_of

Report = Callable[[str, str, float | None], None]

_LONGEST = 300
"""Characters of a warning on the terminal: real price feeds fill pages with the names of what they leave open."""

_LOGGER = "modelmeter.progress"


@contextmanager
def reported_to(report: Report) -> Iterator[None]:
    """Send progress to `report(event, text, seconds)` while the block lasts. Events: started, finished, failed, warning."""
    logger, handler = logging.getLogger(_LOGGER), _StepHandler(report)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _StepHandler(logging.Handler):
    """Turns Dagster's event records into calls of `report`."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", None) or {}
        event: dg.DagsterEvent | None = meta.get("dagster_event")
        if event is None:
            if record.levelno >= logging.WARNING:
                self._report("warning", _short(meta.get("orig_message") or record.getMessage()), None)
            return
        step = (event.step_key or "").replace("__", ".")
        if event.event_type is dg.DagsterEventType.STEP_START:
            self._report("started", step, None)
        elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            self._report("finished", step, event.step_success_data.duration_ms / 1000)
        elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            if error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
                return  # by a person, who sees it
            self._report("failed", f"{step}: {reason_of(error)}", None)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … (in full in Dagster's log of the run)"


@dg.logger(config_schema={}, description="One line per step for the terminal.")
def progress_logger(init_context: dg.InitLoggerContext) -> logging.Logger:  # noqa: ARG001
    """The logger of `modelmeter daily`; `reported_to` says where its records go."""
    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger
