"""Accounts of the operating system: who starts a command, and who runs the embedded server.

Postgres refuses to run as root; a system user runs it then, and is made where it is missing.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.warehouse.errors import WarehouseError

_SYSTEM_USER = "modelmeter"


@dataclass(frozen=True)
class Account:
    """An operating system account: who starts a command, or who runs the server."""

    name: str
    uid: int
    gid: int

    @classmethod
    def current(cls) -> Account:
        """The account of this process. It needs a name: Postgres recognises peers by it."""
        uid = os.geteuid()
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise WarehouseError(
                f"the user id {uid} has no name on this machine (no line in /etc/passwd), and the embedded Postgres "
                "knows its users by name. Add the user, or name an external Postgres in MODELMETER_DATABASE_URL."
            ) from None
        return cls(entry.pw_name, uid, entry.pw_gid)

    def for_subprocess(self) -> dict[str, Any]:
        """Arguments for `subprocess.run` that make a program run as this account and with no other group."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def system_account() -> Account:
    """The account that runs the server for root, created where it is missing."""
    with contextlib.suppress(KeyError):
        return _account(_SYSTEM_USER)
    # Containers and `su` without a dash give root an ordinary user's PATH, which lacks the folders of useradd.
    program = shutil.which("useradd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    complaint = "the program useradd is missing"
    if program is not None:
        command = [program, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        made = subprocess.run([*command, _SYSTEM_USER], capture_output=True, text=True, check=False)
        complaint = made.stderr.strip()
    try:
        return _account(_SYSTEM_USER)
    except KeyError:
        raise WarehouseError(
            f"Postgres refuses to run as root, and the system user {_SYSTEM_USER} that would run it can't be made: "
            f"{complaint}. Make that user, run modelmeter as an ordinary user, or name an external Postgres in "
            "MODELMETER_DATABASE_URL."
        ) from None


def _account(name: str) -> Account:
    entry = pwd.getpwnam(name)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def succeeds_as(account: Account, command: Sequence[str]) -> bool:
    """Whether a program runs as the account, and ends well."""
    try:
        answer = subprocess.run(command, capture_output=True, check=False, cwd="/", **account.for_subprocess())
    except PermissionError:
        return False
    return answer.returncode == 0
