"""Schema of `evidence.yaml`: what is known of models that a log can't say, each line with its source and its grade.

A projection draws on it (`pipelines.routing`). Nothing else is assumed. If no line fits, there is no projection, and
the reason names the missing line.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, refuse_twice

Grade = Literal["A", "B", "C", "D", "E"]
"""A own shadow traffic, B public results item by item, C leaderboard proxy, D vendor claim, E assumption."""
Measure = Literal["input", "output", "loop", "attempts"]
MEASURES: tuple[Measure, ...] = ("input", "output", "loop", "attempts")
ANY = "*"


class MissingEvidenceError(LookupError):
    """evidence.yaml has no line for something that a projection needs; the message is the line to add."""


class Effect(Declaration):
    """How many tokens a model takes for the same work, against a typical model: a factor whose logarithm is normal.

    `measure`: `input` the prompt in its own tokens, `output` what it writes in answer to one request, `loop` all tokens of a
    task that an agent works on in steps; `attempts` how often a request is sent until it is answered, where the log of the model does not say.
    `n` is the number of models that `log_sd` was learnt from. If they are few, the spread itself is drawn too. `model` is a model's id, or `*` for every model without a line of its own.
    Two models' factors are divided, so that a model against itself is exactly 1.

    With `against` the factor is held against that model, on the same requests, and not against a typical one. `freedom` are the degrees
    of freedom of an error that pairs of requests show: its draws are Student's. `sessions` is how many sessions the
    error was measured on. If the traffic has few requests, they are as far from the mean of all as these sessions
    were.
    """

    measure: Measure
    model: str = ANY
    log_mean: float = Field(default=0.0, ge=-10, le=10)
    log_sd: float = Field(ge=0, le=10)
    n: int | None = Field(default=None, ge=3)
    against: str | None = None
    freedom: int | None = Field(default=None, ge=1)
    sessions: int | None = Field(default=None, ge=1)
    grade: Grade
    source: str

    @model_validator(mode="after")
    def _against_another(self) -> Effect:
        if self.against is not None and (self.model == ANY or self.against in (self.model, ANY)):
            raise KeyMistake(("against",), f"found {self.against!r}, accepted is another model than {self.model!r}")
        return self


class BoardRatios(Declaration):
    """How far the tokens that a board counted are off for other work: the standard deviation of a model's logarithm.

    `log_sd` is that of output, `loop_log_sd` that of all tokens of an agent's task. `agents` are the benchmarks on which all models work in
    the same agent: only these say what a task takes.
    """

    log_sd: float = Field(gt=0, le=10)
    source: str
    agents: tuple[str, ...] = ()
    loop_log_sd: float | None = Field(default=None, gt=0, le=10)
    loop_source: str = ""


class Difficulty(Declaration):
    """How many times as many tokens hard requests take as the others, as a router separates them; its logarithm is normal."""

    log_mean: float = Field(ge=-10, le=10)
    log_sd: float = Field(ge=0, le=10)
    grade: Grade
    source: str


class Verifier(Declaration):
    """What judges the first answer of a cascade: how often it accepts a wrong one and rejects a right one, and what it costs.

    It costs `usd_per_request`, and `cost_share` of what the first answer did cost.
    """

    verifier: str
    accepts_wrong: float = Field(ge=0, le=1)
    rejects_right: float = Field(ge=0, le=1)
    usd_per_request: Decimal = Field(default=Decimal(0), ge=0)
    cost_share: float = Field(default=0.0, ge=0, le=10)
    grade: Grade
    source: str


class Escalation(Declaration):
    """How often users repeat a request on the dearest arm after a model answered it: a share of its requests, with
    the standard error `share_sd`.

    `model` is a model's id, or `*` for every model without a line of its own.
    """

    model: str = ANY
    share: float = Field(ge=0, le=1)
    share_sd: float = Field(default=0.0, ge=0, le=1)
    grade: Grade
    source: str


class Transfer(Declaration):
    """How far a benchmark's score carries over to other tasks: the standard deviation of the logit that each model moves by.

    It is learnt from few benchmarks, and some are further from your own tasks than others. With `freedom`, draws
    follow Student's distribution, by one factor for all models and use cases of a world.
    """

    benchmark: str = ANY
    logit_sd: float = Field(ge=0, le=10)
    freedom: int | None = Field(default=None, ge=1)
    grade: Grade
    source: str


class ScoredAs(Declaration):
    """A name that a seller moves from model to model, and the model behind it from a day on.

    `model` takes the leaderboard scores of `scored_as` on the UTC days from `from` until before `until`, unless it has its own.
    """

    model: str
    scored_as: str
    from_date: date = Field(alias="from")
    until_date: date | None = Field(default=None, alias="until")
    source: str

    def holds_on(self, day: date) -> bool:
        """Whether the line is about that day."""
        return self.from_date <= day and (self.until_date is None or day < self.until_date)


class Evidence(Declaration):
    """The whole of `evidence.yaml`.

    `agreement` is the correlation of two models' outcomes on the same items (phi). `skill_from` and `skill_to` bound
    a router's skill: 0 is chance, 1 knows every outcome beforehand. `pair_tokens_log_sd` and `pair_quality_sd` say
    how far one pair of answers to the same request is from the ratio of all, in logarithms of tokens (or cost) and as
    a share of the better known model's quality. They decide how many pairs a measurement needs. `draws` is the number of simulated worlds.
    """

    effects: tuple[Effect, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    stand_ins: tuple[ScoredAs, ...] = ()
    boards: BoardRatios | None = None
    difficulty: Difficulty | None = None
    verifiers: tuple[Verifier, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    agreement: float | None = Field(default=None, ge=-1, le=1)
    agreement_source: str = ""
    skill_from: float = Field(default=0.0, ge=0, le=1)
    skill_to: float = Field(default=0.4, ge=0, le=1)
    skill_source: str = ""
    pair_tokens_log_sd: float | None = Field(default=None, gt=0)
    pair_quality_sd: float | None = Field(default=None, gt=0)
    pair_source: str = ""
    draws: int = Field(default=2000, ge=200, le=100_000)

    @model_validator(mode="after")
    def _no_line_twice(self) -> Evidence:
        refuse_twice("effects", [f"{item.measure} of {item.model}" for item in self.effects])
        refuse_twice("transfers", [item.benchmark for item in self.transfers], within="benchmark")
        refuse_twice("verifiers", [item.verifier for item in self.verifiers], within="verifier")
        refuse_twice("escalations", [item.model for item in self.escalations], within="model")
        refuse_twice("stand_ins", [f"{item.model} from {item.from_date}" for item in self.stand_ins])
        if self.skill_from > self.skill_to:
            raise KeyMistake(
                ("skill_from",), f"found {self.skill_from}, accepted is a number up to skill_to ({self.skill_to})"
            )
        for item in self.effects:
            if item.against is not None:
                self._refuse_circle(item)
        return self

    def _refuse_circle(self, effect: Effect) -> None:
        seen, at = {effect.model}, effect.against
        while at is not None:
            if at in seen:
                raise ValueError(f"effects on {effect.measure}: {at} is held against itself, by way of others")
            seen.add(at)
            following = self.effect(effect.measure, at)
            at = None if following is None else following.against

    def effect(self, measure: Measure, model: str | None) -> Effect | None:
        """The line for a model, else the one for any model, else None."""
        fitting = [item for item in self.effects if item.measure == measure and item.model in (model, ANY)]
        return min(fitting, key=lambda item: item.model == ANY, default=None)

    def needed_effect(self, measure: Measure, model: str) -> Effect:
        """As `effect`. Raises MissingEvidenceError where there is none."""
        found = self.effect(measure, model)
        if found is None:
            raise MissingEvidenceError(
                f"evidence.yaml has no effect on {measure} for {model}: add one for it, or for '*'"
            )
        return found

    def log_effect(self, measure: Measure, model: str) -> float:
        """The middle of a model's factor against a typical model, as a logarithm. Raises MissingEvidenceError."""
        found = self.needed_effect(measure, model)
        return found.log_mean + (0.0 if found.against is None else self.log_effect(measure, found.against))

    def with_measured(self, effects: Sequence[Effect]) -> Evidence:
        """With lines that were measured, except where the file itself has a line for the model or turns the line into a circle."""
        own = {(item.measure, item.model) for item in self.effects}
        as_read = {name: getattr(self, name) for name in type(self).model_fields}
        known = self
        for item in effects:
            if (item.measure, item.model) not in own:
                with suppress(ValidationError):
                    known = Evidence(**as_read | {"effects": (item, *known.effects)})
        return known

    def escalation(self, model: str) -> Escalation | None:
        """The line for a model, else the one for any, else None."""
        fitting = [item for item in self.escalations if item.model in (model, ANY)]
        return min(fitting, key=lambda item: item.model == ANY, default=None)

    def with_escalations(self, measured: Sequence[Escalation]) -> Evidence:
        """This evidence with lines that the log shows. The file's own line for a model stays; its line for any model gives way to a measured one."""
        own = {item.model for item in self.escalations} - {ANY}
        found = {item.model: item for item in (*self.escalations, *(one for one in measured if one.model not in own))}
        return self.model_copy(update={"escalations": tuple(found.values())})

    def needed_difficulty(self) -> Difficulty:
        """How much longer hard requests are. Raises MissingEvidenceError where nothing says so."""
        if self.difficulty is None:
            raise MissingEvidenceError("evidence.yaml has no difficulty: add how much longer hard requests are")
        return self.difficulty

    def needed_verifier(self, name: str) -> Verifier:
        """The verifier of that name. Raises MissingEvidenceError where there is none."""
        found = next((item for item in self.verifiers if item.verifier == name), None)
        if found is None:
            raise MissingEvidenceError(f"evidence.yaml has no verifier {name}: add its errors and its cost")
        return found

    def transfer(self, benchmark: str) -> Transfer | None:
        """The line for a benchmark, else the one for any, else None."""
        fitting = [item for item in self.transfers if item.benchmark in (benchmark, ANY)]
        return min(fitting, key=lambda item: item.benchmark == ANY, default=None)
