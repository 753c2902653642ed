"""Search units of reranking and pages of documents: what a request counts in place of tokens, and their rates."""

from __future__ import annotations

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_COUNTS = ("rerank_search_count", "document_page_count", "annotated_document_page_count")
_RATES = ("rerank_search", "document_page", "annotated_document_page")
_COUNTED = (
    "input_uncached", "input_cache_read", "input_cache_write", "input_cache_write_5m", "input_cache_write_30m", "input_cache_write_1h",
    "input_cache_write_12h", "input_audio", "input_audio_cache_read", "input_image", "input_image_cache_read", "input_video", "input_tool",
    "output_text", "output_reasoning", "output_audio", "output_image",
)  # fmt: skip


def upgrade() -> None:
    # Rows that are there counted none: a default fills them without writing the table anew.
    for count in _COUNTS:
        op.execute(f"alter table core.request add column {count} integer not null default 0")
        op.execute(f"alter table core.request alter column {count} drop default")
        op.execute(f"alter table core.reported_cost add column {count} bigint")
    counts = ", ".join((*(f"{name}_tokens" for name in _COUNTED), "web_search_count", *_COUNTS))
    op.execute(
        f"alter table core.request drop constraint request_counts, add constraint request_counts check (least({counts}) >= 0)"
    )
    for rate in _RATES:
        op.execute(f"alter table core.rate_card add column {rate}_usd_per_million numeric(38,12)")
