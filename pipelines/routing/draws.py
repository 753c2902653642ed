"""Simulated worlds: what is unknown about models and traffic is drawn many times, always from the same seeds.

A model has one set of draws, whatever arm, policy or baseline it stands in: a model against itself is exactly 1 in
every world, and two policies differ by what they do and not by luck. Each world has a mirror image: the same traffic and spreads, with every
error turned round. So the middle of one error is exactly what is expected. `arm_costs.py` and `quality.py` say what is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.config.evidence import Effect, Escalation, Evidence, Measure, MissingEvidenceError
from pipelines.routing.quality import Quality, Score
from pipelines.routing.session_parts import BUCKETS

Floats = npt.NDArray[np.float64]
INTERVALS = {"low_95": 2.5, "low_50": 25.0, "high_50": 75.0, "high_95": 97.5}
"""Percentiles of the two intervals."""
DECIMALS = 9
"""Of shares that are read off the worlds. Groups are added up in another order where other policies are asked too, or on another machine:
that shows in the sixteenth digit, and rows would differ."""
_KEPT_BYTES = 48 << 20
"""Of arms' costs that are kept: some 60 arms where traffic falls into 50 groups, 12 where it falls into 250."""


@dataclass(frozen=True)
class Group:
    """Requests that share what is drawn for them and where they may go: the model they ran on, whether they are an agent's loop, and
    what a policy distinguishes (`lanes.py`)."""

    model_id: str
    is_loop: bool
    lane: str = ""


@dataclass(frozen=True)
class ArmArrays:
    """An arm's cost in USD, arrays of groups x buckets: what does not scale, input, output, and the part of input that
    depends on whether caches without a session hit."""

    model_id: str
    fixed: Floats
    input: Floats
    output: Floats
    open: Floats


@dataclass
class Worlds:
    """The draws of one day. `groups` are the rows of every array, `requests` is groups x buckets; `use_cases` are the requests
    of each use case by the model that they ran on."""

    evidence: Evidence
    groups: Sequence[Group]
    requests: Floats
    use_cases: Mapping[str, Mapping[str, int]]
    _costs: dict[int, tuple[ArmArrays, Floats]] = field(default_factory=dict)
    _ratios: dict[tuple[str, str, bool], tuple[Floats, Floats]] = field(default_factory=dict)
    _lines: dict[tuple[Measure, str], Effect | None] = field(default_factory=dict)
    _effects: dict[tuple[Measure, str], Floats] = field(default_factory=dict)
    _ran: dict[tuple[Measure, bool], Floats] = field(default_factory=dict)
    _solved: dict[tuple[str, str, Score], Floats] = field(default_factory=dict)

    def normal(self, *name: str) -> Floats:
        """Standard normal draws that belong to a name."""
        return _normal(self.evidence.draws, name)

    def __post_init__(self) -> None:
        draws = self.evidence.draws
        self.weights: Floats = _weights(draws)
        self.hit: Floats = _uniform("cache without sessions", draws)
        skill = _uniform("skill", draws)
        self.skill: Floats = self.evidence.skill_from + skill * (self.evidence.skill_to - self.evidence.skill_from)

    def cost(self, arm: ArmArrays) -> Floats:
        """What each group's traffic costs on the arm in each world: draws x groups. The last few answers are kept."""
        kept = self._costs.pop(id(arm), None) or (arm, self._cost(arm))
        self._costs[id(arm)] = kept  # with the arm, so that no other takes its identity
        if len(self._costs) * kept[1].nbytes > _KEPT_BYTES:
            del self._costs[next(iter(self._costs))]
        return kept[1]

    def _cost(self, arm: ArmArrays) -> Floats:
        total = np.empty((self.evidence.draws, len(self.groups)))
        parts = np.concatenate([arm.fixed, arm.input, arm.output, arm.open])
        fixed, taken, written, unsure = np.split(self.weights @ parts.T, 4, axis=1)
        taken = taken + (1 - self.hit)[:, None] * unsure
        for alike in self._alike.values():
            ratio_in, ratio_out = (one[:, None] for one in self.ratios(arm.model_id, self.groups[alike[0]]))
            total[:, alike] = fixed[:, alike] + ratio_in * taken[:, alike] + ratio_out * written[:, alike]
        return total

    def cost_of_all(self, arm: ArmArrays) -> Floats:
        """What all traffic costs on the arm in each world: `cost` added up over groups, in a hundredth of the time, for every candidate is asked.
        A ratio is a number of the arm over one of what ran, and those of what ran are worked out once. Raises MissingEvidenceError."""
        taken, written, unsure = np.split(
            self._pool @ np.concatenate([arm.input, arm.output, arm.open], axis=1), 3, axis=1
        )
        total = self.weights @ arm.fixed.sum(axis=0)
        again = self.line("attempts", arm.model_id) is not None
        measures: list[tuple[Measure, Measure]] = [("input", "output"), ("loop", "loop")]
        try:
            for is_loop in sorted({is_loop for _, is_loop in self._alike}):
                read, wrote = measures[is_loop]
                given = self._over_what_ran(taken, read, again=again)
                given += (1 - self.hit) * self._over_what_ran(unsure, read, again=again)
                total += self._above(arm.model_id, read, again=again) * given
                total += self._above(arm.model_id, wrote, again=again) * self._over_what_ran(
                    written, wrote, again=again
                )
        except MissingEvidenceError:  # what ran on the model itself needs no line
            return np.asarray(self.cost(arm).sum(axis=1))
        return np.asarray(total)

    @cached_property
    def _pool(self) -> Floats:
        """What adds up the groups that share their ratios: those x groups."""
        pool = np.zeros((len(self._alike), len(self.groups)))
        for number, places in enumerate(self._alike.values()):
            pool[number, places] = 1
        return pool

    def _above(self, model_id: str, measure: Measure, *, again: bool) -> Floats:
        """A model's tokens over a typical one's in each world; `again`: also how often its requests are sent."""
        sent = self._effect("attempts", model_id) if again else 0.0
        return np.exp(self._effect(measure, model_id) + sent)

    def _over_what_ran(self, usd: Floats, measure: Measure, *, again: bool) -> Floats:
        """What `usd` (_alike x buckets) comes to in each world over the tokens of what ran, of single requests or of loops as the measure is."""
        places = [place for place, (_, is_loop) in enumerate(self._alike) if is_loop == (measure == "loop")]
        if (measure, again) not in self._ran:
            ran = [recorded for recorded, is_loop in self._alike if is_loop == (measure == "loop")]
            self._ran[measure, again] = 1 / np.stack([self._above(one, measure, again=again) for one in ran], axis=1)
        return np.asarray(np.einsum("wb,wb->w", self.weights, self._ran[measure, again] @ usd[places]))

    @cached_property
    def _alike(self) -> dict[tuple[str, bool], list[int]]:
        """The places of the groups that share their ratios of tokens."""
        places: dict[tuple[str, bool], list[int]] = {}
        for number, group in enumerate(self.groups):
            places.setdefault((group.model_id, group.is_loop), []).append(number)
        return places

    @cached_property
    def requests_drawn(self) -> Floats:
        """The requests in each world: draws x groups."""
        return self.recorded(self.requests)

    def recorded(self, cost: Floats) -> Floats:
        """What a quantity of groups x buckets is in each world: draws x groups."""
        return np.asarray(self.weights @ cost.T)

    @cached_property
    def difficulty(self) -> Floats:
        """How many times the tokens of others hard requests take. Raises MissingEvidenceError where nothing says so."""
        line = self.evidence.needed_difficulty()
        return np.asarray(np.exp(line.log_mean + line.log_sd * self.normal("difficulty")))

    def escalated(self, line: Escalation, model_id: str) -> Floats:
        """The share of the model's answers that are asked for again."""
        return np.clip(line.share + line.share_sd * self.normal("escalation", model_id), 0.0, 1.0)

    def ratios(self, model_id: str, group: Group) -> tuple[Floats, Floats]:
        """Tokens of input and of output on the model over those recorded."""
        key = (model_id, group.model_id, group.is_loop)
        if key not in self._ratios:
            self._ratios[key] = self._drawn(*key)
        return self._ratios[key]

    def _drawn(self, model_id: str, recorded: str, is_loop: bool) -> tuple[Floats, Floats]:
        if model_id == recorded:
            return np.ones(self.evidence.draws), np.ones(self.evidence.draws)
        measures: tuple[Measure, Measure] = ("loop", "loop") if is_loop else ("input", "output")
        sent = 0.0 if self.line("attempts", model_id) is None else self._between("attempts", model_id, recorded)
        taken, written = (np.exp(self._between(measure, model_id, recorded) + sent) for measure in measures)
        return taken, written

    def _between(self, measure: Measure, model_id: str, recorded: str) -> Floats:
        return self._effect(measure, model_id) - self._effect(measure, recorded)

    def line(self, measure: Measure, model_id: str) -> Effect | None:
        """The line of evidence for a model, else the one for any model, else None."""
        key = (measure, model_id)
        if key not in self._lines:
            self._lines[key] = self.evidence.effect(measure, model_id)
        return self._lines[key]

    def _effect(self, measure: Measure, model_id: str) -> Floats:
        key = (measure, model_id)
        if key not in self._effects:
            self._effects[key] = self._drawn_effect(measure, model_id)
        return self._effects[key]

    def _drawn_effect(self, measure: Measure, model_id: str) -> Floats:
        effect = self.evidence.needed_effect(measure, model_id)
        spread = effect.log_sd * self._unsure_of_spread(effect) * self._of_few(effect.sessions, measure)
        base = 0.0 if effect.against is None else self._effect(measure, effect.against)
        return np.asarray(base + effect.log_mean + spread * self.normal("effect", measure, model_id))

    def _unsure_of_spread(self, effect: Effect) -> Floats | float:
        """How far the true spread may be from one that few models or pairs show: with it the draws are Student's.

        Where `n` models showed it they are also a new model's, which is not one of the n.
        """
        freedom = effect.freedom if effect.n is None else effect.n - 1
        if freedom is None:
            return 1.0
        of_a_new_one = 1.0 if effect.n is None else 1 + 1 / effect.n
        return np.asarray(sqrt(of_a_new_one) * self._student(freedom, effect.measure, effect.model))

    def _student(self, freedom: int | None, *name: str) -> Floats | float:
        """The factor that makes a standard normal draw Student's; 1 without degrees of freedom."""
        if freedom is None:
            return 1.0
        draws = self.evidence.draws
        return _twice(_student_steps(freedom, _half(draws))[_order(_half(draws), "spread", *name)], draws)

    def _of_few(self, measured: int | None, measure: Measure | None = None) -> float:
        """The error of the mean over the traffic's own requests, over that of a mean over all requests that could come.

        A shadow of `measured` sessions knows the latter. The mean of N requests is off it by as much as measured / N of its variance.
        """
        kinds = {"loop": (True,), "input": (False,), "output": (False,)}.get(measure or "", (True, False))
        number = sum(
            float(of_group.sum())
            for group, of_group in zip(self.groups, self.requests, strict=True)
            if group.is_loop in kinds
        )
        return sqrt(1 + measured / number) if measured and number else 1.0

    def shares_solved(self, quality: Quality, model_id: str) -> Floats:
        """Share of tasks that the model solves in each world and use case: draws x use cases, in their order."""
        if model_id in quality.settled:
            return np.full((self.evidence.draws, len(self.use_cases)), quality.scores[model_id].share)
        if quality.moves:
            return self._measured(quality, model_id)
        key = (quality.benchmark_version_id, model_id, quality.scores[model_id])
        if key not in self._solved:
            self._solved[key] = self._carried_over(*key)
        return self._solved[key]

    def _carried_over(self, version: str, model_id: str, score: Score) -> Floats:
        """A leaderboard's score, carried over to your own tasks."""
        benchmark = version.partition("#")[0]
        transfer = self.evidence.transfer(benchmark)
        if transfer is None:
            raise MissingEvidenceError(f"evidence.yaml has no transfer for {benchmark}: add one for it, or for '*'")
        own = score.logit + score.logit_se * self.normal("score", version, model_id)
        spread = transfer.logit_sd * self._student(transfer.freedom, "transfer", benchmark)
        moved = [spread * self.normal("transfer", use_case, model_id) for use_case in self.use_cases]
        return 1 / (1 + np.exp(-(own[:, None] + np.stack(moved, axis=1))))

    def _measured(self, quality: Quality, model_id: str) -> Floats:
        """As `shares_solved`, for a share that was measured on your own tasks: nothing has to carry over, and errors are shared."""
        logit = np.full(self.evidence.draws, quality.scores[model_id].logit)
        of_few = self._of_few(quality.sessions)
        for name, spread in quality.moves[model_id].items():
            logit = logit + of_few * spread * self.normal("measured score", name)
        return np.asarray(np.tile(1 / (1 + np.exp(-logit[:, None])), (1, len(self.use_cases))))


def intervals(values: Floats) -> dict[str, float]:
    """The bounds of the 50 % and 95 % intervals, by the names of INTERVALS, to `DECIMALS`."""
    found = np.percentile(values, list(INTERVALS.values()))
    return dict(zip(INTERVALS, map(_rounded, found), strict=True))


def middle(values: Floats) -> float:
    """The median, to `DECIMALS`."""
    return _rounded(np.median(values))


def _rounded(value: float | np.floating[Any]) -> float:
    """To `DECIMALS`; what rounds to nothing has no sign, or no saving reads -0."""
    return round(float(value), DECIMALS) + 0.0


def both_solve(cheap: Floats, strong: Floats, agreement: float) -> Floats:
    """Share of tasks that both models solve: `agreement` is the correlation of their outcomes, cut to what two such shares allow."""
    both = cheap * strong + agreement * np.sqrt(cheap * (1 - cheap) * strong * (1 - strong))
    return np.asarray(np.clip(both, np.maximum(0.0, cheap + strong - 1), np.minimum(cheap, strong)))


def oracle_gain(cheap: Floats, strong: Floats, share: Floats | float, agreement: float) -> Floats:
    """What a router adds to chance that sends to the strong model, as far as `share` goes, just what only it solves.

    `cheap` and `strong` are shares solved, `agreement` is the correlation of their outcomes, cut to what two such
    shares allow.
    """
    both = both_solve(cheap, strong, agreement)
    only_strong, only_cheap = strong - both, cheap - both
    # First what only the strong one solves, then what both or neither do, at last what only the cheap one does.
    harmful = np.maximum(0.0, share - (1 - only_cheap))
    best = np.minimum(share, only_strong) - harmful
    return np.asarray(best - share * (strong - cheap))


@lru_cache(maxsize=4)
def _weights(draws: int) -> Floats:
    """How much each group of sessions weighs in each world: draws x BUCKETS. The same on every day."""
    return _kept(_twice(_generator("traffic").exponential(1.0, (_half(draws), BUCKETS)), draws))


@lru_cache(maxsize=1024)
def _normal(draws: int, name: tuple[str, ...]) -> Floats:
    """Standard normal draws that belong to a name. The same on every day: 16 KB where there are 2,000 draws."""
    from scipy.special import ndtri

    drawn = ndtri(_levels(_half(draws), *name) / 2) * _generator("sign", *name).choice([-1.0, 1.0], _half(draws))
    return _kept(np.concatenate([drawn, -drawn])[:draws])


def _uniform(name: str, draws: int) -> Floats:
    drawn = _levels(_half(draws), name)
    return np.concatenate([drawn, 1 - drawn])[:draws]


def _levels(number: int, *name: str) -> Floats:
    """Levels from 0 to 1 in random order: one in the middle of each of as many steps (Latin hypercube sampling), so that each name's own
    distribution is that of its quantiles and no matter of luck."""
    return (_order(number, *name) + 0.5) / number


def _order(number: int, *name: str) -> npt.NDArray[np.int64]:
    """The order in which a name takes the steps of its levels."""
    return _generator(*name).permutation(number)


@lru_cache(maxsize=256)
def _student_steps(freedom: int, number: int) -> Floats:
    """Student's factor at each of `number` levels: the same for all names, which differ in their order."""
    from scipy.special import gammaincinv  # scipy.stats, which has more, takes a second to import

    return _kept(np.sqrt(freedom / (2 * gammaincinv(freedom / 2, (np.arange(number) + 0.5) / number))))


def _half(draws: int) -> int:
    return (draws + 1) // 2


def _twice(drawn: Floats, draws: int) -> Floats:
    return np.concatenate([drawn, drawn])[:draws]


def _kept(drawn: Floats) -> Floats:
    drawn.setflags(write=False)
    return drawn


def _generator(*name: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256("\0".join(name).encode()).digest()[:8], "big"))
