"""A landing zone that does not hold still: files that change, vanish and grow while a run reads them, and a bucket that fails."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attacks.conftest import Attacked
from attacks.proxy import Fault, cut_off, proxied, slow
from tests.assets.conftest import SmallSample
from tests.unit.landing.s3 import SECRET, serve_s3


@contextmanager
def restless(files: list[Path]) -> Iterator[None]:
    """While this lasts, the files are half, doubled, gone and whole, in turn. In the end they are whole."""
    whole = {path: path.read_bytes() for path in files}
    ended = threading.Event()
    draws = random.Random("restless")

    def disturb() -> None:
        while not ended.is_set():
            path = draws.choice(files)
            content = whole[path]
            for written in (content[: len(content) // 2], content * 2, None, content):
                if written is None:
                    path.unlink()
                else:
                    path.write_bytes(written)
                time.sleep(0.01)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_files_change_vanish_and_grow_while_they_are_read(
    attacked: Attacked, small_sample: SmallSample, tmp_path: Path
) -> None:
    zone = attacked.installation.landing = tmp_path / "landing"
    shutil.copytree(small_sample.root, zone)
    with restless(sorted(path for path in zone.rglob("*") if path.is_file() and path.name != "_sample.json")):
        attacked.ends_in_words(attacked.start())
    attacked.recovers()


@pytest.mark.parametrize("fault", [cut_off(every=3), slow(seconds=0.3)], ids=["cuts answers off", "answers slowly"])
def test_a_bucket(attacked: Attacked, small_sample: SmallSample, fault: Fault) -> None:
    """What can't be had is tried again or said; nothing is taken for whole that is not."""
    with serve_s3(small_sample.root.parent) as bucket, proxied(bucket.endpoint, fault) as address:
        attacked.installation.landing = f"s3://{small_sample.root.name}"  # type: ignore[assignment]
        attacked.installation.extra = {**bucket.environment(), "AWS_ENDPOINT_URL": address}
        said = attacked.ends_in_words(attacked.start())
        assert SECRET not in said
        attacked.installation.extra = bucket.environment()
        attacked.recovers()
