"""Objects of a bucket other than the landing zone, from a real S3 server on loopback."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.config.pull import BucketPull
from pipelines.config.sources import RequestSource, Sources
from pipelines.landing import scan
from pipelines.pull import PullResult, pull_sources
from pipelines.settings import Settings
from tests.unit.landing.s3 import KEY, SECRET, S3Server, serve_s3
from tests.unit.pull.test_apis import NOW


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serve_s3(tmp_path_factory.mktemp("s3") / "buckets") as server:
        yield server


def pulled(settings: Settings, source: RequestSource, hours: int = 0) -> PullResult:
    landed = scan(settings.landing_zone, "requests").files
    (result,) = pull_sources(settings, Sources(requests=(source,)), landed=landed, now=NOW + timedelta(hours=hours))
    return result


def test_every_version_of_every_object_lands_once(
    s3: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_KEY", KEY)
    monkeypatch.setenv("LOGS_SECRET", SECRET)
    folder = s3.root / "bedrock" / "AWSLogs" / "2026" / "02"
    folder.mkdir(parents=True)
    contents = {f"{n}_20260213T1000Z.json.gz": gzip.compress(f'{{"n": {n}}}'.encode(), mtime=0) for n in range(3)}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "_SUCCESS").write_text("x")
    (folder / "manifest.xml").write_text("x")
    pull = BucketPull(
        kind="bucket", url="s3://bedrock/AWSLogs", match="2026/*", endpoint=s3.endpoint, region="us-east-1",
        env={"access_key_id": "LOGS_KEY", "secret_access_key": "LOGS_SECRET"},
    )  # fmt: skip
    source = RequestSource(source="up", format="bedrock_invocation", pull=pull)
    result = pulled(settings, source)
    assert (result.error, result.files, result.calls) == (None, 3, 4)
    found = scan(settings.landing_zone, "requests")
    assert not found.problems
    assert sorted(file.path.read_bytes() for file in found.files) == sorted(contents.values())
    assert {file.url for file in found.files} == {f"s3://bedrock/AWSLogs/2026/02/{name}" for name in contents}
    assert (pulled(settings, source, hours=1).files, pulled(settings, source, hours=1).calls) == (0, 1)
    (folder / "0_20260213T1000Z.json.gz").write_bytes(gzip.compress(b'{"n": 99}'))
    assert pulled(settings, source, hours=2).files == 1
    monkeypatch.setenv("LOGS_SECRET", "not-the-secret")
    error = str(pulled(settings, source).error)
    assert error == "can't list s3://bedrock/AWSLogs: AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"


def test_the_files_that_a_collector_has_rotated(settings: Settings, tmp_path: Path) -> None:
    """As the file exporter of the OpenTelemetry collector leaves them; the one that it still writes into is left alone."""
    folder = tmp_path / "collector"
    folder.mkdir()
    (folder / "otlp-2026-02-13T06-00-00.000.jsonl").write_text('{"resourceSpans": []}\n')
    (folder / "otlp.jsonl").write_text('{"resourceSp')
    pull = BucketPull(kind="bucket", url=f"file://{folder}", match="otlp-*")
    source = RequestSource(source="up", format="otel_genai", pull=pull)
    assert (pulled(settings, source).error, pulled(settings, source).files) == (None, 0)
    (file,) = scan(settings.landing_zone, "requests").files
    assert file.path.read_bytes() == b'{"resourceSpans": []}\n'
    assert (file.url, file.content_suffix) == (f"file://{folder}/otlp-2026-02-13T06-00-00.000.jsonl", ".jsonl")
    gone = BucketPull(kind="bucket", url=f"file://{tmp_path}/nowhere")
    error = pulled(settings, RequestSource(source="up", format="otel_genai", pull=gone)).error
    assert error is not None
    assert "nowhere" in error


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "s3://", "s3://id:hidden@bucket/x", "https://h/x?key=hidden", "file://host/x", "file:relative"]
)
def test_an_address_that_is_refused_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="is accepted") as error:
        BucketPull(kind="bucket", url=url)
    assert "Value error" in str(error.value)
