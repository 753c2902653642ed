"""Schema of `attribution.yaml`: who pays for a request, where the log itself does not say.

Which field of a log holds team or project is declared per source in `sources.yaml`; the rules here are applied
to the canonical columns afterwards, by `pipelines.requests.attribution`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from pipelines.config.declaration import Declaration

Target = Literal["team", "project", "cost_centre", "environment", "application", "end_user_id"]
TARGETS: tuple[Target, ...] = get_args(Target)

FIELDS = (*TARGETS, "source", "provider_id", "request_model", "response_model", "session_id", "operation", "region")
"""What a rule may look at, besides `tags.<name>`."""


class Lookup(Declaration):
    """A table from the value of one field to attribution: a CSV file next to attribution.yaml, or values in place.

    `key` names the file's key column, `columns` maps team, project ... to columns of the file.
    """

    field: str
    file: str | None = None
    key: str | None = None
    columns: dict[Target, str] = Field(default_factory=dict)
    values: dict[str, dict[Target, str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Lookup:
        _check_field(self.field)
        if self.file is None and not self.values:
            raise ValueError("a lookup needs `file` (with `key` and `columns`) or `values`")
        if self.file is not None and not (self.key and self.columns):
            raise ValueError(
                "a lookup with `file` needs `key` (its key column) and `columns` (for example {team: Team})"
            )
        return self


class Rule(Declaration):
    """One rule: requests that match every pattern of `when` (`*` stands for any text) take `set` or the `lookup`.

    A rule fills what is still empty; with `override` it also replaces the value of the log.
    """

    when: dict[str, str] = Field(default_factory=dict)
    set: dict[Target, str] = Field(default_factory=dict)
    lookup: Lookup | None = None
    override: bool = False

    @model_validator(mode="after")
    def _check(self) -> Rule:
        for field in self.when:
            _check_field(field)
        if bool(self.set) == (self.lookup is not None):
            raise ValueError("a rule has either `set` or `lookup`")
        return self


class Attribution(Declaration):
    """The whole of `attribution.yaml`: rules in order, the first that fills a field wins."""

    rules: tuple[Rule, ...] = ()

    def with_files(self, folder: Path | None) -> Attribution:
        """The same rules with every lookup file read into its values. Raises ValueError naming file and column."""
        return Attribution(rules=tuple(_read_lookup(rule, folder) for rule in self.rules))


def _check_field(field: str) -> None:
    if field not in FIELDS and not field.startswith("tags."):
        raise ValueError(f"{field} is no field of a request; accepted are {', '.join(FIELDS)} and tags.<name>")


def _read_lookup(rule: Rule, folder: Path | None) -> Rule:
    lookup = rule.lookup
    if lookup is None or lookup.file is None:
        return rule
    path = Path(lookup.file) if folder is None else folder / lookup.file
    if not path.is_file():
        raise ValueError(f"lookup.file: {path} does not exist")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        missing = sorted({str(lookup.key), *lookup.columns.values()} - set(rows.fieldnames or ()))
        if missing:
            raise ValueError(
                f"lookup.file: {path} has no column {missing[0]!r}; found are {', '.join(rows.fieldnames or ())}"
            )
        values = dict(lookup.values)
        for number, row in enumerate(rows, start=2):
            key = row[str(lookup.key)]
            found = {target: row[column] for target, column in lookup.columns.items() if row[column]}
            if values.setdefault(key, found) != found:
                raise ValueError(
                    f"lookup.file: {path}, line {number}: key {key!r} is given twice with different values"
                )
    return rule.model_copy(update={"lookup": lookup.model_copy(update={"file": None, "values": values})})
