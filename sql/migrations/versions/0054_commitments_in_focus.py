"""What commitments are billed at and how much of them a row is: columns that FOCUS files need."""

from __future__ import annotations

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The ledger is made anew in each run; what is booked gets what its kind says.
    for table in ("mart.commitment_usage", "core.booked_commitment"):
        op.execute(
            f"""
            alter table {table}
                add column billed_cost_usd numeric(38,18) not null default 0,
                add column commitment_discount_quantity numeric(38,18),
                add column commitment_discount_unit text
            """
        )
        op.execute(
            f"""
            update {table} set
                billed_cost_usd = case kind when 'provisioned' then amount_usd when 'minimum_spend' then effective_cost_usd else 0 end,
                commitment_discount_quantity = case when kind in ('credit', 'minimum_spend') then amount_usd end,
                commitment_discount_unit = case when kind in ('credit', 'minimum_spend') then 'USD' end
            """
        )
        op.execute(f"alter table {table} alter column billed_cost_usd drop default")
