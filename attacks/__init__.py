"""Attacks on a running installation (`make faults`): killed, starved and crowded, it must give the tables of a run left alone.

Not part of `make test`, whose own faults are in `tests/faults`, `tests/warehouse` and `tests/end_to_end`. What was tried, and how often,
is in `docs/reliability.md`.
"""
