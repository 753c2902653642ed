"""Schema of `attribution.yaml`: who pays for a request if the log itself does not say.

Which field of a log holds team or project is declared per source in `sources.yaml`; `pipelines.requests.attribution`
then applies the rules here to the canonical columns.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, accepted_are, did_you_mean, refuse_unknown

Target = Literal["team", "project", "cost_centre", "environment", "application", "end_user_id"]
TARGETS: tuple[Target, ...] = get_args(Target)

FIELDS = (*TARGETS, "source", "provider_id", "request_model", "response_model", "session_id", "operation", "region")
"""The fields that a rule may match, besides `tags.<name>`."""
_TAG = "tags."


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
        if self.field not in FIELDS and not self.field.startswith(_TAG):
            accepted = accepted_are(self.field, (*FIELDS, f"{_TAG}<name>"))
            raise KeyMistake(("field",), f"found {self.field!r}, {accepted}")
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
        refuse_unknown(self.when, FIELDS, within=("when",), beginning=_TAG)
        if bool(self.set) == (self.lookup is not None):
            raise ValueError("a rule has either `set` or `lookup`")
        return self


class Attribution(Declaration):
    """The whole of `attribution.yaml`: rules in order, the first that fills a field wins."""

    rules: tuple[Rule, ...] = ()

    def with_files(self, folder: Path | None) -> Attribution:
        """The same rules with every lookup file read into its values. Raises KeyMistake."""
        return Attribution(rules=tuple(_read_lookup(number, rule, folder) for number, rule in enumerate(self.rules)))


def _read_lookup(number: int, rule: Rule, folder: Path | None) -> Rule:
    lookup = rule.lookup
    if lookup is None or lookup.file is None:
        return rule
    place = ("rules", number, "lookup")
    path = Path(lookup.file) if folder is None else folder / lookup.file
    if not path.is_file():
        tables = () if folder is None else (file.name for file in folder.glob("*.csv"))
        raise KeyMistake((*place, "file"), f"{path} does not exist{did_you_mean(lookup.file, tables)}")
    values = dict(lookup.values)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or ()
            named = {("key",): str(lookup.key)} | {("columns", target): name for target, name in lookup.columns.items()}
            for key, column in named.items():
                if column not in columns:
                    raise KeyMistake(
                        (*place, *key), f"{path} has no column {column!r}; {accepted_are(column, columns)}"
                    )
            for line, row in enumerate(rows, start=2):
                value = row[str(lookup.key)]
                found = {target: row[column] for target, column in lookup.columns.items() if row[column]}
                if values.setdefault(value, found) != found:
                    problem = f"{path}, line {line}: key {value!r} is given twice with different values"
                    raise KeyMistake((*place, "file"), problem)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KeyMistake((*place, "file"), f"{path} can't be read as a table: it is no CSV in UTF-8") from error
    return rule.model_copy(update={"lookup": lookup.model_copy(update={"file": None, "values": values})})
