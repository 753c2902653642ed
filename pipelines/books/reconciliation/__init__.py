"""Reconciliation: what is computed, logged and billed next to each other, and why they differ.

`items.py` puts charges and lines of bills next to each other, `causes.py` shares the difference of one item out, `words.py` reads
the words of bills, `worklist.py` says what to look at first.
"""

from __future__ import annotations

from pipelines.books.reconciliation.items import Bills, reconcile

__all__ = ["Bills", "reconcile"]
