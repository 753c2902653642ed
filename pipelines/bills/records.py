"""Texts of bill records to typed rows in exclusive buckets, each record valid or set aside with the first rule it breaks.

How the texts come out of files is in `pipelines.records.reader`, which fields are which in `formats/`; what several
exports say together is in `ledger.py`. Counts of a bill are sums and may exceed 2^31, unlike those of a request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.constant import repeated
from pipelines.ids import id_column
from pipelines.meters import COUNTS, TOKEN_METERS
from pipelines.records.conversions import INSTANT, MONEY
from pipelines.records.layout import Layout
from pipelines.records.measures import MEASURES
from pipelines.records.number_marks import currency_code, in_another_currency, respelled
from pipelines.records.privacy import hashed_users
from pipelines.records.rules import EARLIEST, Rule, conversion_rules, failed_records, failed_rows, judge
from pipelines.records.service_tiers import tier_name
from pipelines.records.typed_frame import filled, first_filled, typed_frame
from pipelines.requests import semantics
from pipelines.warehouse.tables.bills import REPORTED_COST

LEDGER_COLUMNS = ("superseded_at", "supersede_reason", "model_id", "resolution_method")
"""Columns of core.reported_cost that are known only among all exports, or from the models."""

RECORD_SCHEMA = pl.Schema({c.name: c.polars_type for c in REPORTED_COST.columns if c.name not in LEDGER_COLUMNS})
_TOKENS = [meter.tokens_column for meter in TOKEN_METERS]
_OTHER_MONEY = ("quantity", "byok_cost_usd", "list_amount")
_PERIOD = timedelta(days=31)
"""How far ahead what is no usage may be dated: to the end of the month."""
_TOTAL = (
    r"(?i)^(?:(?:grand|sub|net|gross|invoice|sous|montant|importe)?[ -]?totals?|(?:gesamt|end|rechnungs|netto|brutto)[ -]?(?:summe|betrag)|gesamt|"
    r"(?:zwischen)?summe|(?:sub)?total[ae](?: fattura)?|(?:sub)?totaal|übertrag|amount (?:due|payable)|balance due|balance (?:brought|carried) forward|zahlbetrag|"
    r"net à payer)"
    r"(?: (?:due|net|netto|gross|brutto|\(?(?:eur|usd)\)?|amounts?|charges?|costs?|payable|to pay|ht|ttc|hors taxes?|général|generale?|à payer|a pagar|da pagare|"
    r"te betalen|(?:sin|con|esclusa|inclusa|incl\.?|excl\.?) (?:iva|btw)|\(?(?:excl(?:uding|\.)?|incl(?:uding|\.)?|inkl\.?|exkl\.?|zzgl\.?|before|after|with|without|ohne|mit) "
    r"(?:[0-9.,]+ ?% )?(?:sales )?(?:tax(?:es)?|vat|gst|ust\.?|mwst\.?|umsatzsteuer|mehrwertsteuer)\)?))*:?$"
)
"""A line that adds up others. `Total tax` is the tax itself."""
_MAX_COUNT, _MAX_MONEY = 10**15, 10**12
_COUNTED = ("request_count", *(count.column for count in COUNTS))
_WHO = (
    "report", "project_id", "api_key_id", "end_user_id", "raw_model", "line_item", "product", "meter", "upstream_provider", "service_tier",
    "region", "context_window", "quantity_unit", "currency", "charge_category",
)  # fmt: skip
"""What identifies a record of a table, with its `line_id` where the format has one; one of a JSON report is identified by all that it says (`containers.py`)."""


@dataclass(frozen=True)
class BillRecords:
    """`valid` has RECORD_SCHEMA without observed_at, `failed` what `rules.failed_records` keeps."""

    valid: pl.DataFrame
    failed: pl.DataFrame


def to_records(
    texts: pl.DataFrame,
    layout: Layout,
    *,
    source: str,
    snapshot_id: bytes,
    arrival: date,
    seen: Counter[bytes],
    part: str = "",
    written: frozenset[str] = frozenset(),
) -> BillRecords:
    """Records from `texts` (POSITION and one String column per path), each valid or failed.

    `written` are the paths whose values all were texts in the file, so that marks in numbers are read by the layout's. `seen` counts the records of a table by what identifies them: equal ones of one table are different lines of the bill,
    and so are those in two numbered parts of it; `part` is the number of this one.
    """
    signed = _as_written(texts, layout)
    texts = respelled(texts, layout.number_marks, written) if layout.number_marks else texts
    typed = typed_frame(texts, layout)
    frame = typed.with_columns(amount_text=_as_written(texts, layout), amount_signed=signed, **_missing(typed, layout))
    frame = frame.with_columns(counts_tokens=_any_count()).with_columns(**layout.derive())
    frame = frame.with_columns(
        token_semantics=pl.when("counts_tokens").then(pl.lit(layout.semantics)),
        service_tier=tier_name(pl.col("service_tier")),
        bucket_to=pl.coalesce("bucket_to", pl.col("bucket_from") + timedelta(days=1)),
        currency=pl.when(pl.col("amount").is_not_null()).then(currency_code(pl.col("currency"))),
    )
    frame = frame.with_columns(**semantics.buckets())
    verdict = judge(frame, [*conversion_rules(frame, layout, layout.described_by), *_rules(arrival)])
    return BillRecords(
        _facts(frame.filter(~verdict.broken), layout, source, snapshot_id, seen=seen, part=part),
        failed_records(failed_rows(frame, verdict), texts.filter(verdict.broken), layout),
    )


def _as_written(texts: pl.DataFrame, layout: Layout) -> pl.Series:
    """The amount with the digits of the report."""
    paths = [path for name, named in layout.money.items() if name not in _OTHER_MONEY for path in named]
    written = first_filled(filled(texts), tuple(paths))
    return repeated(None, texts.height, pl.String()) if written is None else written


def _missing(frame: pl.DataFrame, layout: Layout) -> dict[str, pl.Expr]:
    """Columns that no path of the layout fills: its constants, else null, so that rules name columns without asking."""
    expected: dict[str, pl.DataType] = {
        **dict.fromkeys((*_WHO, "broken", "provider_id", *layout.constants), pl.String()),
        **dict.fromkeys(("amount", *_OTHER_MONEY), MONEY),
        **dict.fromkeys(_COUNTED, pl.Int64()),
        "bucket_to": INSTANT,
    }
    return {
        name: pl.lit(layout.constants.get(name), dtype=dtype)
        for name, dtype in expected.items()
        if name not in frame.columns
    }


def _any_count() -> pl.Expr:
    return pl.any_horizontal(pl.col(f"usage.{name}").is_not_null() for name in MEASURES)


def _rules(arrival: date) -> list[Rule]:
    counts = (*_COUNTED, *(f"usage.{name}" for name in MEASURES))
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in (*counts, "amount", *_OTHER_MONEY))
    start, end = pl.col("bucket_from"), pl.col("bucket_to")
    # Clouds date a tax, a rounding or a purchase of the month to its end before the month is over.
    is_usage = pl.col("charge_category").str.to_lowercase().str.contains("usage$|^regular$").fill_null(value=True)
    least, most = pl.min_horizontal(*counts), pl.max_horizontal(*counts)
    money = pl.max_horizontal(pl.col(name).abs() for name in ("amount", *_OTHER_MONEY))
    return [
        Rule("missing_field", start.is_null(), pl.lit("the record names no time bucket: no day to bill it on")),
        Rule("missing_field", pl.col("provider_id").is_null(), pl.lit("the record names no seller")),
        Rule("other_currency", in_another_currency(pl.col("amount_signed"), pl.col("currency")), pl.format("the amount bears the sign of another currency than the record's, which is {}: map the column currency, or say defaults.currency", "currency")),
        Rule("missing_field", pl.col("amount").is_not_null() & pl.col("currency").is_null(), pl.lit("the record has an amount and names no currency: map the column currency, or say defaults.currency")),
        Rule("total_line", pl.col("line_item").str.strip_chars().str.contains(_TOTAL), pl.lit("the line adds up others, which would count twice")),
        Rule("no_usage", nothing, pl.lit("the record holds neither a count nor an amount: it is no line of a bill")),
        Rule("negative_tokens", least < 0, pl.format("a count is {}, 0 or more is accepted", least)),
        Rule("out_of_range", most > _MAX_COUNT, pl.format("a count is {}, at most {} is accepted", most, pl.lit(_MAX_COUNT))),
        Rule("out_of_range", money > _MAX_MONEY, pl.lit(f"an amount is above {_MAX_MONEY}")),
        Rule("bucket_reversed", end <= start, pl.format("the bucket ends at {}, it begins at {}; if an invoice names the last day as its end, say options.end: inclusive", end, start)),
        Rule("bucket_too_long", end - start > timedelta(days=31), pl.lit("the bucket is longer than a month: export it by days")),
        Rule("identity_broken", pl.col("broken").is_not_null(), pl.col("broken")),
        *(Rule("identity_broken", broken, detail) for broken, detail in semantics.identities()),
        Rule("event_out_of_range", start < EARLIEST, pl.format("the bucket begins at {}, {} or later is accepted", start, pl.lit(str(EARLIEST.date())))),
        Rule(
            "event_after_arrival",
            (start.dt.date() > arrival + timedelta(days=1)) & (is_usage | (start.dt.date() > arrival + _PERIOD)),
            pl.format("the bucket begins on {}, the file arrived on {}", start.dt.date(), pl.lit(str(arrival))),
        ),
    ]  # fmt: skip


def _facts(
    valid: pl.DataFrame, layout: Layout, source: str, snapshot_id: bytes, *, seen: Counter[bytes], part: str
) -> pl.DataFrame:
    given = valid.with_columns(
        *(pl.when("counts_tokens").then(pl.col(name)).alias(name) for name in _TOKENS),
        event_date=pl.col("bucket_from").dt.date(),
        source=pl.lit(source),
        snapshot_id=pl.lit(snapshot_id),
        source_locator=pl.coalesce("locator", pl.format("/{}", pl.col("line_no"))),
        amount_usd=pl.when(pl.col("currency") == "USD").then(pl.col("amount")),
        end_user_id=hashed_users(valid["end_user_id"], layout.user_key),
        identity=_identity(valid, seen, part),
    )
    uid = id_column(given, ["report", "bucket_from", "bucket_to", "identity"], prefix=[source, layout.name])
    columns = [
        (pl.col(name) if name in given.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RECORD_SCHEMA.items()
        if name not in ("cost_uid", "observed_at")
    ]
    names = [name for name in RECORD_SCHEMA if name != "observed_at"]
    return given.select(columns).with_columns(uid.alias("cost_uid")).select(names)


def _identity(valid: pl.DataFrame, seen: Counter[bytes], part: str) -> pl.Series:
    """The identity that a JSON report gave; for a row of a table what it names, how many before it named the same, and the part."""
    named = id_column(valid, ["bucket_from", "bucket_to", *_WHO, *({"line_id"} & {*valid.columns})])
    texts = []
    for given, key in zip(valid["identity"], named, strict=True):
        if given is None:
            texts.append(f"{key.hex()}/{seen[key]}/{part}" if part else f"{key.hex()}/{seen[key]}")
            seen[key] += 1
        else:
            texts.append(given)
    return pl.Series("identity", texts, dtype=pl.String)
