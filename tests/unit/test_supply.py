"""The bill of materials names what a run installs, and advisories are held against the locked versions."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.warehouse.cluster import installed_programs

ROOT = Path(__file__).resolve().parents[2]
ADVISORIES = ROOT / "deploy" / "advisories.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_every_locked_package_is_in_the_bill() -> None:
    bill = json.loads(run(ROOT / "deploy" / "bill_of_materials.py").stdout)
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line]
    *packages, postgres = bill["components"]
    assert [f"{c['name']}=={c['version']}" for c in packages] == [line.split(" ")[0] for line in lines]
    assert all(c["purl"].startswith("pkg:pypi/") for c in packages)
    server = subprocess.run([installed_programs() / "postgres", "-V"], capture_output=True, text=True, check=True)
    assert server.stdout.split()[-1] == postgres["version"] == postgres["purl"].removeprefix("pkg:generic/postgresql@")
    licensed = [c["name"] for c in packages if "licenses" in c]
    assert len(licensed) > 0.9 * len(lines)
    assert bill["metadata"]["component"]["name"] == "modelmeter"


def advisory(name: str, **affected: object) -> dict[str, object]:
    return {"id": "T-1", "summary": "bad", "affected": [{"package": {"ecosystem": "PyPI", "name": name}, **affected}]}


def span(*events: tuple[str, str]) -> dict[str, object]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": [{kind: at} for kind, at in events]}]}


@pytest.mark.parametrize(
    ("found", "is_affected"),
    [
        (advisory("Some.Package", versions=["1.10"]), True),
        (advisory("some-package", versions=["1.1"]), False),
        (advisory("other", versions=["1.10"]), False),
        (advisory("some_package", **span(("introduced", "0"), ("fixed", "1.9"))), False),
        (advisory("some_package", **span(("introduced", "0"), ("fixed", "1.11"))), True),
        (advisory("some_package", **span(("introduced", "0"), ("fixed", "1.9"), ("introduced", "1.10"))), True),
        (advisory("some_package", **span(("introduced", "0"), ("last_affected", "1.10"))), True),
        (advisory("some_package", **span(("introduced", "0"), ("last_affected", "1.9"))), False),
        ({**advisory("some_package", versions=["1.10"]), "withdrawn": "2026-01-01T00:00:00Z"}, False),
    ],
)
def test_an_advisory_holds_for_the_versions_it_names(found: dict[str, object], is_affected: bool) -> None:
    affected = runpy.run_path(str(ADVISORIES))["affected"]
    expected = ["some-package==1.10: T-1 bad"] if is_affected else []
    assert affected(iter([found]), [("some-package", "1.10")]) == expected


def test_the_command_reads_an_export_and_says_what_it_compared(tmp_path: Path) -> None:
    export = tmp_path / "all.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr("T-1.json", json.dumps(advisory("polars", versions=["0.1"])))
    done = run(ADVISORIES, export)
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["none", "of"])
    assert done.stdout.endswith("packages is affected by any of 1 advisories\n")
    with zipfile.ZipFile(export, "a") as archive:
        archive.writestr("T-2.json", "{cut off")
    done = run(ADVISORIES, export)
    assert (done.returncode, done.stdout) == (2, ""), "what could not be read is not known to be harmless"
    assert done.stderr == "1 of 2 advisories are none in the OSV format, the first one T-2.json\n"
    with zipfile.ZipFile(export, "a") as archive:
        archive.writestr("T-3.json", json.dumps(advisory("polars", **span(("introduced", "0")))))
    done = run(ADVISORIES, export)
    assert done.returncode == 1
    assert done.stdout.startswith("polars==")


@pytest.mark.parametrize("name", ["a folder", "nothing", "no zip file"])
def test_what_holds_no_advisories_is_no_good_news(name: str, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "no zip file").write_text("text")
    done = run(ADVISORIES, tmp_path / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(str(tmp_path / name))
    assert done.stderr.count("\n") == 1
