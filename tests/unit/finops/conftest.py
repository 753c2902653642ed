"""The small books in a fresh database, and the page that the report makes of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.finops.report import ReportContext, Span, build_report
from pipelines.warehouse.database import Database
from tests.unit.finops import books

DAY = Span.of_day(books.DAY)
SCREENSHOTS = Path(__file__).resolve().parents[3] / "docs" / "screenshots" / "screenshots.py"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium for all tests of pages, each of which opens its own."""
    spec = importlib.util.spec_from_file_location("screenshots", SCREENSHOTS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.find_chromium() is None:
        pytest.skip("no Chromium or Chrome on PATH")
    with module.Browser() as browser:
        yield browser


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with database.connect() as connection:
        yield connection


@pytest.fixture
def page(connection: psycopg.Connection[Any], tmp_path: Path) -> Callable[..., HTMLParser]:
    """`page(**context)`: the report of books.DAY, or of the days `span`, parsed."""

    def build(span: Span = DAY, **context: Any) -> HTMLParser:
        path = build_report(connection, span, tmp_path / "reports", context=ReportContext(**context))
        return HTMLParser(path.read_text(encoding="utf-8"))

    return build
