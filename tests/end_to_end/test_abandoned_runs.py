"""A run that was killed and could not record its end: the daemon ends it, and no later run waits for it for ever."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import httpx
import psutil
import pytest

from pipelines.warehouse import server
from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Installation, Run
from tests.warehouse.test_access import free_port

LAUNCH = """
mutation launch($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector}) { __typename ... on LaunchRunSuccess { run { runId } } }
}
"""
STATUSES = "{ runsOrError { ... on Runs { results { runId jobName status } } } }"


def kill_in_the_middle(installation: Installation, small_sample: SmallSample) -> None:
    process = installation.start("daily", "--date", str(small_sample.days[0]))
    assert process.stderr is not None
    for line in process.stderr:
        if line.split()[:2] == ["done", "raw_request_files"]:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture
def killed(installation: Installation, small_sample: SmallSample) -> Installation:
    """An installation with one run in its history, which was killed."""
    kill_in_the_middle(installation, small_sample)
    return installation


def test_the_daemon_ends_it_and_starts_what_waits(killed: Installation) -> None:
    """With a limit of one run, a run of the schedule waited for the killed one for ever."""
    port = free_port()
    ui = killed.start("ui", "--port", str(port))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            location = wait_for(lambda: code_location(client))
            for stranger in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
                assert client.post("/graphql", json={"query": STATUSES}, headers=stranger).status_code == 403
            selector = {"jobName": "arrivals", **location}
            launched = ask(client, LAUNCH, {"selector": selector})["launchRun"]
            run_id = launched["run"]["runId"]
            done = wait_for(lambda: [s for i, s in runs(client) if i == run_id and s == "SUCCESS"])
            assert done == ["SUCCESS"]
            assert [status for i, status in runs(client) if i != run_id] == ["FAILURE"]
        assert_ends_on_sigterm(ui, killed)
    finally:
        if ui.poll() is None:
            ui.send_signal(signal.SIGINT)
            ui.communicate(timeout=60)


def assert_ends_on_sigterm(ui: Run, installation: Installation) -> None:
    """`kill` and systemd send it to the command alone: web server, daemon and database end with it."""
    children = psutil.Process(ui.pid).children(recursive=True)
    assert len(children) > 2, "web server, daemon and code server"
    ui.send_signal(signal.SIGTERM)
    _, err = ui.communicate(timeout=60)
    assert (ui.returncode, "Traceback" in err) == (0, False), err
    _, alive = psutil.wait_procs(children, timeout=10)
    assert [child.cmdline() for child in alive] == []
    assert server.running(installation.home) is None


def code_location(client: httpx.Client) -> dict[str, str]:
    found = ask(client, "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }")
    nodes = found["repositoriesOrError"].get("nodes") or []
    return {"repositoryName": nodes[0]["name"], "repositoryLocationName": nodes[0]["location"]["name"]} if nodes else {}


def runs(client: httpx.Client) -> list[tuple[str, str]]:
    return [(run["runId"], run["status"]) for run in ask(client, STATUSES)["runsOrError"]["results"]]


def ask(client: httpx.Client, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        answer = client.post("/graphql", json={"query": query, "variables": variables or {}}).json()
    except httpx.TransportError:  # not up yet
        return {"repositoriesOrError": {}, "runsOrError": {"results": []}}
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def wait_for(look: Any) -> Any:
    deadline = time.monotonic() + 240
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(1)
    return found
