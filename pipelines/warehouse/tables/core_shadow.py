"""Table of shadow measurements: what other models did with requests of our own, in tokens, cost and score.

`pipelines.shadow` fills it; what it says together is in `mart_evidence.py`.
"""

from __future__ import annotations

from pipelines.meters import TOKEN_METERS
from pipelines.warehouse.tables.spec import Column, Table

SCORE_KINDS = ("gold", "judge")

SHADOW_REQUEST = Table(
    "core",
    "shadow_request",
    "Requests of our own on other models, and what their answers were worth: shadow runs, evaluations, judgements. No traffic: "
    "never part of spend.",
    "one row per record of a shadow file",
    (
        Column("snapshot_id", "uuid", "File (raw.snapshot)."),
        Column("line_no", "bigint", "Line of the record.", unit="lines"),
        Column("item_no", "integer", "Item inside the line."),
        Column("source", "text", "Source, as named in sources.yaml."),
        Column("observed_at", "timestamptz", "When the file was observed."),
        Column("event_date", "date", "UTC day of the measurement; that of the file's arrival where no record says so."),
        Column("event_at", "timestamptz", "Instant of the measurement.", nullable=True),
        Column(
            "request_id",
            "text",
            "The request that was answered: source_request_id of core.request, or the session_id of a task that was run whole.",
        ),
        Column("session_id", "text", "Session that the request belongs to; sessions are drawn whole.", nullable=True),
        Column("use_case", "text", "Use case, where the record names one.", nullable=True),
        Column("arm", "text", "Arm of the policy or experiment, as written.", nullable=True),
        Column("provider_id", "text", "Who sold the call; null where no record says so.", nullable=True),
        Column("raw_model", "text", "Model name as written."),
        Column("model_id", "text", "Canonical model; null while the name is unresolved.", nullable=True),
        *(
            Column(
                m.tokens_column,
                "bigint",
                f"Tokens: {m.description}; null where the record counts none.",
                nullable=True,
                unit="tokens",
            )
            for m in TOKEN_METERS
        ),
        Column("token_semantics", "text", "Rule that turned the record's counts into buckets.", nullable=True),
        Column("cost_usd", "numeric(38,18)", "What the call cost, as written.", nullable=True, unit="USD"),
        Column(
            "score", "double precision", "What the answer was worth, from 0 to 1 where it is a share.", nullable=True
        ),
        Column(
            "score_kind",
            "text",
            "gold: a test or a person; judge: a model's word, which is corrected by gold scores.",
            nullable=True,
            accepted=SCORE_KINDS,
        ),
        Column("judge", "text", "Who judged.", nullable=True),
        Column(
            "propensity",
            "double precision",
            "Probability with which a router chose this model for the request.",
            nullable=True,
            unit="share",
        ),
        Column(
            "is_counted",
            "boolean",
            "False where a later record of the source says the same thing again: the same request, model, kind of score and judge.",
        ),
    ),
    ("snapshot_id", "line_no", "item_no"),
)
