"""dbt's own unit tests, which lie in the YAML files of the models."""

from __future__ import annotations

from collections.abc import Callable

from tests.contracts.dbt.conftest import DbtRun


def test_every_unit_test_of_the_models_passes(dbt: Callable[..., DbtRun]) -> None:
    assert dbt("run").success  # expected rows have the types of the model that is there
    done = dbt("test", None, None, "--select", "test_type:unit")
    assert done.success, done.messages
    assert set(done.statuses.values()) == {"pass"}
