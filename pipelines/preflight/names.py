"""Names in one file that another file, or the code, declares: what nobody declares would leave a budget empty or a policy uncomputed.

And per cents that look like shares, which would count a hundredth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

from pipelines.claims.formulas import FORMULAS
from pipelines.config import Config, ConfigError
from pipelines.config.loader import open_file
from pipelines.config.mistakes import Key, accepted_are
from pipelines.config.model_facts import FACTS
from pipelines.meters import PRICED_METERS
from pipelines.preflight.misspelt import Found, misspelt, misspelt_names


def unknown_names(config: Config, folder: Path | None) -> list[str]:
    """A line for each name in a file of `folder` that nothing declares. Packaged files name what is packaged."""
    lines: list[str] = []
    own = {item.name for item in fields(config) if folder is not None and (folder / f"{item.name}.yaml").is_file()}
    if folder is None or not own:
        return lines
    looks = (_of_claims, _of_preferences, _of_routing, _of_machines, _of_discounts, partial(misspelt_names, files=own))
    for name, key, problem in (found for look in looks for found in look(config)):
        if name not in own:
            continue
        try:
            lines.append(open_file(f"{name}.yaml", folder).mistake(key, problem))
        except ConfigError as error:  # it went away since it was read
            lines.append(str(error))
    return lines


def _not_among(name: str, accepted: Iterable[str], where: str = "") -> str | None:
    names = list(accepted)
    if name in names:
        return None
    return f"found {name!r}{where}, {accepted_are(name, names) if names else 'none is declared'}"


def _of_claims(config: Config) -> Iterator[Found]:
    for number, claim in enumerate(config.claims.claims):
        formula = FORMULAS.get(claim.formula)
        if formula is None:
            yield "claims", ("claims", number, "formula"), _not_among(claim.formula, FORMULAS) or ""
        for name, item in claim.inputs.items():
            at: Key = ("claims", number, "inputs", name)
            if formula is not None and name not in formula.inputs:
                yield "claims", at, f"formula {formula.name} has no such input; {accepted_are(name, formula.inputs)}"
            if item.offers and (problem := _not_among(item.meter, [meter.name for meter in PRICED_METERS])):
                yield "claims", (*at, "meter"), problem
            if item.fact and item.fact not in FACTS and (meant := misspelt(item.fact, list(FACTS))):
                yield (
                    "claims",
                    (*at, "fact"),
                    f"found {item.fact!r}, which is not a fact of a model; did you mean {meant!r}?",
                )


def _of_preferences(config: Config) -> Iterator[Found]:
    for number, feed in enumerate(config.sources.prices):
        for place, preference in enumerate(feed.prefer):
            problem = _not_among(preference.meter, ["", *(meter.name for meter in PRICED_METERS)])
            if problem:
                yield "sources", ("prices", number, "prefer", place, "meter"), problem


def _of_routing(config: Config) -> Iterator[Found]:
    verifiers = [item.verifier for item in config.evidence.verifiers]
    deployments = [item.deployment for item in config.selfhost.deployments]
    for number, policy in enumerate(config.routing.policies):
        at: Key = ("policies", number)
        if policy.cascade:
            problem = _not_among(
                policy.cascade.verifier, verifiers, ", which evidence.yaml does not have under verifiers"
            )
            if problem:
                yield "routing", (*at, "cascade", "verifier"), problem
        for place, arm in enumerate(policy.arms):
            where = ", which selfhost.yaml does not have under deployments"
            if arm.deployment and (problem := _not_among(arm.deployment, deployments, where)):
                yield "routing", (*at, "arms", place, "deployment"), problem


def _of_machines(config: Config) -> Iterator[Found]:
    gpus, own = [item.gpu for item in config.hardware.gpus], config.selfhost
    named = [(("deployments", number), item.gpu) for number, item in enumerate(own.deployments)]
    named += [(("gpu_prices", number), item.gpu) for number, item in enumerate(own.gpu_prices)]
    named += [(("throughput", number), item.gpu) for number, item in enumerate(own.throughput)]
    for at, name in named:
        if config.hardware.gpu(name) is None:
            problem = _not_among(name, gpus, ", which hardware.yaml does not have under gpus")
            yield "selfhost", (*at, "gpu"), problem or ""


def _of_discounts(config: Config) -> Iterator[Found]:
    for number, item in enumerate(config.commitments.discounts):
        if item.percent < 1:
            meant = (item.percent * 100).normalize()
            yield (
                "commitments",
                ("discounts", number, "percent"),
                f"found {item.percent}, less than one per cent; did you mean {meant:f}?",
            )
