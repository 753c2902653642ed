"""A landing zone in a bucket: copied into a folder, object by object, so that everything downstream reads local files.

The copy holds each object once, in the version that was listed last. What the files are is in `files.py`, which of
folder and bucket is in force in `zone.py`. Only S3 and servers that speak its protocol are read.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from pipelines.landing.atomic import write_atomically
from pipelines.landing.files import Kind, LandingError, LandingProblem
from pipelines.landing.names import is_landed_or_decision, is_skipped
from pipelines.settings import object_store_endpoint

if TYPE_CHECKING:
    from obstore.store import RetryConfig

Version = list[str]
"""Size and entity tag, or the instant of the last change where the server gives no tag: a changed object has another."""

_URL = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]*)(?:/(?P<prefix>[^?#]*))?")
_PIECE_BYTES = 8 * 2**20
_DOWNLOADS = 8
_ANSWER_S, _SLOWEST_PER_S = 60, 100_000
"""How long an object may take, whole: a server that goes silent in the middle of it is not waited for for ever."""
_RETRIES: RetryConfig = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=2), "base": 2},
}
_ERROR_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_SAID = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "access is denied: the credentials may not list, read or write here",
    "InvalidAccessKeyId": "the server does not know AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "ExpiredToken": "the credentials have expired",
    "PermanentRedirect": "the bucket lies in another region: set AWS_REGION",
}


class Bucket:
    """The objects below one URL `s3://bucket/prefix`, and the folder that holds their copy."""

    def __init__(self, url: str, folder: Path) -> None:
        """Nothing is contacted yet. Raises LandingError where the URL names no bucket, without repeating it whole."""
        match = _URL.fullmatch(url)
        if match is None:
            scheme = url.partition("://")[0]
            raise LandingError(
                f"MODELMETER_LANDING: a url of scheme {scheme} that can't be used; accepted are a folder and "
                "s3://bucket/prefix (credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the address "
                "of a server of your own into AWS_ENDPOINT_URL)"
            )
        self.url = url.rstrip("/")
        self.folder = folder
        self._bucket, self._prefix = match["bucket"], (match["prefix"] or "").strip("/")
        self._endpoint = object_store_endpoint()

    def __str__(self) -> str:
        return self.url + (f" at {self._endpoint}" if self._endpoint else "")

    def listing(self, kind: Kind) -> dict[str, Version]:
        """Every object of `kind` by its path below the URL, folder markers and unfinished files left out.

        Raises LandingError naming the URL where the bucket can't be listed.
        """
        with self._explained("list"):
            found: list[dict[str, Any]] = [
                dict(meta) for page in obstore.list(self._store("60s"), prefix=kind) for meta in page
            ]
        return {
            str(meta["path"]): _version(meta)
            for meta in sorted(found, key=lambda meta: str(meta["path"]))
            if _is_wanted(str(meta["path"]), int(meta["size"]))
        }

    def copy(self, kind: Kind) -> tuple[LandingProblem, ...]:
        """Make the folder a copy of the bucket for `kind`: fetch new and changed objects, drop vanished ones.

        An object appears in the folder whole or not at all. Raises LandingError where the bucket can't be read or the
        disk has no room. Returns the objects that can't be a file, because their name is also that of a folder.
        """
        with self._alone():
            listed = self.listing(kind)
            folders = {parent for path in listed for parent in _parents(path)}
            listed, misplaced = {p: v for p, v in listed.items() if p not in folders}, folders & listed.keys()
            held = self._held(kind)
            self._drop(kind, listed)
            wanted = [p for p, version in listed.items() if held.get(p) != version or not (self.folder / p).is_file()]
            self._refuse_without_room(sum(int(listed[path][0]) for path in wanted))
            sizes = [int(listed[path][0]) for path in wanted]
            try:
                with ThreadPoolExecutor(_DOWNLOADS) as pool:
                    for path, version in zip(wanted, pool.map(self._fetch, wanted, sizes), strict=True):
                        held[path] = version
            finally:
                kept = {path: version for path, version in held.items() if path in listed and version}
                write_atomically(self._notes(kind), json.dumps(kept, sort_keys=True).encode())
        reason = "has the name of a folder: an object can't be both, rename it"
        return tuple(LandingProblem(kind, path.split("/")[1], path, reason) for path in sorted(misplaced))

    def put(self, path: Path, content: bytes) -> bool:
        """Write an object and its copy at `path` of the folder, unless the object is there already; whether it was.

        Servers that know conditional writes refuse a name that another process took in the same instant; of the
        others the last one to write wins.
        """
        key = path.relative_to(self.folder).as_posix()
        store = self._store("10m")
        try:
            with self._explained("write"):
                try:
                    obstore.head(store, key)
                except FileNotFoundError:
                    obstore.put(store, key, content, mode="create")
                    write_atomically(path, content)
                    return True
        except AlreadyExistsError:
            pass
        self._fetch(key, len(content))
        return False

    def _fetch(self, key: str, size: int) -> Version:
        """Copy one object, whole; an empty version where it vanished meanwhile."""
        target = self.folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        try:
            with self._explained(f"read {key} of"):
                result = obstore.get(self._store(f"{_ANSWER_S + size // _SLOWEST_PER_S}s"), key)
                with part.open("wb") as stream:
                    for piece in result.stream(min_chunk_size=_PIECE_BYTES):
                        stream.write(piece)
                    stream.flush()
                    os.fsync(stream.fileno())
            if part.stat().st_size != result.meta["size"]:
                raise LandingError(f"{self}: {key} ended after {part.stat().st_size} of {result.meta['size']} bytes")
            part.replace(target)
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return []
        finally:
            part.unlink(missing_ok=True)
        return _version(dict(result.meta))

    def _drop(self, kind: Kind, listed: dict[str, Version]) -> None:
        """Remove copies of objects that are gone, with their folders."""
        for folder, _, names in os.walk(self.folder / kind, topdown=False):
            for name in names:
                path = Path(folder, name)
                if path.relative_to(self.folder).as_posix() not in listed:
                    path.unlink(missing_ok=True)
            if not any(Path(folder).iterdir()):
                Path(folder).rmdir()

    def _refuse_without_room(self, needed: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if needed > free:
            raise LandingError(
                f"{self}: {needed / 1e9:.1f} GB are still to be copied, and {self.folder} has {free / 1e9:.1f} GB free: "
                "make room, name a larger disk with MODELMETER_HOME, or keep less under this prefix"
            )

    def _held(self, kind: Kind) -> dict[str, Version]:
        try:
            content = json.loads(self._notes(kind).read_bytes())
        except (OSError, ValueError):
            return {}  # none yet, or written by a process that died: fetch again
        return content if isinstance(content, dict) else {}

    def _notes(self, kind: Kind) -> Path:
        return self.folder / f".{kind}.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time changes the copy."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _store(self, timeout: str) -> S3Store:
        plain = (self._endpoint or "").startswith("http://")
        given: dict[str, Any] = {"endpoint": self._endpoint} if self._endpoint else {}
        return S3Store(
            self._bucket,
            prefix=self._prefix or None,
            client_options={"connect_timeout": "5s", "timeout": timeout, "allow_http": plain},
            retry_config=_RETRIES,
            **given,
        )

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Errors in words that name the URL and never hold a secret: of what the server said only the code is taken."""
        try:
            yield
        except (FileNotFoundError, AlreadyExistsError):
            raise
        except BaseError as error:
            raise LandingError(f"can't {doing} the landing zone {self}: {in_words(str(error))}") from None


def in_words(text: str) -> str:
    """What an object store said, in words that hold no secret."""
    if (code := _ERROR_CODE.search(text)) is not None:
        return _SAID.get(code[1], f"the server answers {code[1]}")
    if "169.254" in text or "metadata" in text:
        return "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if "error sending request" in text or "timed out" in text or "dns" in text:
        return "the server can't be reached: is AWS_ENDPOINT_URL right, and the server up"
    if (status := re.search(r"status code: (\d{3})", text)) is not None:
        return f"the server answers with status {status[1]}"
    return "the server's answer can't be understood, or an object has a name that is no path"


def _version(meta: dict[str, Any]) -> Version:
    tag = str(meta["e_tag"] or "").removeprefix("W/").strip('"')
    return [str(meta["size"]), tag or meta["last_modified"].isoformat()]


def _is_wanted(path: str, size: int) -> bool:
    """False for folder markers, which consoles make (empty, without a suffix), and for what a scan skips."""
    parts = path.split("/")
    if ".." in parts or (size == 0 and "." not in parts[-1]):
        return False
    return is_landed_or_decision(parts[-1]) and not any(is_skipped(part) for part in parts[1:-1])


def _parents(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:number]) for number in range(1, len(parts)))
