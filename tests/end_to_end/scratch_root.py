"""A root file system of one's own, in which the steps of a Dockerfile run in order where there is no builder of images.

It holds the machine's programs and an interpreter, read only, and nothing else of the machine. Each step is a process in mount and
process namespaces of its own, so that nothing stays mounted whatever happens. Only root can make one.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "login.defs", "localtime", "nsswitch.conf", "default/useradd")
_MOUNT = """
set -e
root=$1 base=$2 is_read_only=$3; shift 3
mount --bind "$root" "$root"
for part in usr $base; do mount --bind "/$part" "$root/$part"; mount -o remount,bind,ro "$root/$part"; done
for part in bin sbin lib lib64; do test ! -d "/$part" -o -L "/$part" || mount --bind -o ro "/$part" "$root/$part"; done
mount --bind /dev "$root/dev"; mount -t tmpfs tmpfs "$root/dev/shm"; mount -t proc proc "$root/proc"
while test "$1" != --; do mount --bind "$1" "$root$2"; shift 2; done
shift
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if test "$is_read_only" = yes; then mount --bind "$root/data" "$root/data"; mount -o remount,bind,ro "$root"; fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin  # that of the root, where the caller's may lead nowhere
exec chroot "$root" "$@"
"""


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Each instruction with the rest of its line, lines that go on joined and comments left out."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.strip()


@dataclass
class Stage:
    """One stage of a Dockerfile: its root, and what its instructions have set so far."""

    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": f"{sys.base_prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    )
    folder: str = "/"
    user: str = "0:0"
    mounts: dict[Path, str] = field(default_factory=dict)
    is_read_only: bool = False

    def __post_init__(self) -> None:
        base = sys.base_prefix.strip("/")
        for name in ("usr", "bin", "sbin", "lib", "lib64", "etc/default", "dev", "proc", "tmp", "root", "opt", base):
            if Path("/", name).is_symlink():
                (self.root / name).symlink_to(Path("/", name).readlink())
            else:
                (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in _ETC:
            source = Path("/etc", name)
            if source.is_dir():
                shutil.copytree(source, self.root / "etc" / name)
            elif source.exists():
                shutil.copy(source, self.root / "etc" / name)
        (self.root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self.root / "etc" / "group").write_text("root:x:0:\n")

    def command(self, words: Sequence[str], **more: str) -> list[str]:
        """What runs a program in this root, as the stage's user and with its variables only."""
        user, _, group = self.user.partition(":")
        variables = [f"{name}={value}" for name, value in {**self.environment, **more}.items()]
        confined = ["--no-new-privs", "--bounding-set=-all"] if self.is_read_only else []
        base = sys.base_prefix.strip("/")
        return [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", _MOUNT, "sh"),
            *(str(self.root), "" if base == "usr" else base, "yes" if self.is_read_only else "no"),
            *(word for source, target in self.mounts.items() for word in (str(source), target)),
            *("--", "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *confined),
            *("env", "-i", *variables, "sh", "-c", 'cd "$0" && exec "$@"', self.folder, *words),
        ]  # fmt: skip

    def run(self, words: Sequence[str], *, timeout: float = 600, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, whatever status it ends with."""
        return subprocess.run(self.command(words, **more), capture_output=True, text=True, check=False, timeout=timeout)

    def step(self, name: str, rest: str, context: Path, others: Mapping[str, Stage]) -> None:
        """Do what one instruction says; a step that fails, or one that is not known here, is an error."""
        match name:
            case "ENV":
                self.environment |= dict(word.split("=", 1) for word in shlex.split(self._filled(rest)))
            case "WORKDIR":
                self.folder = rest
                (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "USER":
                self.user = rest
            case "RUN":
                done = self.run(["sh", "-c", rest])
                assert done.returncode == 0, f"RUN {rest}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            case "COPY":
                self._copy(rest, context, others)
            case "ARG" | "VOLUME" | "EXPOSE" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                pass
            case _:
                raise AssertionError(f"an instruction that is not known here: {name}")

    def _filled(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda found: self.environment[found[1]], text)

    def _copy(self, rest: str, context: Path, others: Mapping[str, Stage]) -> None:
        *sources, target = rest.split()
        place = self.root / Path(self.folder, target).relative_to("/")
        if sources[0].startswith("--from="):
            (others[sources[0].removeprefix("--from=")].root / sources[1].lstrip("/")).rename(place)
            return
        for source in sources:
            into = place / Path(source).name if target.endswith("/") else place
            into.parent.mkdir(parents=True, exist_ok=True)
            if (context / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", *(("target", "logs") if source == "dbt_like" else ()))
                shutil.copytree(context / source, into, ignore=ignored)
            else:
                shutil.copy(context / source, into)


def can_be_made() -> bool:
    """Whether this user and machine can make one; it needs an interpreter that is called python, as in the images."""
    if os.geteuid() != 0 or not Path(sys.base_prefix, "bin", "python").exists() or not shutil.which("useradd"):
        return False
    tried = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0
