"""The three ways to deploy say the same: an ordinary user, a read-only root file system, limits, probes, secrets from the environment."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").iterdir())
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "modelmeter.yaml").read_text()))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VARIABLES = {f"MODELMETER_{name.upper()}" for name in Settings.model_fields}


def pods() -> dict[str, dict[str, Any]]:
    found = {}
    for manifest in MANIFESTS:
        spec = manifest["spec"]
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            found[manifest["metadata"]["name"]] = template["spec"]
    return found


def test_the_image_runs_as_an_ordinary_user_and_copies_what_it_is_made_of() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert len(stages) == 3
    assert "USER 10001:10001" in stages[-1]
    assert "HEALTHCHECK" in stages[-1]
    # Packages change seldom: they are a layer of their own, below the code.
    assert stages[1].index("requirement requirements.lock") < stages[1].index("COPY assets")
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]
    }
    kept = {line[1:] for line in (DEPLOY.parent / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == kept
    assert all((DEPLOY.parent / name).exists() for name in copied)


@pytest.mark.parametrize("name", ["ui", "daily"])
def test_a_service_of_compose_is_confined_and_limited(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert set(service["environment"]) <= VARIABLES
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def tool(name: str) -> str:
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        pytest.fail(f"{name} is not installed: run `make setup-dev`")
    return str(found)


@pytest.mark.slow
def test_compose_accepts_its_file(tmp_path: Path) -> None:
    """By the schema of the Compose Specification, which the tool brings and which refuses what it does not know."""
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, DEPLOY / "compose.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    misspelt = tmp_path / "compose.yaml"
    misspelt.write_text((DEPLOY / "compose.yaml").read_text().replace("read_only:", "read_onyl:"))
    done = subprocess.run([*command, misspelt], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "read_onyl" in done.stdout


def test_the_linter_of_dockerfiles_has_no_complaint() -> None:
    done = subprocess.run([tool("hadolint"), DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_one_version_stands_everywhere() -> None:
    """The newest release of the changelog, the package and the image of the Kubernetes manifest."""
    released = re.findall(
        r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", (DEPLOY.parent / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    package = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["version"]
    images = {container["image"] for pod in pods().values() for container in pod["containers"]}
    assert released[0] == package == metadata.version("modelmeter")
    assert images == {f"modelmeter:{package}"}


def test_no_secret_stands_in_a_file() -> None:
    """Where one belongs, the environment or a Secret gives it."""
    files = [*UNITS, DEPLOY / "compose.yaml", DEPLOY / "Dockerfile", DEPLOY / "kubernetes" / "modelmeter.yaml"]
    lines = [line for path in files for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    set_to = [re.search(r"(PASSWORD|HASH_KEY|PING_URL)\s*[:=](.*)", re.sub(r"\$\{[^}]*\}", "", line)) for line in lines]
    assert [found[0] for found in set_to if found and found[2].strip()] == []


@pytest.mark.parametrize("name", list(pods()))
def test_a_pod_is_confined_limited_and_probed(name: str) -> None:
    pod = pods()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} == set(container["resources"]["limits"]) == set(container["resources"]["requests"])
    assert {item["name"] for item in container["env"]} <= VARIABLES
    assert [source["secretRef"]["name"] for source in container["envFrom"]] == ["modelmeter"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    probes = {"startupProbe", "readinessProbe", "livenessProbe"}
    assert probes <= set(container) or name == "modelmeter-daily", "a job ends by itself"


def test_a_run_that_failed_by_itself_is_not_repeated_and_one_that_was_killed_is() -> None:
    """`daily` ends with 1 where a step or a check failed (docs/operations.md): a repeat costs a run and changes nothing."""
    job = next(m for m in MANIFESTS if m["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]
    moved, failed = job["podFailurePolicy"]["rules"]
    assert (moved["action"], moved["onPodConditions"]) == ("Ignore", [{"type": "DisruptionTarget", "status": "True"}])
    assert failed == {"action": "FailJob", "onExitCodes": {"containerName": "daily", "operator": "In", "values": [1]}}
    assert [c["name"] for c in job["template"]["spec"]["containers"]] == ["daily"]
    assert (job["backoffLimit"], job["template"]["spec"]["restartPolicy"]) == (2, "Never")
    unit = (DEPLOY / "systemd" / "modelmeter-daily.service").read_text().splitlines()
    assert {"Restart=on-failure", "RestartPreventExitStatus=1", "StartLimitBurst=3"} <= set(unit)
    assert COMPOSE["services"]["daily"]["restart"] == "no", "docker compose run: whoever calls it sees its status"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_kubernetes_accepts_the_manifest(manifest: dict[str, Any]) -> None:
    """By its own schemas, which refuse what they do not know; the oldest version that is still maintained."""
    validator = importlib.import_module("kubernetes_validate")  # which the development lock brings, without types
    validator.validate(manifest, "1.33", strict=True)
    with pytest.raises(validator.ValidationError, match="replcas"):
        validator.validate(manifest | {"spec": manifest["spec"] | {"replcas": 1}}, "1.33", strict=True)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_unit(path: Path) -> None:
    text = path.read_text()
    assert path.suffix == ".timer" or (
        "NoNewPrivileges=yes" in text and "MemoryMax=" in text and "User=modelmeter" in text
    )
    assert set(re.findall(r"MODELMETER_[A-Z_]+", text)) <= VARIABLES
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", "verify", *map(str, UNITS)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
