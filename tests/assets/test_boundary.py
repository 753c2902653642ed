"""Every step, sensor and resource ends in our own words: no text and no chain of a foreign exception reaches Dagster."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from assets.boundary import StepError, in_own_words
from assets.definitions import build_defs
from pipelines.records.layout import SourceError

CANARY = "canary-7f3a-prompt-text"


def _raise(kind: type[Exception]) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        raise kind(CANARY) from error


@in_own_words
def _step() -> None:
    _raise(ValueError)


@in_own_words
def _steps() -> Iterator[int]:
    yield 1
    _raise(ValueError)


@pytest.mark.parametrize("is_generator", [False, True])
def test_neither_the_event_log_nor_the_terminal_holds_a_foreign_text(
    is_generator: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    @dg.asset(name="probe")
    @in_own_words
    def probe() -> None:
        if is_generator:
            list(_steps())
        else:
            _step()

    with dg.instance_for_test() as instance:
        result = dg.materialize([probe], instance=instance, raise_on_error=False)
        log = "".join(str(record) for record in instance.all_logs(result.run_id))
        assert not result.success
    shown = "".join(capfd.readouterr())
    assert "StepError" in log
    assert "ValueError" in log
    assert CANARY not in log
    assert CANARY not in shown


def test_an_error_of_our_own_keeps_its_words() -> None:
    @in_own_words
    def step() -> None:
        raise SourceError("x", ("options", "y"), "no such option")

    with pytest.raises(StepError, match=r"SourceError: source x: options\.y"):
        step()


def test_every_step_is_inside_the_boundary() -> None:
    """Counter-example: an asset added without the boundary shows whatever text a library raises."""
    defs = build_defs()
    made = [
        item for item in (*(defs.assets or ()), *(defs.asset_checks or ())) if isinstance(item, dg.AssetsDefinition)
    ]
    steps = [op for item in made if item.is_executable for op in item.node_def.iterate_op_defs()]
    assert len(steps) > 15
    assert {"begin", "build"} <= {step.name for step in steps}, "the steps of an asset that is made in several"
    bare = [step.name for step in steps if not hasattr(_function_of(step), "__wrapped__")]
    assert not bare


def _function_of(step: object) -> object:
    return step.compute_fn.decorated_fn  # type: ignore[attr-defined]
