"""`modelmeter prices try`: the worked example of docs/layouts.md, and what is shown of a file that does not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assets.cli import app

DOCS = Path(__file__).resolve().parents[3] / "docs" / "layouts.md"


def block(language: str) -> str:
    """The first block of code of a language in docs/layouts.md."""
    match = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert match
    return match[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example's files, and a home in which nothing may be started."""
    (tmp_path / "acme.html").write_text(block("html"), encoding="utf-8")
    (tmp_path / "acme.yaml").write_text(block("yaml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELMETER_HOME", str(tmp_path / "home"))
    return tmp_path


def tried(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["prices", "try", *arguments])


def test_the_worked_example_reads_as_the_docs_say(folder: Path) -> None:
    done = tried("acme.yaml", "acme.html")
    assert (done.exit_code, done.stdout) == (0, block("text"))
    assert not (folder / "home").exists()


def test_programs_read_the_same_as_json(folder: Path) -> None:
    found = json.loads(tried("acme.yaml", "acme.html", "--json").stdout)
    assert len(found["prices"]) == 6
    assert {price.get("region") for price in found["prices"]} == {None, "eu"}
    assert found["prices"][0]["unit_price"] == "2"
    assert found["not_understood"] == []


def test_what_is_not_understood_is_shown(folder: Path) -> None:
    layout = folder / "acme.yaml"
    layout.write_text(layout.read_text().replace("      - {label: Europe, region: eu}\n", ""))
    shown = tried("acme.yaml", "acme.html").stdout
    assert "2 models, 4 prices, 0 records refused" in shown
    assert "section 'Text models', table 2 ('Europe'): the layout picks others" in shown


@pytest.mark.parametrize(
    ("layout", "page", "stated"),
    [
        ("acme.yaml", "missing.html", "missing.html: no such file"),
        ("missing.yaml", "acme.html", "missing.yaml: can't be read as YAML (FileNotFoundError)"),
        ("nobody", "acme.html", "no layout 'nobody' ships; accepted are anthropic"),
        ("litellm_map", "acme.html", "not JSON"),
        ("deepseek_en", "acme.html", "refused: acme.html"),
        ("wrong.yaml", "acme.html", "options.sections.0.alternatives: is missing"),
        ("list.yaml", "acme.html", "expected a layout, or one feed"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(folder: Path, layout: str, page: str, stated: str) -> None:
    (folder / "wrong.yaml").write_text("provider: a\ncurrency: USD\nsections: [{heading: Text}]\n")
    (folder / "list.yaml").write_text("[1, 2]\n")
    done = tried(layout, page)
    assert done.exit_code == 1
    assert stated in done.stderr


def test_a_feed_as_sources_yaml_declares_it_is_a_layout_too(folder: Path) -> None:
    layout = (folder / "acme.yaml").read_text().replace("\n", "\n      ")
    (folder / "feed.yaml").write_text(f"- feed: acme_page\n  format: page\n  options:\n      {layout}\n")
    assert tried("feed.yaml", "acme.html").stdout == block("text")
