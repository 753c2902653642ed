"""The measured job wraps functions of the product by name: one that moved ended every measurement of it."""

from perf.job import _WATCHED


def test_every_function_that_is_watched_is_there() -> None:
    missing = [f"{place.__name__}.{name}" for place, name, _ in _WATCHED if not callable(getattr(place, name, None))]
    assert missing == []
