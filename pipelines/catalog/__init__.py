"""The catalogue: every model with its facts, memory, prices, scores and our own spend, and the models that meet constraints.

    catalog_entries(known)           what is known of each model at one instant
    answer(entries, question)        the models that meet a question, those that don't, and those of which too little is known
    catalog_rows(entries, machines)  mart.model_catalog

Facts come from `pipelines.config.model_facts`, memory from `pipelines.selfhost.memory`, prices from the rate cards.
"""

from __future__ import annotations

from pipelines.catalog.entries import Entry, Known, Price, Scored, catalog_entries
from pipelines.catalog.question import Answer, Question, QuestionError, ScoreAtLeast, Verdict, answer
from pipelines.catalog.rows import catalog_rows

__all__ = [
    "Answer",
    "Entry",
    "Known",
    "Price",
    "Question",
    "QuestionError",
    "ScoreAtLeast",
    "Scored",
    "Verdict",
    "answer",
    "catalog_entries",
    "catalog_rows",
]
