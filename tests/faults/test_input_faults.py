"""Every way in which a landed file can be wrong: a stated outcome, lines = valid + quarantined, bounded memory, no crash.

Big files are made on the fly; their memory is that of a process of its own, measured by the system.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from pydantic import SecretStr

from pipelines.daily import Window, ingest_requests
from pipelines.daily.accounting import books_of_the_window, files_accounted
from pipelines.landing import LandingError
from pipelines.requests import parse as parsing
from pipelines.settings import Settings
from pipelines.warehouse.read import read_frame
from pipelines.workspace import Workspace, open_workspace
from tests.unit.landing.s3 import serve_s3
from tests.unit.requests.helpers import all_days, landed, parse, rows, source_of

FORMAT = "litellm_spend_logs"


def record(number: int, **more: Any) -> dict[str, Any]:
    return {"request_id": f"r{number}", "startTime": "2026-02-12 10:00:00", "model": "gpt-4o", "prompt_tokens": 10,
            "completion_tokens": 5, "spend": 0.001, **more}  # fmt: skip


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(json.dumps(record(number)).encode() + b"\n" for number in range(first, first + count))


def csv(count: int) -> bytes:
    head = ",".join(record(0))
    return (
        "\n".join([head, *(",".join(str(value) for value in record(n).values()) for n in range(count))]).encode()
        + b"\n"
    )


def parquet(folder: Path, count: int, **options: Any) -> bytes:
    path = folder / "made.parquet"
    pl.DataFrame([record(number) for number in range(count)]).write_parquet(path, **options)
    content = path.read_bytes()
    path.unlink()
    return content


def zipped(folder: Path, *parts: str) -> bytes:
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*parts, "a.jsonl"):
            archive.writestr(name, lines(3))
    content = path.read_bytes()
    path.unlink()
    return content


zstd = zstandard.ZstdCompressor().compress
Outcome = tuple[int, dict[str, int]]
BOM = b"\xef\xbb\xbf"

CASES: dict[str, tuple[str, Callable[[Path], bytes], Outcome]] = {
    "plain": ("a.jsonl", lambda _: lines(3), (3, {})),
    "gzip": ("a.jsonl.gz", lambda _: gzip.compress(lines(3)), (3, {})),
    "zstd": ("a.jsonl.zst", lambda _: zstd(lines(3)), (3, {})),
    "csv": ("a.csv", lambda _: csv(3), (3, {})),
    "csv in zstd": ("a.csv.zst", lambda _: zstd(csv(3)), (3, {})),
    "csv of semicolons": ("a.csv", lambda _: csv(3).replace(b",", b";"), (3, {})),
    "tabs": ("a.tsv", lambda _: csv(3).replace(b",", b"\t"), (3, {})),
    "parquet": ("a.parquet", lambda folder: parquet(folder, 3), (3, {})),
    "parquet in gzip": ("a.parquet.gz", lambda folder: gzip.compress(parquet(folder, 3)), (3, {})),
    "array": ("a.json", lambda _: b"[" + lines(3).strip().replace(b"\n", b",") + b"]", (3, {})),
    "objects without line ends": ("a.json", lambda _: lines(3).replace(b"\n", b""), (3, {})),
    "two on one line": ("a.jsonl", lambda _: lines(1) + lines(2, 1).replace(b"\n", b" ") + b"\n" + lines(1, 3), (4, {})),
    "pretty objects": ("a.json", lambda _: b"\n".join(json.dumps(record(n), indent=2).encode() for n in range(3)), (3, {})),
    "an instant before each object": ("a.log", lambda _: b"2026-02-12T10:00:00.123Z " + lines(3).replace(b"\n{", b"\n2026-02-12T10:00:00.123Z {"), (3, {})),
    "lines of a container": ("a.log", lambda _: b"".join(b"2026-02-12T10:00:00.1Z stdout F " + line for line in lines(3).splitlines(True)), (3, {})),
    "an object and garbage": ("a.jsonl", lambda _: lines(1) + lines(1, 1).strip() + b"garbage\n", (1, {"not_json": 1})),
    "an object and half of one": ("a.jsonl", lambda _: lines(2, 1).replace(b"\n", b"")[:-9] + b"\n" + lines(1), (1, {"not_json": 1})),
    "empty": ("a.jsonl", lambda _: b"", (0, {})),
    "empty gzip": ("a.jsonl.gz", lambda _: gzip.compress(b""), (0, {})),
    "empty parquet": ("a.parquet", lambda folder: parquet(folder, 3)[:0], (0, {})),
    "blank": ("a.jsonl", lambda _: b"\n \r\n\n", (0, {})),
    "csv header only": ("a.csv", lambda _: csv(0), (0, {})),
    "json named csv": ("a.csv", lambda _: lines(3), (3, {})),
    "csv named jsonl": ("a.jsonl", lambda _: csv(3), (3, {})),
    "parquet named jsonl": ("a.jsonl", lambda folder: parquet(folder, 3), (3, {})),
    "gzip named jsonl": ("a.jsonl", lambda _: gzip.compress(lines(3)), (3, {})),
    "plain named gz": ("a.jsonl.gz", lambda _: lines(3), (3, {})),
    "zstd named gz": ("a.jsonl.gz", lambda _: zstd(lines(3)), (3, {})),
    "half last line": ("a.jsonl", lambda _: lines(3)[:-20], (2, {"not_json": 1})),
    "half last record of csv": ("a.csv", lambda _: csv(3)[:-9], (2, {"wrong_field_count": 1})),
    "mark": ("a.jsonl", lambda _: BOM + lines(3), (3, {})),
    "marks of joined files": ("a.jsonl", lambda _: BOM + lines(2) + BOM + lines(1, 2), (3, {})),
    "mark of csv": ("a.csv", lambda _: BOM + csv(3), (3, {})),
    "utf-16": ("a.jsonl", lambda _: lines(3).decode().encode("utf-16"), (3, {})),
    "one latin line": ("a.jsonl", lambda _: lines(2) + b'{"request_id":"caf\xe9"}\n' + lines(1, 2), (3, {"not_utf8": 1})),
    "one latin record": ("a.csv", lambda _: csv(3) + b"caf\xe9,2026-02-12 10:00:00,m,1,1,0\n", (3, {"not_utf8": 1})),
    "carriage returns": ("a.jsonl", lambda _: lines(3).replace(b"\n", b"\r\n"), (3, {})),
    "zip": ("a.jsonl", zipped, (3, {})),
    "workbook named csv": ("a.csv", lambda folder: zipped(folder, "[Content_Types].xml"), (0, {"unknown_container": 1})),
    "parquet cut": ("a.parquet", lambda folder: parquet(folder, 999)[:500], (0, {"broken_parquet": 1})),
    "parquet without end": ("a.parquet", lambda _: b"PAR1", (0, {"broken_parquet": 1})),
    "gzip of its magic only": ("a.jsonl.gz", lambda _: b"\x1f\x8b", (0, {"broken_archive": 1})),
    "gzip and garbage": ("a.jsonl.gz", lambda _: gzip.compress(lines(3)) + b"garbage", (3, {"broken_archive": 1})),
    "another table": ("a.csv", lambda _: b"x,y\n1,2\n3,4\n", (0, {"missing_header": 1, "missing_field": 2})),
    "text": ("a.jsonl", lambda _: b"INFO started\nINFO stopped\n", (0, {"not_json": 2})),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_input_has_its_stated_outcome(tmp_path: Path, name: str) -> None:
    file_name, make, (valid, set_aside) = CASES[name]
    (tmp_path / file_name).write_bytes(make(tmp_path))
    parsed = parse(tmp_path / file_name, FORMAT)
    assert (parsed.valid, dict(Counter(parsed.quarantine["reason"]))) == (valid, set_aside)
    if valid:
        found = all_days([parsed])
        assert found.requests.height + found.duplicates.height == valid
        assert found.requests["input_uncached_tokens"].to_list() == [10] * valid


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive_gives_what_it_still_holds_and_one_record_for_the_rest(
    tmp_path: Path, pack: Callable[[bytes], bytes], part: float
) -> None:
    noise = b"".join(json.dumps(record(n, note=os.urandom(30).hex())).encode() + b"\n" for n in range(3000))
    packed = pack(noise)
    (tmp_path / "a.jsonl").write_bytes(packed[: int(len(packed) * part)])
    parsed = parse(tmp_path / "a.jsonl", FORMAT)
    reasons = Counter(parsed.quarantine["reason"])
    assert reasons.pop("broken_archive") == 1
    assert reasons.total() <= 1, "at most the line in which the archive breaks off"
    assert parsed.valid < 3000
    if part >= 0.5:
        assert rows(parsed)["source_request_id"].to_list() == [f"r{n}" for n in range(parsed.valid)]
        assert parsed.valid > 3000 * part - 1500


def test_a_damaged_row_group_costs_its_own_rows_only(tmp_path: Path) -> None:
    content = bytearray(parquet(tmp_path, 300, row_group_size=100, compression="zstd"))
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        place = file.metadata.row_group(1).column(0)
        start = place.dictionary_page_offset or place.data_page_offset
        assert start is not None
    content[start : start + place.total_compressed_size] = b"\xff" * place.total_compressed_size
    path.write_bytes(content)
    parsed = parse(path, FORMAT)
    assert [f"r{n}" for n in (*range(100), *range(200, 300))] == rows(parsed)["source_request_id"].to_list()
    assert parsed.quarantine.select("reason", "line_no").rows() == [("broken_parquet", 101)]


def test_a_file_in_which_nothing_is_valid_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "HOPELESS_RECORDS", 50)
    monkeypatch.setattr("pipelines.records.line_chunks.MAX_CHUNK_LINES", 20)
    (tmp_path / "a.jsonl").write_bytes(b"{}\n" * 1000)
    parsed = parse(tmp_path / "a.jsonl", FORMAT)
    assert dict(Counter(parsed.quarantine["reason"])) == {"missing_field": 60, "nothing_valid": 1}
    last = parsed.quarantine.row(-1, named=True)
    assert (last["line_no"], last["byte_from"]) == (61, 180)
    assert "is the format of the source right?" in last["detail"]
    (tmp_path / "b.jsonl").write_bytes(lines(1) + b"{}\n" * 1000)
    assert parse(tmp_path / "b.jsonl", FORMAT).quarantined == 1000, "one valid record and all is read"


# --- Memory: each in a process of its own

_CHILD = """
import json, re, sys
from pathlib import Path
from tests.unit.requests.helpers import parse
parsed = parse(Path(sys.argv[1]), "litellm_spend_logs")
reasons = dict(parsed.quarantine["reason"].value_counts().iter_rows())
# Not ru_maxrss: a new process inherits there what its starter, a test worker, once took.
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps([parsed.valid, reasons, peak // 1024]))
"""


def in_a_process(path: Path) -> tuple[int, dict[str, int], int]:
    """Valid records, reasons, and the peak of resident memory in MiB."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)], cwd=root, capture_output=True, text=True, check=True
    )
    valid, reasons, peak = json.loads(done.stdout)
    return valid, reasons, peak


def _long_line(path: Path) -> None:
    with path.open("wb") as file:
        file.write(lines(1) + b'{"request_id": "long", "messages": "')
        for _ in range(300):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + lines(1, 1))


def _long_array(path: Path) -> None:
    item = json.dumps(record(0, note="x" * 2**10)).encode()
    with path.open("wb") as file:
        file.write(b"[")
        for _ in range(260):
            file.write((item + b",\n") * 1000)
        file.write(item + b"]")


def _bomb(pack: Callable[[bytes], bytes], part: bytes, times: int) -> Callable[[Path], None]:
    """An archive of `times` members, each of which expands to `part`."""

    def make(path: Path) -> None:
        path.write_bytes(pack(part) * times)

    return make


ZEROS, EMPTY = b"0" * 2**26, b"{}\n" * 2**20
HEAVY: dict[str, tuple[Callable[[Path], None], int, dict[str, int]]] = {
    "a line of 300 MB": (_long_line, 2, {"line_too_long": 1}),
    "an array of 270 MB": (_long_array, 0, {"document_too_large": 1}),
    "gzip to 2.5 GB of one line": (_bomb(gzip.compress, ZEROS, 40), 0, {"line_too_long": 1, "expands_too_far": 1}),
    "zstd to 2.5 GB of one line": (_bomb(zstd, ZEROS, 40), 0, {"line_too_long": 1, "expands_too_far": 1}),
    "gzip to a billion empty objects": (_bomb(gzip.compress, EMPTY, 1000), 0, {"missing_field": 250_000, "nothing_valid": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", HEAVY)
def test_big_and_hostile_files_stay_in_bounded_memory(tmp_path: Path, name: str) -> None:
    make, valid, reasons = HEAVY[name]
    path = tmp_path / "a.jsonl"
    make(path)
    found, why, peak = in_a_process(path)
    assert (found, why) == (valid, reasons)
    # The readers of chunks alone take some 200 MB each, whatever the file; a chunk of three-byte lines holds the most lines,
    # and at 250,000 lines a chunk it took 1,814 MiB once a format had more columns; at 125,000 some 1,350.
    assert peak < 1750, f"{peak} MiB"


# --- Between listing and reading


@pytest.fixture
def workspace(database_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    config, zone = tmp_path / "config", tmp_path / "landing"
    config.mkdir()
    (config / "sources.yaml").write_text(f"requests: [{{source: gateway, format: {FORMAT}}}]")
    for name in ("early", "gone", "late"):
        put(zone, name, lines(2, len(name) * 10))
    settings = Settings(
        home=tmp_path / "home", database_url=database_settings.database_url, landing=str(zone), config=config
    )
    with open_workspace(settings) as opened:
        yield opened


def put(zone: Path, name: str, content: bytes) -> Path:
    path = zone / "requests" / "gateway" / "2026-02-12" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def indexed(workspace: Workspace) -> dict[str, tuple[int, int]]:
    with workspace.database.connect() as connection:
        found = read_frame(connection, "select landing_path, lines, valid from raw.snapshot order by 1")
    return {path.rsplit("/", 1)[1]: (count, valid) for path, count, valid in found.iter_rows()}


@pytest.mark.parametrize("change", ["vanishes", "grows", "is replaced by one of its size"])
def test_a_file_that_changes_between_listing_and_reading_waits_for_the_next_run(
    workspace: Workspace, change: str
) -> None:
    zone = Path(str(workspace.settings.landing))
    path = put(zone, "gone", lines(2, 40))
    workspace.landed("requests")
    if change == "vanishes":
        path.unlink()
    else:
        path.write_bytes(lines(3, 40) if change == "grows" else lines(2, 50))
    done = ingest_requests(workspace, None)
    assert (done.files, done.parsed) == (3, 2)
    assert indexed(workspace) == {"early.jsonl": (2, 2), "late.jsonl": (2, 2)}
    assert any("gone.jsonl" in problem and "next run" in problem for problem in done.problems)
    assert not list(workspace.store.rglob("*.tmp"))
    workspace.rescan()
    ingest_requests(workspace, None)
    expected = {"vanishes": {}, "grows": {"gone.jsonl": (3, 3)}}.get(change, {"gone.jsonl": (2, 2)})
    assert indexed(workspace) == {"early.jsonl": (2, 2), "late.jsonl": (2, 2)} | expected


def test_a_source_whose_declaration_cant_be_used_costs_itself_only(workspace: Workspace) -> None:
    config, zone = workspace.settings.config, Path(str(workspace.settings.landing))
    assert config is not None
    spans = zone / "requests" / "spans" / "2026-02-12" / "a.jsonl"
    spans.parent.mkdir(parents=True)
    spans.write_bytes(lines(1))
    declared = "{source: spans, format: otel_genai, options: {semantics: no_such_rule}}"
    (config / "sources.yaml").write_text(f"requests: [{{source: gateway, format: {FORMAT}}}, {declared}]")
    with open_workspace(workspace.settings) as opened:
        done = ingest_requests(opened, None)
        assert set(indexed(opened)) == {"early.jsonl", "gone.jsonl", "late.jsonl"}
    (message,) = done.unusable
    assert message.startswith("source spans, of which nothing new is read: ")
    assert "options.semantics" in message
    assert not done.problems, "it is no problem of a file; the run says both"


def test_a_check_that_cant_be_asked_leaves_the_others_alone(workspace: Workspace) -> None:
    ingest_requests(workspace, None)
    day = Window.of_day(date(2026, 2, 12))
    asked = [o.name for o in books_of_the_window(workspace, day)]
    with workspace.database.connect() as connection:
        connection.execute("drop table raw.duplicate cascade")
    outcomes = {o.name: o for o in [*files_accounted(workspace), *books_of_the_window(workspace, day)]}
    assert [name for name in outcomes if name in asked] == asked, "under the names of the checks"
    lost = {name for name, outcome in outcomes.items() if outcome.problem and "UndefinedTable" in outcome.problem}
    assert {"records_accounted", "counted_once"} <= lost
    assert not lost & {"lines_accounted", "every_file_read", "loaded_files_agree"}
    assert all(outcomes[name].success is None and outcomes[name].blocks for name in lost)


def test_a_broken_file_never_stops_the_others(workspace: Workspace) -> None:
    zone = Path(str(workspace.settings.landing))
    for name, (file_name, make, _) in CASES.items():
        path = put(zone, name.replace(" ", "-"), make(zone))
        path.rename(path.with_name(path.stem + "-" + file_name))
    done = ingest_requests(workspace, None)
    assert (done.parsed, done.problems) == (len(CASES) + 3, ())
    assert (
        done.lines == done.valid + done.quarantined == 6 + sum(v + sum(q.values()) for _, _, (v, q) in CASES.values())
    )


def test_the_same_files_from_a_bucket(
    tmp_path: Path, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real S3 server on loopback: every case has the same outcome as from a folder."""
    bucket = tmp_path / "s3" / "logs"
    for name, (file_name, make, _) in CASES.items():
        path = put(bucket / "zone", name.replace(" ", "-"), make(tmp_path))
        path.rename(path.with_name(path.stem + "-" + file_name))
    config = tmp_path / "config"
    config.mkdir()
    (config / "sources.yaml").write_text(f"requests: [{{source: gateway, format: {FORMAT}}}]")
    with serve_s3(tmp_path / "s3") as server:
        server.use(monkeypatch)
        url = database_settings.database_url
        assert isinstance(url, SecretStr)
        settings = Settings(home=tmp_path / "home", database_url=url, landing="s3://logs/zone", config=config)
        with open_workspace(settings) as opened:
            done = ingest_requests(opened, None)
            found = indexed(opened)
    # An object without a byte and without a suffix would be the marker of a folder; these have one.
    assert done.parsed == len(CASES)
    expected = {
        f"{name.replace(' ', '-')}-{file_name}": (v + sum(q.values()), v)
        for name, (file_name, _, (v, q)) in CASES.items()
    }
    assert found == expected


def test_a_file_changed_while_it_is_read_is_reported_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(2))
    file = landed(path)
    path.write_bytes(lines(3))
    with pytest.raises(LandingError, match=r"requests/gateway/.*a\.jsonl: was changed while it was read"):
        parsing.parse_file(file, source_of(FORMAT), tmp_path / "store")
    assert not list((tmp_path / "store").rglob("*.parquet"))
