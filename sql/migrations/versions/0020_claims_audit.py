"""Published numbers computed again."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.claims_audit (
            claim text not null,
            date_basis text not null,
            as_of date not null,
            report text not null,
            about text not null,
            report_lines text not null,
            claimed text not null,
            unit text not null,
            formula text not null,
            formula_text text,
            inputs jsonb not null,
            value numeric(38,18),
            value_text text,
            verdict text not null,
            condition text,
            unverified_reason text,
            source text,
            constraint claims_audit_pkey primary key (claim, date_basis),
            constraint claims_audit_date_basis_accepted check (date_basis in ('cited', 'report_date', 'today')),
            constraint claims_audit_verdict_accepted check (verdict in ('holds', 'conditional', 'fails', 'unverified'))
        )
        """
    )
