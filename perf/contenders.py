"""Who is measured, doing what, on which file: the one list that the runs, the table and the goals are made from.

How a command is run is in `measure.py`; how files and database are made ready for it is in `bench.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Work = Literal["A", "B", "parse", "limit"]


@dataclass(frozen=True)
class Contender:
    """One command. `arguments` follow `python -m`; `{sample}`, `{first}` and `{last}` are filled in.

    `is_peer`: it runs in the peers' own environment. `sample`: lines it gets, None for the whole file; its rate counts.
    `fills`: it writes the table PERF_TARGET. `at_most`: whole files above this many lines are not given to it.
    """

    name: str
    label: str
    work: Work
    arguments: tuple[str, ...]
    is_peer: bool = False
    is_dirty: bool = True
    sample: int | None = None
    fills: bool = False
    is_ours: bool = False
    at_most: int | None = None
    loses: str = ""


_JOB = ("perf.job",)
_DAYS = ("{first}", "{last}")

CONTENDERS: tuple[Contender, ...] = (
    Contender("ours_a", "modelmeter, A", "A", (*_JOB, "A", *_DAYS), is_ours=True, loses="nothing"),
    Contender("duckdb_a", "DuckDB SQL, A", "A", ("perf.peers.duckdb_sql", "A"), is_peer=True, loses="bad lines, without a trace"),
    Contender("pandas_a", "pandas, A", "A", ("perf.peers.pandas_rows", "{sample}"), is_peer=True, sample=200_000, loses="bad lines"),
    Contender("litellm_a", "litellm.cost_per_token per row", "A", ("perf.peers.per_row", "litellm", "{sample}"), is_peer=True, sample=20_000, loses="bad lines; float"),
    Contender("genai_a", "genai-prices per row", "A", ("perf.peers.per_row", "genai-prices", "{sample}"), is_peer=True, sample=20_000, loses="bad lines"),
    Contender("ours_b", "modelmeter, B", "B", (*_JOB, "B", *_DAYS), is_ours=True, loses="nothing"),
    Contender("duckdb_b", "DuckDB SQL + CSV COPY, same table", "B", ("perf.peers.duckdb_sql", "B"), is_peer=True, fills=True, loses="bad lines, without a trace"),
    Contender("ours_b_clean", "modelmeter, B, clean file", "B", (*_JOB, "B", *_DAYS), is_dirty=False, is_ours=True, at_most=2_000_000, loses="nothing"),
    Contender("duckdb_b_narrow", "DuckDB SQL + CSV COPY, 14 of the 56 columns", "B", ("perf.peers.duckdb_sql", "narrow"), is_peer=True, fills=True, at_most=2_000_000, loses="bad lines, provenance"),
    Contender("postgres_b", "Postgres alone: COPY as jsonb, then SQL", "B", ("perf.peers.postgres_alone",), fills=True, at_most=2_000_000, loses="bad lines, without a trace"),
    Contender("dlt_b", "dlt to Postgres, then SQL", "B", ("perf.peers.dlt_load", "{sample}"), is_peer=True, sample=20_000, loses="bad lines"),
    Contender("read", "read the bytes", "limit", ("perf.limits", "read")),
    Contender("newlines", "count the newlines", "limit", ("perf.limits", "newlines")),
    Contender("polars_parse", "polars scan_lines + json_decode, unguarded", "parse", ("perf.limits", "polars"), is_dirty=False, at_most=2_000_000),
    Contender("duckdb_parse", "DuckDB typed table", "parse", ("perf.peers.duckdb_parse",), is_peer=True, is_dirty=False),
    Contender("copy", "COPY BINARY of the ready rows by psql, then the key", "limit", ("perf.limits", "copy"), fills=True),
)  # fmt: skip

BY_NAME = {contender.name: contender for contender in CONTENDERS}
