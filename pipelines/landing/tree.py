"""The walk through a folder of the landing zone: its regular files, and everything else with the reason why it is none.

Nothing is opened here, so nothing can block. What a file's name means is in `names.py`, the listing in `files.py`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from pipelines.landing.names import is_hidden, is_landed

_OTHER_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


Kind = Literal["file", "folder"]


class Entry(NamedTuple):
    """What lies in a folder of the landing zone: a file or a folder, or a link to one."""

    path: Path
    kind: Kind
    is_link: bool


class NotRegularError(ValueError):
    """What lies at a path is neither a regular file nor a folder of the landing zone. The message says what it is."""


def kind_of(path: Path, zone: Path) -> Kind:
    """What lies at `path`, links followed as long as they end inside of `zone` and not in a folder above them.

    Raises NotRegularError for anything else, and where the system refuses to say.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            mode = path.stat().st_mode
            target = os.path.realpath(path)
            if not Path(target).is_relative_to(os.path.realpath(zone)):
                raise NotRegularError("a link that leads out of the landing zone: put the file itself here")
            if Path(os.path.realpath(path.parent)).is_relative_to(target):
                raise NotRegularError("a link to a folder above it")
    except FileNotFoundError:
        raise NotRegularError("a link to nothing") from None
    except OSError as error:
        raise NotRegularError(f"can't be looked at ({error.strerror})") from None
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    what = _OTHER_KINDS.get(stat.S_IFMT(mode), "no file")
    raise NotRegularError(f"{what}, where only regular files are read")


def entries(
    folder: Path, zone: Path, wanted: Callable[[str], bool] = is_landed
) -> tuple[list[Entry], list[tuple[Path, str]]]:
    """The folders in `folder` and the files whose name is `wanted`, in the order of names; what is neither, with the reason."""
    found: list[Entry] = []
    refused: list[tuple[Path, str]] = []
    try:
        with os.scandir(folder) as listing:
            listed = sorted((entry for entry in listing if not is_hidden(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        return [], [(folder, f"the folder can't be listed ({error.strerror}): nothing below it is read")]
    for entry in listed:
        path = folder / entry.name
        kind: Kind
        try:
            # What the listing says of an entry costs nothing; the system is asked only about the rest.
            if entry.is_file(follow_symlinks=False):
                kind = "file"
            elif entry.is_dir(follow_symlinks=False):
                kind = "folder"
            else:
                kind = kind_of(path, zone)
            is_link = entry.is_symlink()
        except (NotRegularError, OSError) as error:
            if wanted(entry.name):
                reason = f"can't be looked at ({error.strerror})" if isinstance(error, OSError) else str(error)
                refused.append((path, reason))
            continue
        if kind == "folder" or wanted(entry.name):
            found.append(Entry(path, kind, is_link))
    return found, refused


def walk(
    folder: Path, zone: Path, wanted: Callable[[str], bool] = is_landed
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Every regular file below `folder` whose name is `wanted`, and every entry that is no regular file, with the reason.

    Links come last, and one to what is listed already adds nothing: a file has one place, the walk ends whatever the
    links are, and it needs no more of the stack the deeper it goes.
    """
    files: list[Path] = []
    refused: list[tuple[Path, str]] = []
    links: list[Entry] = []
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting or links:
        if not waiting:
            link = links.pop(0)
            if link.kind == "folder":
                waiting.append(link.path)
            elif _identity(link.path) not in {_identity(file) for file in files}:
                files.append(link.path)
            continue
        here = waiting.pop()
        if (known := _identity(here)) in seen:
            continue
        seen.add(known)
        found, odd = entries(here, zone, wanted)
        refused += odd
        links += [entry for entry in found if entry.is_link]
        files += [entry.path for entry in found if entry.kind == "file" and not entry.is_link]
        waiting += [entry.path for entry in found if entry.kind == "folder" and not entry.is_link]
    return files, refused


def _identity(path: Path) -> tuple[int, int]:
    """The device and number behind a path; a path that has vanished meanwhile gets a pair that no file has."""
    try:
        status = path.stat()
    except OSError:
        return -1, hash(path)
    return status.st_dev, status.st_ino
