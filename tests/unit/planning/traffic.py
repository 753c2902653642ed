"""Daily spend as companies have it, drawn from a seed: what forecasts and anomalies are measured on."""

from __future__ import annotations

from datetime import date

import numpy as np

from pipelines.planning.smoothing import Floats

MONDAY = date(2025, 9, 1)
WEEKDAYS = np.array([1.2, 1.25, 1.2, 1.15, 1.05, 0.6, 0.55])
KINDS = ("steady", "wandering", "sticky", "growing", "spiky", "heavy", "steps")


def drawn(kind: str, days: int, series: int, seed: int = 1) -> Floats:
    """(days, series) of spend around 100 a day, from MONDAY on."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    noise = rng.normal(0, 0.15, (days, series))
    level = np.ones((days, series))
    if kind == "wandering":
        level = np.exp(np.cumsum(rng.normal(0, 0.04, (days, series)), axis=0))
    elif kind == "sticky":
        pull = np.zeros((days, series))
        for day in range(1, days):
            pull[day] = 0.8 * pull[day - 1] + rng.normal(0, 0.12, series)
        level = np.exp(pull)
    elif kind == "growing":
        level = np.exp(0.007 * np.arange(days)[:, None] + np.cumsum(rng.normal(0, 0.01, (days, series)), axis=0))
    elif kind == "spiky":
        level = 1 + (rng.random((days, series)) < 0.04) * rng.exponential(3, (days, series))
    elif kind == "heavy":
        noise = np.clip(0.2 * rng.standard_t(3, (days, series)), -2, 2.5)
    elif kind == "steps":
        jump = (rng.random((days, series)) < 1 / 60) * rng.normal(0, 0.5, (days, series))
        level = np.exp(np.cumsum(jump, axis=0))
    return 100 * level * WEEKDAYS[np.arange(days) % 7][:, None] * np.exp(noise)
