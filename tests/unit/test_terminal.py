"""What commands print: texts out of data can't steer the terminal, and every command prints through one place."""

from __future__ import annotations

import ast
import io
import json
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from assets.cli import terminal as module
from assets.cli.terminal import can_write_anything, json_text, printable, say, terminal

FOLDER = Path(module.__file__).parent
ATTACKS = [
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\x9b31m",
    "a\rb",
    "\u202egnp.exe",
    "\x08\x08",
    "[red]x[/red]",
    "[/nothing]",
    "[link=file:///]",
]
STEERING = set("\x1b\x9b\r\u202e\x07\x08")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_name_is_shown_and_does_nothing(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title=attack)
    table.add_column(attack)
    table.add_row(attack)
    table.add_row(Text(attack))
    console = terminal(width=200)
    for item in (attack, f"cost of {attack}", Text.assemble((attack, "bold")), table):
        console.print(item)
    terminal(stderr=True, width=200).print(attack, style="red")
    say(attack)
    say(attack, err=True)
    out, err = capsys.readouterr()
    assert not STEERING & set(out + err)
    if attack.isprintable():
        assert out.count(attack) >= 6, "markup is text"
    else:
        assert "\\" in out


@pytest.mark.parametrize("attack", ATTACKS)
def test_json_stays_json_with_the_same_value(attack: str) -> None:
    text = json_text({attack: [attack, "Grüße 東京"]})
    assert json.loads(text) == {attack: [attack, "Grüße 東京"]}
    assert not STEERING & set(text)
    assert "Grüße 東京" in text


def test_what_is_harmless_stays_as_it_is() -> None:
    assert printable("Grüße\t東京\n👩‍💻 e\u0301") == "Grüße\t東京\n👩‍💻 e\u0301"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_every_command_prints_through_the_terminal(path: Path) -> None:
    """Except the terminal itself, no command calls typer.echo, print or Console, or writes to a standard stream."""
    if path.name == "terminal.py":
        return
    raw = {"typer.echo", "print", "Console", "sys.stdout.write", "sys.stderr.write", "rich.print", "click.echo"}
    called = [
        (ast.unparse(node.func), node.lineno)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert [call for call in called if call[0] in raw] == []


@pytest.mark.parametrize(
    ("is_terminal", "written"), [(False, "modèle 模型".encode()), (True, b"mod\xe8le \\u6a21\\u578b")]
)
def test_a_locale_that_knows_few_letters_stops_no_command(
    is_terminal: bool, written: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    monkeypatch.setattr(raw, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stdout", stream)
    can_write_anything()
    sys.stdout.write("modèle 模型")
    stream.flush()
    assert raw.getvalue() == written
