"""The watch over the company's own log: has a served model changed its behaviour without saying so?

    build_request_profile(requests)                    mart.request_profile: a day as histograms
    detect_request_drift(profile, day, alarms, known)  mart.request_drift; `Alarms` holds what earlier days found
    profiles_of(connection, folder, first, last)       days of the profile, kept in files if they are large

Leaderboards are `pipelines.benchmarks`; the arithmetic of tests is `pipelines.uncertainty`. See `docs/benchmarks.md`.
"""

from __future__ import annotations

from pipelines.behaviour.alarms import REFERENCE_DAYS, Alarms
from pipelines.behaviour.day_profile import PROFILE_COLUMNS, ProfileCounts, build_request_profile, taken_apart
from pipelines.behaviour.drift import detect_request_drift
from pipelines.behaviour.kept_days import profiles_of

__all__ = [
    "PROFILE_COLUMNS",
    "REFERENCE_DAYS",
    "Alarms",
    "ProfileCounts",
    "build_request_profile",
    "detect_request_drift",
    "profiles_of",
    "taken_apart",
]
