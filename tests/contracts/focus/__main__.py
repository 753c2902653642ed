"""FOCUS's rules on a small month of every kind of charge and commitment: how many apply, pass and do not apply, per version, and why.

    python -m tests.contracts.focus MODEL

MODEL is FOCUS's own model of version 1.2, `focus_validator/rules/model-1.2.0.1.json` of the package focus-validator. Models of 1.3 and 1.4 are not
published in it: their files are held to the rules of 1.2 on the columns that they share, to the columns of `versions.py`, and to what the
pages of the newer columns ask for (`newer.py`).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.books.focus.versions import VERSIONS
from pipelines.settings import Settings
from pipelines.warehouse.open import open_database
from tests.contracts.focus.committed import COMMITTED, MAY_BE, SHARED, load_committed_day
from tests.contracts.focus.newer import judged_newer
from tests.contracts.focus.rules import COMPOSITE, Outcome, judged
from tests.contracts.focus.test_cost_and_usage import SUPPORTED, exported


def outcomes_of(
    rules: Mapping[str, Any], outcomes: Mapping[str, Outcome]
) -> tuple[Counter[str], Counter[str], list[str]]:
    """Results of the rules that are not made of others, the reasons of those that do not apply, and the names of those that fail."""
    single = [name for name, rule in rules["ModelRules"].items() if rule["Function"] != COMPOSITE]
    results = Counter(outcomes[name].result for name in single)
    reasons = Counter(outcomes[name].reason for name in single if outcomes[name].result == "not applicable")
    return results, reasons, [name for name in single if outcomes[name].result == "failed"]


def main(model: Path) -> None:
    """Print the tables of docs/books.md."""
    rules = json.loads(model.read_text(encoding="utf-8"))
    with TemporaryDirectory() as home, open_database(Settings(home=Path(home))) as database:
        with database.connect() as connection, connection.transaction():
            load_committed_day(connection)
        files = {version: exported(database, Path(home), version) for version in VERSIONS}
        shared = {v: judged_newer(exported(database, Path(home), v, SHARED), v) for v in VERSIONS[1:]}
    found = {
        version: outcomes_of(rules, judged(rules, file, SUPPORTED | MAY_BE, COMMITTED))
        for version, file in files.items()
    }
    print(
        "| version | columns held | rules of 1.2 that apply | pass | fail | do not apply |\n|---|---|---|---|---|---|"
    )
    for version, (results, _, failed) in found.items():
        applies = results["passed"] + results["failed"]
        names = ", ".join(failed) or "none"
        print(
            f"| {version} | {files[version].texts.width} | {applies} | {results['passed']} | {names} | {results['not applicable']} |"
        )
    print("\n| version | requirements of the columns since 1.3 | pass | fail | do not apply |\n|---|---|---|---|---|")
    for version, newer in shared.items():
        results = Counter(outcome.result for outcome in newer.values())
        failed = ", ".join(" ".join(rule) for rule, outcome in newer.items() if outcome.result == "failed") or "none"
        print(f"| {version} | {len(newer)} | {results['passed']} | {failed} | {results['not applicable']} |")
    print(f"\n| rules that do not apply | {' | '.join(VERSIONS)} |\n|---|{'---|' * len(VERSIONS)}")
    reasons = sorted(
        {reason for _, counts, _ in found.values() for reason in counts},
        key=lambda reason: (-found["1.2"][1][reason], reason),
    )
    for reason in reasons:
        print(f"| {reason} | {' | '.join(str(counts[reason]) for _, counts, _ in found.values())} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
