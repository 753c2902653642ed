"""Everything below MODELMETER_HOME is its owner's alone: logs name end users, and whoever can open a lock file can hold it.

Commands run under UMASK. A home that an earlier version made is tightened whenever it is opened; bits are only taken away.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

UMASK = 0o077
_PRIVATE = 0o700
_PASSAGE = 0o711
"""Others may pass through, and see nothing: root's embedded server runs as a system user and has to reach its folder."""


def make_folder(folder: Path, *, is_passage: bool) -> None:
    """Make `folder` and those above it that are missing, whatever the umask is."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(_PASSAGE if is_passage else _PRIVATE)


def keep_private(home: Path) -> None:
    """Make `home` where it is missing, and close it and what lies in it to everyone but this user.

    For root, home itself and the folder of the database in it stay passable, see `_PASSAGE`. What belongs to others is left as it is.
    """
    is_root = os.geteuid() == 0
    make_folder(home, is_passage=is_root)
    for path in (home, *home.iterdir()):
        found = path.lstat()
        if found.st_uid != os.geteuid() or stat.S_ISLNK(found.st_mode):
            continue
        is_passage = is_root and (path == home or path.name == "postgres")
        kept = stat.S_IMODE(found.st_mode) & (_PASSAGE if is_passage else _PRIVATE)
        if kept != stat.S_IMODE(found.st_mode):
            path.chmod(kept)
