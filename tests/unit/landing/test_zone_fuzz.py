"""Random landing zones: names, links, pipes, sidecars and decisions that nobody thought of.

`MODELMETER_FUZZ_ZONES=100000 pytest tests/unit/landing/test_zone_fuzz.py` looks at more of them. The contents of files
are in `tests/faults`.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.landing import KINDS, Kind, Scan, open_zone, scan
from pipelines.landing.files import versions
from pipelines.landing.names import is_landed, is_plain, shown
from pipelines.landing.verdicts import read_verdicts
from pipelines.settings import Settings

ZONES = int(os.environ.get("MODELMETER_FUZZ_ZONES", "300"))
CANARY = "canary-4711"
GOOD = {
    "requests": "requests/good/2026-02-15/good.jsonl",
    "prices": "prices/good/2026-02-15.json",
    "leaderboards": "leaderboards/good/2026-02-15.csv",
    "selfhost": "selfhost/good/2026-02-15.csv",
    "limits": "limits/good/2026-02-15.json",
}

_PARTS = (
    b"2026-02-16", b"20260216", b"T060000Z", b"T060000-2412", b"T060000+9999", b"T25:61", b"2026-02-30", b"0001-01-01", b"9999-12-31",
    b"20991231T235959+1400", b"19000101T000000-1200", b"1e300", b"99999999999999999999", b".jsonl", b".json", b".csv", b".CSV", b".tar",
    b".gz", b".zst", b".gz.gz", b".meta.json", b".review.json", b".part", b"~", b".", b"..", b"_", b"-", b" ", b"\n", b"\r\n", b"\t",
    b"\x1b[2J", b"\x7f", b"\xff", b"\xe9", b"\xc3\xa9", b"e\xcc\x81", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xf0\x9f\x9a\x80", b"\\", b"\\n", b"'",
    b'"', b"$(id)", b"`id`", b"%00", b"%2e%2e", b"*", b"?", b"[a]", b"{}", b":", b"|", b";", b"CON", b"a" * 120, b"date=2026-02-16", b"year=2026",
    b"month=02", b"day=16", b"good", b"latest",
)  # fmt: skip
_FETCHED = (
    "2026-02-14T06:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-14", "", "2026-02-14T06:00:00+24:12",
)  # fmt: skip


class Zone:
    """A landing zone with one good file of each kind, and what `chance` puts next to them."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.root, self.chance = root, chance
        for place in GOOD.values():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_bytes(b"{}\n")
        self.folders = [root, *(root / kind for kind in KINDS), *((root / place).parent for place in GOOD.values())]
        self.made: list[Path] = []
        for _ in range(chance.randint(1, 12)):
            with suppress(OSError, ValueError):  # a name that is taken, too long or none
                self._add()

    def _name(self) -> Path:
        taken = self.chance.random()
        if taken < 0.15:
            name = Path(GOOD[self.chance.choice(KINDS)]).name + self.chance.choice((".meta.json", ".1.review.json"))
            return self.chance.choice(self.folders) / name
        if taken < 0.3 and self.made:
            return self.made[-1].with_name(self.made[-1].name + self.chance.choice((".meta.json", ".review.json")))
        parts = b"".join(self.chance.choice(_PARTS) for _ in range(self.chance.randint(1, 4)))
        if taken < 0.8:
            parts += self.chance.choice((b".json", b".jsonl", b".csv"))
        return self.chance.choice(self.folders) / os.fsdecode(parts)

    def _add(self) -> None:
        path = self._name()
        if path.exists() and path.relative_to(self.root).as_posix() in GOOD.values():
            return
        makers: tuple[Callable[[Path], None], ...] = (
            self._file, self._file, self._file, self._folder, self._folder, self._link, self._link, os.mkfifo, self._deep,
        )  # fmt: skip
        self.chance.choice(makers)(path)
        self.made.append(path)

    def _file(self, path: Path) -> None:
        sidecar = f'{{"fetched_at": "{self.chance.choice(_FETCHED)}", "sha256": "{CANARY}", "url": "{CANARY}"}}'
        decided = f'{{"sha256": "{CANARY}", "verdict": "accept", "decided_at": "{self.chance.choice(_FETCHED)}"}}'
        contents = (
            b"",
            CANARY.encode(),
            sidecar.encode(),
            decided.encode(),
            b"[" * 3000,
            b"\xff\xfe\x00",
            b"\x1f\x8b" + CANARY.encode(),
        )
        with path.open("xb") as stream:
            stream.write(self.chance.choice(contents))

    def _folder(self, path: Path) -> None:
        path.mkdir()
        self.folders.append(path)

    def _deep(self, path: Path) -> None:
        for _ in range(self.chance.randint(2, 30)):
            path.mkdir()
            path = path / path.name
        self.folders.append(path.parent)

    def _link(self, path: Path) -> None:
        inside = self.chance.choice([*self.folders, *self.made, *(self.root / place for place in GOOD.values())])
        targets = (
            inside, os.path.relpath(inside, path.parent), ".", "..", path.name, "nowhere", "/dev/zero", "/etc", "/etc/passwd", "/proc/self/root",
            self.root.parent,
        )  # fmt: skip
        path.symlink_to(self.chance.choice(targets))


def entries_of(root: Path, kind: Kind) -> dict[Path, int]:
    """Everything that lies below a kind, links not followed, with its mode; nothing below a hidden folder."""
    found: dict[Path, int] = {}
    waiting = [root / kind]
    while waiting:
        here = waiting.pop()
        for entry in os.scandir(here):
            if entry.name.startswith((".", "_")):
                continue
            path = here / entry.name
            found[path] = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(found[path]):
                waiting.append(path)
    return found


def complaints(root: Path, kind: Kind, found: Scan) -> list[str]:
    """What is wrong with a scan, in words; empty where it is right."""
    wrong = []
    if GOOD[kind] not in {file.landing_path for file in found.files}:
        wrong.append("the good file is lost")
    listed = {file.path for file in found.files}
    if len(listed) != len(found.files) or len({f.snapshot_id for f in found.files}) != len(found.files):
        wrong.append("a file is listed twice")
    stated = [problem.landing_path for problem in found.problems]
    if len(set(stated)) != len(stated):
        wrong.append("an entry is named twice")
    for text in (*map(str, found.problems), *(file.landing_path for file in found.files)):
        text.encode()
        if CANARY in text or not is_plain(text):
            wrong.append(f"not fit to be shown: {text!r}")
    for path, mode in entries_of(root, kind).items():
        if not is_landed(path.name) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            continue
        named = sum(problem.endswith(shown_tail(path, root)) for problem in stated)
        if stat.S_ISREG(mode) and path not in listed and not named:
            wrong.append(f"neither listed nor named: {path!r}")
        if not stat.S_ISREG(mode) and (path in listed or named != 1):
            wrong.append(f"no regular file, and named {named} times: {path!r}")
    inside = root.resolve()
    strange = [f.path for f in found.files if not (f.path.is_file() and f.path.resolve().is_relative_to(inside))]
    return [*wrong, *(f"no regular file of the zone: {path!r}" for path in strange)]


def shown_tail(path: Path, root: Path) -> str:
    """The path in the zone, as a problem names it."""
    return shown(path.relative_to(root).as_posix())


def look_at(seed: int, root: Path) -> list[str]:
    """What is wrong with the zone of `seed`; it is made anew and taken away."""
    chance = random.Random(seed)
    Zone(root, chance)
    try:
        wrong = []
        for kind in KINDS:
            found = scan(root, kind)
            wrong += [f"{kind}: {stated}" for stated in complaints(root, kind, found)]
            if scan(root, kind) != found:
                wrong.append(f"{kind}: the second scan finds something else")
            versions(root, kind)
            for problem in read_verdicts(root, kind).problems:
                if CANARY in str(problem) or not is_plain(str(problem)):
                    wrong.append(f"not fit to be shown: {problem}")
        open_zone(Settings(landing=root, home=root.parent / "home")).listing("prices")
        return wrong
    finally:
        shutil.rmtree(root)


@pytest.mark.slow
def test_whatever_lies_in_a_landing_zone_costs_nothing_else(tmp_path: Path) -> None:
    wrong = {seed: stated for seed in range(ZONES) if (stated := look_at(seed, tmp_path / "zone"))}
    assert wrong == {}
