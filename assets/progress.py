"""A Dagster logger for the terminal: one line per finished step, warnings cut short where they are long, nothing else.

Used by `modelmeter daily`; the web server and the daemon keep Dagster's own loggers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import dagster as dg

from assets.boundary import reason_of

Report = Callable[[str, str, float | None], None]

_LONGEST = 300
"""Characters of a warning on the terminal: real price feeds fill pages with the names of what they leave open."""

_sink: list[Report] = []


def report_to(sink: Report | None) -> None:
    """Send progress to `sink(event, text, seconds)`; None stops it. Events: started, finished, failed, warning."""
    _sink[:] = [] if sink is None else [sink]


class _StepHandler(logging.Handler):
    """Turns Dagster's event records into calls of the sink."""

    def emit(self, record: logging.LogRecord) -> None:
        if not _sink:
            return
        meta = getattr(record, "dagster_meta", None) or {}
        event: dg.DagsterEvent | None = meta.get("dagster_event")
        if event is None:
            if record.levelno >= logging.WARNING:
                _sink[0]("warning", _short(meta.get("orig_message") or record.getMessage()), None)
            return
        step = (event.step_key or "").replace("__", ".")
        if event.event_type is dg.DagsterEventType.STEP_START:
            _sink[0]("started", step, None)
        elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            _sink[0]("finished", step, event.step_success_data.duration_ms / 1000)
        elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            if error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
                return  # by a person, who sees it
            _sink[0]("failed", f"{step}: {reason_of(error)}", None)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … (in full in Dagster's log of the run)"


@dg.logger(config_schema={}, description="One line per step for the terminal.")
def progress_logger(init_context: dg.InitLoggerContext) -> logging.Logger:  # noqa: ARG001
    """The logger of `modelmeter daily`."""
    logger = logging.getLogger("modelmeter.progress")
    logger.handlers = [_StepHandler()]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    return logger
