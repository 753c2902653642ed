"""Objects below a prefix of a bucket, or files below a folder, each landed once per version, byte for byte.

The sidecars say which have landed already, by URL and entity tag. The landing zone's own bucket is `pipelines.landing.bucket`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from pipelines.config.pull import BucketPull
from pipelines.landing import accepts
from pipelines.landing.bucket import in_words
from pipelines.landing.names import is_skipped
from pipelines.pull.landed import Place
from pipelines.pull.reader import PullError

MAX_OBJECT_BYTES = 512 * 2**20


class Objects:
    """The objects of a declaration."""

    def __init__(self, pull: BucketPull) -> None:
        """Nothing is contacted yet. Raises PullError where the environment lacks a variable that is named."""
        self._pull = pull
        self.url = pull.url.rstrip("/")
        self.calls = 0
        self._store = _opened(pull)

    def listed(self) -> list[tuple[str, str, int]]:
        """Path below the prefix, version and size of every object that is wanted, by path. Raises PullError."""
        try:
            found: list[Any] = [meta for page in obstore.list(self._store) for meta in page]
        except BaseError as error:
            raise PullError(f"can't list {self.url}: {in_words(str(error))}") from None
        self.calls += 1
        return sorted((str(meta["path"]), _version(meta), int(meta["size"])) for meta in found if self._is_wanted(meta))

    def pull(self, place: Place) -> Iterator[int]:
        """Land new objects and new versions; yields the size of each. Raises PullError at the end where some are too large."""
        held = {(file.url, file.etag) for file in place.history.all_files}
        too_large = 0
        for path, version, size in self.listed():
            url = f"{self.url}/{path}"
            if (url, version) in held:
                continue
            if size > MAX_OBJECT_BYTES:
                too_large += 1
                continue
            if (content := self._content(path)) is not None:
                suffixes = PurePosixPath(path).suffixes
                suffix = "".join(suffixes[-2:] if suffixes[-1] in (".gz", ".zst") else suffixes[-1:])
                tag = hashlib.sha256(url.encode()).hexdigest()[:12]
                place.put(content, suffix=suffix, url=url, etag=version, tag=tag)
                yield len(content)
        if too_large:
            raise PullError(
                f"{self.url}: {too_large} objects are larger than {MAX_OBJECT_BYTES:,} bytes: split them, or copy them yourself"
            )

    def _content(self, path: str) -> bytes | None:
        """The object's bytes; None if it has vanished since it was listed."""
        self.calls += 1
        try:
            return bytes(obstore.get(self._store, path).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise PullError(f"can't read an object below {self.url}: {in_words(str(error))}") from None

    def _is_wanted(self, meta: Any) -> bool:  # noqa: ANN401 - obstore's own
        path = str(meta["path"])
        name = PurePosixPath(path).name
        return (
            int(meta["size"]) > 0
            and not is_skipped(name)
            and accepts("requests", name)
            and fnmatchcase(path, self._pull.match)
        )


def _opened(pull: BucketPull) -> ObjectStore:
    if missing := [name for name in pull.env.values() if not os.environ.get(name)]:
        raise PullError(f"the environment variable {' and '.join(missing)} is not set")
    config: Any = {name: os.environ[variable] for name, variable in pull.env.items()}
    endpoint = pull.endpoint or (os.environ.get("AWS_ENDPOINT_URL") if pull.url.startswith("s3://") else None)
    config |= {name: value for name, value in (("endpoint", endpoint), ("region", pull.region)) if value}
    plain = (endpoint or "").startswith("http://")
    try:
        if pull.url.startswith("file://"):
            return LocalStore(pull.url.removeprefix("file://"))
        return from_url(
            pull.url,
            config=config,
            client_options={"connect_timeout": "5s", "timeout": "10m", "allow_http": plain},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )
    except (BaseError, ValueError):
        raise PullError(f"{pull.url}: the address or a name in pull.env can't be used") from None


def _version(meta: Any) -> str:  # noqa: ANN401 - obstore's own
    tag = str(meta["e_tag"] or "").removeprefix("W/").strip('"')
    return tag or f"{meta['size']} {meta['last_modified'].isoformat()}"
