"""Commitments as a ledger: what was paid ahead or promised to sellers, who used it, and what nobody used.

Days are worked through in order (`ledger.py`): first provisioned throughput serves what it can (`provisioned.py`), then free tiers
(`free_tiers.py`), then prepaid credits pay what is left (`credits.py`) and minimums are counted (`minimums.py`). Declarations are `pipelines.config.commitments`.
"""

from __future__ import annotations

from pipelines.books.commitments.ledger import Ledger, commitment_ledger

__all__ = ["Ledger", "commitment_ledger"]
