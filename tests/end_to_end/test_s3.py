"""The daily command on a bucket: the sample gives the same tables from a folder and from a real S3 server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation, differences
from tests.unit.landing.s3 import SECRET, S3Server, serve_s3
from tests.warehouse_fixtures import lay_cluster


@pytest.fixture(scope="module")
def bucket(small_sample: SmallSample) -> Iterator[S3Server]:
    """The sample's landing zone as a bucket."""
    with serve_s3(small_sample.root.parent) as server:
        yield server


def test_a_bucket_comes_to_the_same_tables_as_a_folder(
    undisturbed: Finished,
    bucket: S3Server,
    small_sample: SmallSample,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket.use(monkeypatch)
    (tmp_path / "home").mkdir()
    lay_cluster(tmp_path / "home")
    remote = Installation(tmp_path / "home", f"s3://{small_sample.root.name}")  # type: ignore[arg-type]
    try:
        out, err = remote.run("daily", "--date", str(small_sample.days[1]), "--json")
        facts = json.loads(out)
        assert facts["runs"][0]["succeeded"] is True
        assert facts["checks"]
        assert all(check["passed"] for check in facts["checks"] if check["severity"] == "ERROR")
        assert differences(remote, undisturbed) == set()
        looked = json.loads(remote.run("doctor", "--json")[0])
    finally:
        remote.remove()
    (found,) = [finding for finding in looked if finding["subject"] == "landing zone"]
    files = sum(path.is_file() for path in (small_sample.root / "requests").rglob("*"))
    assert found["ok"]
    assert found["text"].startswith(f"s3://landing at {bucket.endpoint}: {files} objects of requests, ")
    assert SECRET not in out + err + json.dumps(looked)
