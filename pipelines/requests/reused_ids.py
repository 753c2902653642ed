"""Ids that a server hands out again: Ollama draws `chatcmpl-517` from a thousand, others always answer with one constant.

Such an id does not say which call an answer belongs to; with the instant that the answer itself states it does. What a key across
sources makes of these ids is in `identity.py`.
"""

from __future__ import annotations

import polars as pl

ANSWERED = "answered_at"
"""The column that holds an answer's own instant, in formats whose ids may be handed out again."""
_FEW_DIGITS = r"(?:^|[^A-Za-z0-9])\d{1,11}$"
_SHORT = 12
_WHOLE = ("chat.completion", "response")
_OLLAMA = "fp_ollama"
_HOUR = 3_600_000_000


def own_ids(frame: pl.DataFrame) -> pl.Series:
    """The ids of `frame`, with the instant of the answer behind those that may be another answer's too.

    Needs source_request_id, ANSWERED, object and usage.input. A whole answer states one instant however often it is logged. Of
    a stream of Ollama every piece states its own: its pieces belong to the next that counts, within an hour.
    """
    ids = frame["source_request_id"]
    suspects = ids.str.contains(_FEW_DIGITS) | (ids.str.len_chars() <= _SHORT)
    if not suspects.any():
        return ids
    at: pl.Expr = pl.when(pl.col("object").is_in(_WHOLE)).then(pl.col(ANSWERED).to_physical())
    is_piece = pl.col("tag.system_fingerprint") == _OLLAMA
    if "tag.system_fingerprint" in frame.columns and frame.select(is_piece.any()).item():
        at = pl.coalesce(at, pl.when(is_piece).then(_of_stream()))
    behind = pl.concat_str(pl.lit("@"), at).fill_null("")
    return frame.select(pl.when(suspects).then(pl.concat_str(ids, behind)).otherwise(ids)).to_series()


def _of_stream() -> pl.Expr:
    at = pl.col(ANSWERED).to_physical()
    end = pl.when(pl.col("usage.input").is_not_null()).then(at).backward_fill().over("source_request_id")
    return pl.when(end - at <= _HOUR).then(end).otherwise(at // _HOUR)
