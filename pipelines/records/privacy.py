"""What of a record may be kept and shown: end users as keyed hashes; of a failed record identifiers, numbers and instants."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

import orjson
import polars as pl

from pipelines.records.layout import Layout

WORD = r"^[A-Za-z0-9_.:-]{1,40}$"
"""A word that may be shown; anything longer might be text."""
PLAIN_VALUE = r"^[0-9+\-.:,/ TZeE]{1,40}$"
"""A number or an instant, which may be shown; anything else might be text."""
_LONGEST_IDENTIFIER = 200


def shown(text: pl.Expr, pattern: str) -> pl.Expr:
    """The text where it matches `pattern`, else words that stand for it."""
    return pl.when(text.str.contains(pattern)).then(text).otherwise(pl.lit("an unreadable value"))


def hashed_user(user: str, key: bytes) -> str:
    """HMAC-SHA-256 of an end user under `key`, cut to 32 hexadecimal digits: the same user, the same hash, under one key."""
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:32]


def hashed_users(users: pl.Series, key: bytes | None) -> pl.Series:
    """Each user as its hash; as it is without a key."""
    if key is None:
        return users
    known = {user: hashed_user(user, key) for user in users.drop_nulls().unique().to_list()}
    return users.replace_strict(known, default=None, return_dtype=pl.String)


def safe_fields(texts: pl.DataFrame, layout: Layout) -> pl.Series:
    """The read fields of failed records as JSON; a value that is no identifier, number or instant is left out."""
    hidden = layout.text.get("end_user_id", ()) if layout.user_key else ()
    paths = [path for path in layout.paths if path in texts.columns and path not in hidden]
    free = {path for group in (layout.text, layout.tags) for named in group.values() for path in named}
    rows = [orjson.dumps(_safe_values(row, free)).decode() for row in texts.select(paths).iter_rows(named=True)]
    return pl.Series("fields", rows, dtype=pl.String)


def _safe_values(row: Mapping[str, str | None], free: set[str]) -> dict[str, str]:
    short = {
        path: value
        for path, value in row.items()
        if value is not None and len(value) <= _LONGEST_IDENTIFIER and "\x00" not in value
    }
    return {path: value for path, value in short.items() if path in free or re.match(PLAIN_VALUE, value)}
