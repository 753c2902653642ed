"""Tables of schema `raw`: what arrived, file by file, and what could not become a row.

Nothing here is interpreted beyond line and field boundaries; `core.py` has the facts.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

SNAPSHOT = Table(
    "raw",
    "snapshot",
    "Every file of the landing zone that was read: its exact identity, where it came from and what became of its lines.",
    "one row per landed file (path and content)",
    (
        Column(
            "snapshot_id",
            "uuid",
            "First 128 bits of sha256(kind/source/landing path NUL content sha256): same file, same id, on every machine.",
        ),
        Column(
            "kind",
            "text",
            "What the file feeds: requests, bills (of providers) and shadow (measurements), both from the same folder, prices, leaderboards or selfhost (prices of GPUs and measurements).",
        ),
        Column("source", "text", "Name of the request source, price feed or board: its folder in the landing zone."),
        Column("format", "text", "Format that the file was parsed as, as named in sources.yaml."),
        Column("landing_path", "text", "Path inside the landing zone, with forward slashes."),
        Column("sha256", "text", "SHA-256 of the exact bytes, hexadecimal."),
        Column("size_bytes", "bigint", "Size of the file as it lies in the landing zone.", unit="bytes"),
        Column(
            "observed_at",
            "timestamptz",
            "When the content was observed: fetched_at of the sidecar, else the instant in the file name, else midnight UTC of the arrival date.",
        ),
        Column(
            "url",
            "text",
            "Where it was fetched from; null for files that a person or another system put there.",
            nullable=True,
        ),
        Column("http_status", "integer", "HTTP status of the fetch.", nullable=True),
        Column("etag", "text", "Entity tag of the fetched answer.", nullable=True),
        Column("parser_version", "text", "Version of the parser that read the file."),
        Column(
            "lines",
            "bigint",
            "Records in the file: lines, or the items of a container such as a JSON array.",
            unit="lines",
        ),
        Column("valid", "bigint", "Records that became valid rows before removal of duplicates.", unit="lines"),
        Column("quarantined", "bigint", "Records set aside in raw.quarantine.", unit="lines"),
        Column(
            "event_dates",
            "date[]",
            "UTC days on which the file's valid rows fall; empty for all but requests and bills.",
        ),
    ),
    ("snapshot_id",),
)

QUARANTINE = Table(
    "raw",
    "quarantine",
    "Records that could not become a row, with the reason and their place in the file. Never holds prompt or answer text.",
    "one row per record set aside",
    (
        Column("snapshot_id", "uuid", "File that holds the record (raw.snapshot)."),
        Column(
            "line_no",
            "bigint",
            "Line in the decompressed file, from 1; for a container, the line where the item starts, or 1.",
            unit="lines",
        ),
        Column("item_no", "integer", "Item inside the line or container, from 0."),
        Column(
            "byte_from",
            "bigint",
            "First byte of the record in the decompressed file; null where the format has no byte position (Parquet).",
            nullable=True,
            unit="bytes",
        ),
        Column("byte_to", "bigint", "Byte after the record's last.", nullable=True, unit="bytes"),
        Column(
            "reason",
            "text",
            "Machine-readable reason, for example not_json, missing_field, negative_tokens, identity_broken, event_after_arrival, no_usage.",
        ),
        Column(
            "severity",
            "text",
            "error: data that should have loaded; info: a record that is no request (a header, a chat line).",
        ),
        Column("detail", "text", "The reason in words: which field, what was found, what is accepted."),
        Column(
            "fields",
            "jsonb",
            "The parsed fields that are safe to keep (never prompt or answer text); null where the record can't be decoded.",
            nullable=True,
        ),
        Column("record_sha256", "text", "SHA-256 of the record's bytes, hexadecimal."),
    ),
    ("snapshot_id", "line_no", "item_no"),
)

QUARANTINE_REMOVED = Table(
    "raw",
    "quarantine_removed",
    "Records whose rows of raw.quarantine were removed by age (retention.yaml): how many there were.",
    "one row per file, reason and severity",
    (
        Column("snapshot_id", "uuid", "File that holds the records (raw.snapshot)."),
        Column("reason", "text", "Their reason, as in raw.quarantine."),
        Column("severity", "text", "error or info, as in raw.quarantine."),
        Column("records", "bigint", "How many rows were removed.", unit="lines"),
    ),
    ("snapshot_id", "reason", "severity"),
)

DUPLICATE = Table(
    "raw",
    "duplicate",
    "Valid records that were dropped because another record of the same request was kept, and which one.",
    "one row per dropped record",
    (
        Column(
            "event_date",
            "date",
            "The partition that this row is replaced with: UTC day of the kept record; of a replayed counter, which may be dropped weeks after the kept record, its own.",
        ),
        Column("snapshot_id", "uuid", "File of the dropped record."),
        Column("line_no", "bigint", "Line of the dropped record.", unit="lines"),
        Column("item_no", "integer", "Item of the dropped record inside its line."),
        Column("request_uid", "uuid", "Request that was kept (core.request)."),
        Column("kept_snapshot_id", "uuid", "File of the kept record."),
        Column("kept_line_no", "bigint", "Line of the kept record.", unit="lines"),
        Column("kept_item_no", "integer", "Item of the kept record inside its line."),
        Column(
            "rule",
            "text",
            "Why the other was kept. In one source: same_record, later_update, stream_delta, counter_replay. Between sources or instruments: same_response (both have an id), same_span, nested_span (one lies in the other and has its counts, or none), sum_of_spans (what lies in it adds up to it; the first is named), declared_look_alike (a rule of sources.yaml).",
        ),
    ),
    ("snapshot_id", "line_no", "item_no"),
    day_column="event_date",
)

LOADED_FILE = Table(
    "raw",
    "loaded_file",
    "How many requests of each loaded day come from which file: shows late files without a look at the requests themselves.",
    "one row per day and file",
    (
        Column("event_date", "date", "Loaded UTC day (core.request.event_date)."),
        Column("snapshot_id", "uuid", "File with records of this day (raw.snapshot)."),
        Column(
            "requests",
            "bigint",
            "Rows of core.request of this day and file; 0 where all its records were dropped.",
            unit="requests",
        ),
    ),
    ("event_date", "snapshot_id"),
    day_column="event_date",
)

QUIET_DAY = Table(
    "raw",
    "quiet_day",
    "Days that a run found without a single request: their spend is zero. The spend of a day that was never run is not known.",
    "one row per day",
    (Column("event_date", "date", "UTC day that had ended when it was run, and of which no file held a request."),),
    ("event_date",),
    day_column="event_date",
    is_act=True,
)

RAW_TABLES = (SNAPSHOT, QUARANTINE, QUARANTINE_REMOVED, DUPLICATE, LOADED_FILE, QUIET_DAY)
