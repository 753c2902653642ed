"""Where a provider's answer lies in a logged line, shared by the formats of provider answers.

A line is the answer itself or an envelope that a logger, a batch result or a stream event puts around it;
options `body` (path to the answer) and `timestamp` (path to the instant) name any other envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pipelines.config.sources import RequestSource
from pipelines.records.container_logs import INSTANT as CONTAINER_INSTANT
from pipelines.records.json_record import holds_answer
from pipelines.records.layout import Paths, SourceError
from pipelines.requests.formats import _langchain, refuse_options
from pipelines.requests.formats._shipped import MARKS, as_object, unshipped

OPTIONS = ("body", "timestamp")
INSTANTS = ("timestamp", "response_date", "logged_at", "request_time", "created_at", "created")
"""Names under which envelopes write an instant; a provider's own instant comes after these."""
LOGGERS = (
    "@timestamp",
    "time",
    "ts",
    "datetime",
    "start_time",
    "startTime",
    "started_at",
)
"""Names under which loggers write the instant of a line; they come last, since each may be anything else as well."""

ASKED = ("request_model", "requested_model", "deployment")
NAMED = ("model", "model_name", "model_id", "modelId", "model_instance_id", "response.model", "request.model")
"""Names under which envelopes write a model: what was asked for goes before the answer's own name, any other after it."""
BATCH_RECORD = "batch_record"
"""The field that names a record of a batch of Bedrock."""
BATCH_MARK = '"modelOutput"'
_HELD = "response"
"""The field in which an event of the responses API holds its answer."""

SUMS = r"(?i)(?:^|[._-])(?:totals?|aggregated?)$|(?:^|[._-])(?:usage|tokens?|costs?|billing|session|run|trace|batch|day|daily|hourly|monthly)[._-]summary$"
"""How the type of a record says that it adds up others. A lone `summary` may be what a call was for."""


class Envelope:
    """The paths of an answer's fields in every accepted envelope."""

    def __init__(self, source: RequestSource, bodies: tuple[str, ...], *, without_cache: bool = False) -> None:
        """`without_cache`: the input of the answers leaves out what a cache held."""
        self._without_cache = without_cache
        refuse_options(source, OPTIONS)
        for option in OPTIONS:
            value = source.options.get(option, "")
            if not isinstance(value, str):
                raise SourceError(
                    source.source, ("options", option), f"found {value!r}, a path such as a/b is accepted"
                )
        body, self._timestamp = source.options.get("body"), source.options.get("timestamp")
        declared = (body or "").strip("/")
        held = tuple(f"{declared}/{_HELD}" for name in bodies if name == _HELD)
        self._bodies = (declared, *held) if declared else ("", *bodies)

    @property
    def bodies(self) -> tuple[str, ...]:
        """The paths where an answer may lie; the empty one is the line itself."""
        return self._bodies

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts of lines that `opened` changes: what a log service wrapped, and answers that are written as text or in a list."""
        keys = dict.fromkeys(path.rpartition("/")[2] for path in self._bodies if path)
        texts = tuple(f'"{key}":{space}{begin}' for key in keys for space in ("", " ") for begin in ('"{', "["))
        return (*texts, *((*MARKS, *_langchain.MARKS) if "" in self._bodies else ()))

    def opened(self, read: Callable[[object], Iterable[object]] | None = None) -> Callable[[object], Iterable[object]]:
        """A reader of records whose wrappers are off and whose answers are objects; each is read on by `read`.

        The pieces of a stream that were logged together, as a list, are records that follow each other.
        Where `body` is declared, no wrapper is taken off.
        """
        read_on = read or (lambda value: (value,))

        def records(value: object) -> Iterator[object]:
            for inner in self._unwrapped(value) if "" in self._bodies else (value,):
                found = inner
                for path in self._bodies if isinstance(inner, dict) else ():
                    found = _with_object(found, path.split("/")) if path else found
                for piece in _pieces(found, self._bodies):
                    yield from read_on(piece)

        return records

    def _unwrapped(self, value: object) -> Iterator[object]:
        for inner in unshipped(value):
            yield from _langchain.answers_of(inner, self._bodies, without_cache=self._without_cache)

    def body(self, *names: str) -> Paths:
        """A field of the answer."""
        return tuple(f"{prefix}/{name}" if prefix else name for name in names for prefix in self._bodies)

    def outer(self, *names: str) -> Paths:
        """A field of the envelope."""
        return names

    def batch_answer(self, *names: str) -> Paths:
        """A field of the answer where lines of a batch's output file hold it."""
        return tuple(f"{body}/{name}" for name in names for body in ("response/body", "response"))

    def model(self, *own: str) -> Paths:
        """The model that was asked for: as the envelope says, else the answer itself, else the envelope's other names for it."""
        return tuple(dict.fromkeys((*ASKED, *self.body(*own), *NAMED, *self.body("modelId", "model_instance_id"))))

    def instant(self, *own: str) -> Paths:
        """The instant: the declared path, else the envelope's, else the answer's own, else a logger's, else any other in the answer."""
        if self._timestamp:
            return (self._timestamp,)
        return tuple(dict.fromkeys((*INSTANTS, *self.body(*own), CONTAINER_INSTANT, *LOGGERS, *self.body("timestamp"))))


def answers(value: object, bodies: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers that a record holds, each with its path."""
    for path in bodies:
        found: object = value
        for key in path.split("/") if path else ():
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            yield path, found


def _with_object(value: object, keys: Sequence[str]) -> object:
    """The record with the answer at the end of `keys` as an object, also where it, or what it lies in, is written as text."""
    held = value.get(keys[0]) if isinstance(value, dict) else None
    is_words = isinstance(value, dict) and isinstance(held, str) and not holds_answer(held, value)
    opened: object = (not is_words and as_object(held)) or held
    if len(keys) > 1:
        opened = _with_object(opened, keys[1:])
    return value if opened is held or not isinstance(value, dict) else {**value, keys[0]: opened}


def _pieces(value: object, bodies: Sequence[str]) -> Iterator[object]:
    """A record for each object of the list in which a body holds them, within what stands around; the record itself where none does."""
    for key in bodies:
        held = value.get(key) if key and isinstance(value, dict) else None
        if isinstance(value, dict) and isinstance(held, list) and held and all(isinstance(item, dict) for item in held):
            around = {name: item for name, item in value.items() if name != key}
            yield from ({**around, **item} if "" in bodies else {**value, key: item} for item in held)
            return
    yield value


def of_bedrocks_batch(value: object) -> object:
    """A line of what a batch of Bedrock put out with its answer as the `response`, and its record named; any other value as it is."""
    if isinstance(value, dict) and "recordId" in value and isinstance(value.get("modelOutput"), dict):
        around = {name: item for name, item in value.items() if name not in ("modelOutput", "modelInput")}
        return {**around, "response": value["modelOutput"], BATCH_RECORD: value["recordId"]}
    return value


def with_answer(value: dict[str, Any], path: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The record with another answer at `path`."""
    key, _, rest = path.partition("/")
    if not key:
        return {**value, **answer}
    return {**value, key: with_answer(value[key], rest, answer) if rest else answer}
