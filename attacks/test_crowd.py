"""Two of everything at the same time, and three days at once."""

from __future__ import annotations

from pathlib import Path

from attacks.conftest import PATIENCE, Attacked, all_days, left_alone
from tests.assets.conftest import SmallSample


def test_three_runs_of_other_days_and_everything_else_at_once(
    attacked: Attacked, small_sample: SmallSample, tmp_path: Path
) -> None:
    """The tables are those of an installation that ran the days in one pass."""
    commands = [*(("daily", "--date", str(day)) for day in small_sample.days), ("prune",), *readers(attacked)]
    together(attacked, commands)
    with left_alone(tmp_path, small_sample) as calm:
        for installation in (attacked.installation, calm):
            installation.run("daily", *all_days(small_sample), patience=PATIENCE)
        mine, theirs = attacked.installation.tables(), calm.tables()
    assert {name for name in mine if mine[name] != theirs[name]} == set()
    assert attacked.leftovers() == []


def test_two_of_everything_at_once(attacked: Attacked) -> None:
    attacked.run()
    changing = [("daily", "--date", attacked.day), ("report", "--date", attacked.day), ("prune",), ("db", "migrate")]
    together(attacked, [*changing, *readers(attacked)] * 2)
    attacked.recovers()


def readers(attacked: Attacked) -> list[tuple[str, ...]]:
    return [
        ("status", "--json"),
        ("doctor", "--json"),
        ("db", "dump", str(attacked.installation.home / "w.dump")),
        ("db", "checksum"),
        ("sql", "select count(*) from core.request"),
    ]


def together(attacked: Attacked, commands: list[tuple[str, ...]]) -> None:
    runs = [attacked.installation.start(*command) for command in commands]
    for command, run in zip(commands, runs, strict=True):
        out, err = run.communicate(timeout=PATIENCE)
        assert run.returncode == 0 or command[0] == "status", f"{command}: {out}\n{err}"
