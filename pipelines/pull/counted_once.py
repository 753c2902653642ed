"""Refuses the later of two declarations that would pull the same bill, because bills of all sources add up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from pipelines.config.pull import ApiPull
from pipelines.config.sources import BILL_FORMATS, RequestSource
from pipelines.pull.api import key_variables
from pipelines.pull.connectors import CONNECTORS
from pipelines.pull.reader import PullError


def check_counted_once(source: RequestSource, declared: Sequence[RequestSource]) -> None:
    """Raises PullError where a source that is declared before it pulls the same with the same key.

    Parameters beyond the default ones narrow the answer, for example to one project. Two sources that are both
    narrowed, differently, are accepted.
    """
    pull = source.pull
    if not isinstance(pull, ApiPull) or source.format not in BILL_FORMATS:
        return
    for other in takewhile(lambda one: one.source != source.source, declared):
        if not isinstance(other.pull, ApiPull) or other.format != CONNECTORS[other.pull.kind].reads:
            continue  # it fails, and pulls nothing
        if _states_the_same(pull, other.pull):
            what = CONNECTORS[pull.kind].states or "the same"
            raise PullError(
                f"source {other.source} pulls {what} with the same key, and both would count: keep one, or narrow both with params"
            )


def _states_the_same(pull: ApiPull, other: ApiPull) -> bool:
    if _what(pull) != _what(other):
        return False
    if pull.kind == other.kind and pull.reports and other.reports and not set(pull.reports) & set(other.reports):
        return False
    return not (_narrowed(pull) and _narrowed(other) and pull.params != other.params)


def _what(pull: ApiPull) -> tuple[object, ...]:
    connector = CONNECTORS[pull.kind]
    return connector.states or pull.kind, pull.url or connector.origin, key_variables(pull)


def _narrowed(pull: ApiPull) -> bool:
    return bool(set(pull.params) - set(CONNECTORS[pull.kind].asks))
