"""Keys are read from Arrow's columns as they lie there: a slice begins within its buffer, and nothing needs pandas."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pytest

from pipelines.requests.shared_keys import _words, words_of

_PROGRAM = """
import sys
import polars as pl
from pipelines.requests.shared_keys import _words, words_of
words_of(pl.Series([1, 2]).to_arrow(), "<i8")
_words(pl.Series([None, 2], dtype=pl.UInt64()).to_arrow())
sys.exit("pandas" in sys.modules)
"""


def test_a_slice_has_its_own_values_and_null_is_zero() -> None:
    assert words_of(pa.array([-1, 7, -(2**63), 9], pa.int64())[1:3], "<i8").tolist() == [7, -(2**63)]
    assert _words(pa.array([5, None, 2**64 - 1, 6], pa.uint64())[1:3]).tolist() == [0, 2**64 - 1]


@pytest.mark.slow
def test_pandas_is_not_imported() -> None:
    """It takes a third of a second, and nothing else in a warm run imports it."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
