"""One question to the catalogue: which models meet all constraints, which don't, and of which too little is known to say.

A constraint never passes or fails on what is not known. A decision that rests on an unverified fact, or on which sources disagree,
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from pipelines.catalog.entries import Entry, Price, Scored
from pipelines.config.model_facts import Fact, Licence, Modality, ModelFacts
from pipelines.selfhost.memory import GB, Fit, Room, fit

T = TypeVar("T")


class QuestionError(Exception):
    """A question that can't be answered; the message says what is accepted."""


@dataclass(frozen=True)
class ScoreAtLeast:
    """A bound on a score: `benchmark` is an id (`aider_polyglot`) or an id and version (`aider_polyglot@pass_rate_2`)."""

    benchmark: str
    bound: float


@dataclass(frozen=True)
class Question:
    """Constraints, all of which must hold; what is left out does not matter.

    `room` is one machine, on which weights at `bits` and the cache of one context of `context_tokens` (8,192 without one) must fit.
    `preferred` are benchmark versions that a benchmark's bare id stands for.
    """

    is_open: bool = False
    is_permissive: bool = False
    context_tokens: int | None = None
    room: Room | None = None
    bits: float = 4
    inputs: tuple[Modality, ...] = ()
    tools: bool = False
    family: str | None = None
    scores: tuple[ScoreAtLeast, ...] = ()
    preferred: tuple[str, ...] = ()
    is_priced: bool = False
    input_per_output: Decimal = Decimal(3)

    @property
    def asks_for_facts(self) -> bool:
        """Whether a constraint is on what model_facts.yaml states."""
        wanted = (self.is_open, self.is_permissive, self.context_tokens, self.room, self.inputs, self.tools)
        return any(wanted)


@dataclass(frozen=True)
class Verdict:
    """One model and one question."""

    entry: Entry
    price: Price | None
    fails: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """What the decision rests on that is unverified, or on which a source disagrees."""
    fitted: Fit | None = None
    scored: tuple[Scored, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The models that meet the question, cheapest first; those of which too little is known; those that don't meet it."""

    meets: tuple[Verdict, ...]
    unknown: tuple[Verdict, ...]
    fails: tuple[Verdict, ...]


@dataclass
class _Judged:
    """What the constraints found of one model so far."""

    fails: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def answer(entries: Iterable[Entry], question: Question) -> Answer:
    """Judge every entry. A model that fails one constraint fails, whatever is not known of it. Raises QuestionError."""
    wanted = list(entries)
    versions = {bound.benchmark: _version(wanted, bound.benchmark, question.preferred) for bound in question.scores}
    judged = [_judge(entry, question, versions) for entry in wanted]
    dearest = Decimal("Infinity")

    def order(verdict: Verdict) -> tuple[Decimal, str]:
        price = verdict.price
        return (dearest if price is None else price.mixed(question.input_per_output)), verdict.entry.model_id

    return Answer(
        tuple(sorted((v for v in judged if not v.fails and not v.unknown), key=order)),
        tuple(sorted((v for v in judged if not v.fails and v.unknown), key=order)),
        tuple(sorted((v for v in judged if v.fails), key=order)),
    )


def _judge(entry: Entry, question: Question, versions: dict[str, str]) -> Verdict:
    found = _Judged()
    if question.family is not None and question.family not in (entry.family, entry.model_id):
        found.fails.append(f"family {entry.family or 'not known'}")
    fitted = None
    if entry.facts is not None:
        _hold_facts(entry.facts, found, question)
        fitted = _hold_room(entry.facts, found, question)
    elif question.asks_for_facts:
        found.unknown.append("model_facts.yaml states nothing of it")
    scored = tuple(_hold_scores(entry, found, question.scores, versions))
    price = entry.cheapest(question.input_per_output)
    if question.is_priced and price is None:
        found.unknown.append("price: no seller's is known")
    return Verdict(entry, price, tuple(found.fails), tuple(found.unknown), tuple(found.remarks), fitted, scored)


def _hold_facts(facts: ModelFacts, found: _Judged, question: Question) -> None:
    if not facts.is_released:
        found.fails.append("no such model was released")
    if question.is_open:
        _hold(found, "openness", facts.openness, lambda value: value != "closed", str)
    if question.is_permissive:
        _hold(found, "licence", facts.licence, lambda value: value.is_permissive, _restriction)
    if question.context_tokens is not None:
        _hold_context(facts, found, question.context_tokens)
    for modality in question.inputs:
        _hold(found, "input_modalities", facts.input_modalities, _reads(modality), _what_it_reads)
    if question.tools:
        _hold(found, "tools", facts.tools, bool, lambda _: "calls no tools")


def _hold(
    found: _Judged, name: str, fact: Fact[T] | None, holds: Callable[[T], bool], shown: Callable[[T], str]
) -> None:
    """One fact against a condition: it fails, is not known, or holds with what speaks against it."""
    if fact is None:
        found.unknown.append(f"{name}: model_facts.yaml states none")
        return
    if not holds(fact.value):
        found.fails.append(shown(fact.value) + ("" if fact.is_verified else " (unverified)"))
        return
    if not fact.is_verified:
        found.remarks.append(f"{name} is unverified")
    against = [other.source.title for other in fact.others if not holds(other.value)]
    if against:
        found.remarks.append(f"{name}: {', '.join(dict.fromkeys(against))} states otherwise")


def _restriction(licence: Licence) -> str:
    return f"{licence.licence} restricts {', '.join(licence.restricts)}"


def _reads(modality: Modality) -> Callable[[tuple[Modality, ...]], bool]:
    return lambda value: modality in value


def _what_it_reads(value: tuple[Modality, ...]) -> str:
    return f"reads {', '.join(value)}"


def _hold_context(facts: ModelFacts, found: _Judged, wanted: int) -> None:
    native, extended = facts.context_tokens, facts.extended_context_tokens
    if native is not None and native.value < wanted and extended is not None and extended.value >= wanted:
        found.unknown.append(
            f"context: {native.value:,} tokens, {extended.value:,} with an extension (YaRN): try it on your own prompts"
        )
        return
    _hold(found, "context_tokens", native, lambda value: value >= wanted, lambda value: f"context {value:,}")


def _hold_room(facts: ModelFacts, found: _Judged, question: Question) -> Fit | None:
    if question.room is None:
        return None
    if facts.openness is not None and facts.openness.value == "closed":
        found.fails.append("its weights are closed")
        return None
    tokens = question.context_tokens or 8192
    judged = fit(facts, question.room, bits=question.bits, tokens=tokens)
    if isinstance(judged, str):
        found.unknown.append(f"memory: {judged}")
        return None
    if not judged.fits:
        need = (judged.weight_bytes + judged.cache_bytes) * question.room.gpus / GB
        found.fails.append(f"takes {need:.1f} GB of {question.room.usable_bytes * question.room.gpus / GB:.1f} usable")
    found.remarks += [
        f"{name} is unverified"
        for name in ("total_params_b", "layers")
        if (fact := facts.fact(name)) is not None and not fact.is_verified
    ]
    return judged


def _hold_scores(
    entry: Entry, found: _Judged, bounds: Sequence[ScoreAtLeast], versions: dict[str, str]
) -> Iterable[Scored]:
    for bound in bounds:
        version = versions[bound.benchmark]
        scored = entry.by_benchmark.get(version)
        if scored is None:
            found.unknown.append(f"score: no board has it on {version}")
            continue
        yield scored
        is_better = scored.score <= bound.bound if scored.lower_is_better else scored.score >= bound.bound
        within = (
            scored.ci_low is not None and scored.ci_high is not None and scored.ci_low <= bound.bound <= scored.ci_high
        )
        if not is_better:
            found.fails.append(f"{version} {scored.score:g}" + (" (within its interval)" if within else ""))
        elif within:
            found.remarks.append(
                f"{version}: {bound.bound:g} is within its interval of {scored.ci_low:.1f} to {scored.ci_high:.1f}"
            )


def _version(entries: list[Entry], benchmark: str, preferred: Sequence[str]) -> str:
    """The version that a benchmark's name stands for: itself, a preferred one, else the one that scores most models."""
    counts: dict[str, int] = {}
    for entry in entries:
        for name in entry.by_benchmark:
            counts[name] = counts.get(name, 0) + 1
    if benchmark in counts:
        return benchmark
    fitting = {name: count for name, count in counts.items() if name.partition("@")[0] == benchmark}
    if not fitting:
        known = ", ".join(sorted(counts)) or "none: no leaderboard is loaded"
        raise QuestionError(f"no model here has a score on {benchmark!r}; known are {known}")
    wished = [name for name in preferred if name in fitting]
    return wished[0] if wished else max(sorted(fitting), key=fitting.__getitem__)
