"""The boundary of a step: what it raises reaches Dagster in words that may be stored, shown and sent on.

Dagster keeps the texts of a whole chain of exceptions in its event log, and prints them. So each step ends in one
exception of its own, without a chain, worded by `pipelines.outside`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from pipelines.outside import ANY_FAILURE, is_own, worded

P = ParamSpec("P")
R = TypeVar("R")


class StepError(RuntimeError):
    """A step failed; the message says why, without a word of what a file held."""


def in_own_words(step: Callable[P, R]) -> Callable[P, R]:
    """`step`, a function or a generator, with what it raises replaced by a `StepError`; Dagster's own signals pass.

    The new exception has no other as its cause or context: of these, Dagster would keep the texts as well.
    """
    if inspect.isgeneratorfunction(step):

        @functools.wraps(step)
        def generated(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
            try:
                yield from step(*args, **kwargs)
            except ANY_FAILURE as error:
                failure = replaced(error)
            else:
                return
            raise failure from None

        return cast("Callable[P, R]", generated)

    @functools.wraps(step)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except ANY_FAILURE as error:
            failure = replaced(error)
        raise failure from None

    return called


def replaced(error: BaseException) -> BaseException:
    """What is raised in place of `error`."""
    if isinstance(error, (dg.Failure, dg.RetryRequested)):
        return error.with_traceback(None)
    text = worded(error)
    failure = StepError(f"{type(error).__name__}: {text}" if is_own(error) else text)
    return failure.with_traceback(error.__traceback__)


def reason_of(error: SerializableErrorInfo | None) -> str:
    """Why a step failed, in its own words."""
    cause = (error.cause or error) if error is not None else None
    if cause is None:
        return "it ended without a reason"
    text = cause.message.strip()
    for own in (StepError, dg.Failure):
        text = text.removeprefix(f"{own.__module__}.{own.__qualname__}: ")
    return text
