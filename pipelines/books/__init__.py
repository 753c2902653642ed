"""What finance does with charges: shared cost allocated by declared rules, and exports in FOCUS.

Charges themselves are made by dbt (`dbt_like/models/marts/daily_charge.sql`).
"""
