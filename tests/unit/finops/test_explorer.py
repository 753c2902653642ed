"""The explorer in a real Chromium: its sums are those of exact decimals, whatever is chosen, shown or downloaded."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from pipelines.finops import format as fmt
from pipelines.finops.report.explorer import explorer_html
from pipelines.finops.report.packed import NAMES
from pipelines.finops.report.render import write_page

FIRST, LAST = date(2026, 1, 1), date(2026, 2, 28)
ATTACK = "</script><script>document.title='owned'</script>"
FORMULA = '=HYPERLINK("http://x","y")'
RATES = {
    "input_uncached": ["2.5", "0.075000000001"],
    "output_text": ["10", "0.6"],
    "request": ["0", "35000"],
    "rest": [None],
}


def drawn_charges() -> pl.DataFrame:
    """Charges of 59 days: rates with twelve decimals, large counts, costs that no rate explains, and unknown ones."""
    draw = random.Random(11)
    rows = []
    for number in range((LAST - FIRST).days + 1):
        for model in ("m1", "m2", ATTACK, FORMULA):
            for meter, rates in RATES.items():
                key = {"event_date": FIRST + timedelta(days=number), "provider_id": f"s{model[-1]}", "model_id": model,
                       "team": draw.choice(["search", "support"]), "project": "p", "cost_centre": "4711", "meter": meter}  # fmt: skip
                rate = draw.choice(rates)
                quantity = 0 if rate is None else draw.randrange(1, 10**11)
                is_unknown = rate is not None and draw.random() < 0.1
                cost = (
                    Decimal(f"{draw.randrange(-(10**29), 10**30)}e-18")
                    if rate is None
                    else quantity * Decimal(rate) / 10**6
                )
                rows.append({**key, "rate": "unknown" if is_unknown else str(int(Decimal(rate or 0).scaleb(12))), "quantity": quantity,
                             "cost_usd": None if is_unknown else cost, "is_explained": rate is not None})  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"cost_usd": pl.Decimal(38, 18), "quantity": pl.Int64})


CHARGES = drawn_charges()


@pytest.fixture(scope="module")
def explorer(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    html = explorer_html(CHARGES, FIRST, LAST, sql="select 1", is_sample=True)
    path = write_page(html, tmp_path_factory.mktemp("explorer") / "explore.html")
    chromium.open(str(path), width=390, height=844)
    wait(chromium, "document.body.dataset.shownAfterMs !== undefined")
    return chromium


def wait(browser: Any, condition: str) -> None:
    assert browser.evaluate(
        f"new Promise((done) => {{ const look = (left) => ({condition}) ? done(true) : left ? setTimeout(look, 20, left - 1) : done(false); look(400); }})"
    )


def go(browser: Any, address: str) -> None:
    browser.evaluate(f"history.replaceState(null, '', '#{address}'); readAddress(); show()")


def downloaded(browser: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.evaluate("csv()"))))


def exact(frame: pl.DataFrame) -> Fraction:
    """A sum that no context rounds to 28 digits."""
    return sum(map(Fraction, frame["cost_usd"].drop_nulls()), Fraction(0))


@pytest.mark.parametrize("rows", ["day", "month", *NAMES])
@pytest.mark.parametrize("columns", ["meter", "week"])
def test_what_is_downloaded_is_the_ledger(explorer: Any, rows: str, columns: str) -> None:
    go(explorer, f"from={FIRST}&rows={rows}&columns={columns}")
    lines = downloaded(explorer)
    assert sum((Fraction(line["cost_usd"] or 0) for line in lines), Fraction(0)) == exact(CHARGES)
    requests = CHARGES.filter(meter="request")
    assert sum(int(line["requests"]) for line in lines) == requests["quantity"].sum()
    unknown = requests.filter(pl.col("cost_usd").is_null())["quantity"].sum()
    assert sum(int(line["requests_without_cost"]) for line in lines) == unknown
    if rows in NAMES:
        for line in lines:
            part = CHARGES.filter(pl.col(rows) == line[rows].removeprefix("'"))
            if columns == "meter":
                own = part.filter(meter=line["meter"])
                assert line["cost_usd"] == "" or Fraction(line["cost_usd"]) == exact(own)


def test_days_filters_and_the_period_before(explorer: Any) -> None:
    go(explorer, "from=2026-02-15&to=2026-02-28&rows=team&columns=all&compare=1&model_id=m1&model_id=m2")
    kept = CHARGES.filter(pl.col("model_id").is_in(["m1", "m2"]))
    for line in downloaded(explorer):
        own = kept.filter(team=line["team"])
        now = own.filter(pl.col("event_date").is_between(date(2026, 2, 15), LAST))
        before = own.filter(pl.col("event_date").is_between(date(2026, 2, 1), date(2026, 2, 14)))
        assert (Fraction(line["cost_usd"]), Fraction(line["before_usd"])) == (exact(now), exact(before))
    assert "2026-02-01 to 2026-02-14" in explorer.evaluate("document.getElementById('sentence').textContent")


def test_what_is_shown_is_rounded_once(explorer: Any) -> None:
    go(explorer, f"from={FIRST}&rows=team&columns=meter")
    shown = explorer.evaluate("document.querySelector('#pivot tfoot td').textContent")
    assert shown == fmt.dollars(fmt.total(CHARGES["cost_usd"]))
    texts = explorer.evaluate(
        "[dollars(5000000000000000n), dollars(-5000000000000000n), dollars(1n), dollars(-1n), dollars(1234567890000000000000000n), "
        "dollars(null), dollars(0n), dollars(50000000000000000n, 2, true), exact(-(10n ** 17n)), exact(10n ** 21n)]"
    )
    assert texts == [
        "$0.01",
        "−$0.01",
        "<\u00a0$0.01",
        ">\u00a0−$0.01",
        "$1,234,567.89",
        "–",
        "$0.00",
        "+$0.05",
        "-0.1",
        "1000",
    ]
    ticks = explorer.evaluate("state.measure = 'cost', [0.05, 0.5, 50, 50e6].map((value) => tickText(value, value))")
    assert ticks == ["$0.05", "$0.50", "$50", "$50,000,000"], "five cents are no millions"


def test_the_address_holds_what_is_shown(explorer: Any) -> None:
    go(explorer, "")
    assert explorer.evaluate("address()") == ""
    explorer.evaluate(
        "(() => { const s = document.getElementById('rows'); s.value = 'team'; s.dispatchEvent(new Event('change')); })()"
    )
    explorer.evaluate("document.querySelector('#filter-team input').click()")
    explorer.evaluate("document.getElementById('compare').click()")
    assert explorer.evaluate("location.hash") == "#rows=team&compare=1&team=search"
    go(explorer, "rows=nonsense&from=2026-99-99&team=nobody&measure=__proto__")
    assert explorer.evaluate("address()") == ""


def test_names_are_text_and_no_formula(explorer: Any) -> None:
    go(explorer, f"from={FIRST}&rows=model_id&columns=team")
    assert explorer.evaluate("document.title") == "Explore model spend"
    assert ATTACK in explorer.evaluate("[...document.querySelectorAll('#pivot tbody th')].map(e => e.textContent)")
    assert {line["model_id"] for line in downloaded(explorer)} == {"m1", "m2", ATTACK, "'" + FORMULA}


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_it_fits_its_window_and_is_used_by_keyboard(explorer: Any, width: int) -> None:
    explorer.resize(width, 800)
    go(explorer, f"from={FIRST}&rows=day&columns=model_id")
    assert explorer.evaluate("document.documentElement.scrollWidth") == width
    assert explorer.evaluate("document.querySelectorAll('#chart rect').length") > 59
    reached = explorer.evaluate(
        "[...document.querySelectorAll('input, select, button, summary')].every(e => e.tabIndex === 0)"
    )
    assert reached
    legend = json.loads(
        explorer.evaluate("JSON.stringify([...document.querySelectorAll('#legend li')].map(e => e.textContent))")
    )
    assert ATTACK in legend


def test_an_empty_ledger_is_a_page() -> None:
    html = explorer_html(CHARGES.clear(), FIRST, LAST, sql="select 1", is_sample=False)
    assert '"series":0' in html


def test_days_without_charges_are_gaps_in_the_chart(explorer: Any) -> None:
    go(explorer, "from=2026-02-01&to=2026-02-28&rows=day&columns=model_id")
    between = "2026-02-25,2026-02-26,2026-02-27,2026-02-28"
    assert explorer.evaluate("stretch(['2026-02-25', '2026-02-28']).join()") == between
    assert explorer.evaluate("stretch([]).length") == 0
    go(explorer, "from=2026-01-10&to=2026-02-28&rows=month&columns=model_id")
    assert explorer.evaluate("stretch(['2026-01', '2026-02']).join()") == "2026-01,2026-02"
