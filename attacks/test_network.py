"""A network to somebody else's Postgres that goes half open: both ends believe in the connection, and nothing arrives any more."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from attacks.conftest import Attacked
from tests.end_to_end.test_external_database import use
from tests.warehouse.external import PASSWORD, address, execute

__all__ = ["address"]


@contextmanager
def silenced(port: int) -> Iterator[None]:
    """While this lasts, packets from and to a port of loopback are dropped without a word."""
    rules = [["-i", "lo", "-p", "tcp", side, str(port), "-j", "DROP"] for side in ("--dport", "--sport")]
    for rule in rules:
        subprocess.run(["iptables", "-w", "-I", "INPUT", *rule], check=True)
    try:
        yield
    finally:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-D", "INPUT", *rule], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("iptables") is None, reason="only root can drop packets")
@pytest.mark.parametrize("step", ["raw_request_files", "core_rate_card", "dbt_models.build"])
def test_the_network_to_the_database_goes_half_open(attacked: Attacked, address: str, step: str) -> None:
    """The run gives up in words after a minute or two, and the server forgets it and its locks, so that the next run works."""
    name = f"half_open_{step}"
    execute(address, f"create role {name} login createdb password '{PASSWORD}'", f"create database {name} owner {name}")
    use(attacked.installation, address, name, name, MODELMETER_DAGSTER_DATABASE=name)
    run = attacked.start()
    attacked.until(run, lambda line: line.split()[:2] == ["done", step])
    with silenced(int(address.split(":")[1])):
        said = attacked.ends_in_words(run)
        assert run.returncode != 0, said
    attacked.run()
    assert attacked.differences() == set()
