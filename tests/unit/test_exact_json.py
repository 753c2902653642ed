"""Decimals in JSON keep their digits, and everything else is as json writes it."""

from __future__ import annotations

import json
from decimal import Decimal

from pipelines.exact_json import exact_json


def test_a_decimal_is_a_number_with_all_its_digits() -> None:
    digits = "12345678901234567890.123456789012345678"
    found = exact_json({"Elements": [{"amount": Decimal(digits), "small": Decimal("1E-18"), "large": Decimal("1E+3")}]})
    assert found == f'{{"Elements": [{{"amount": {digits}, "small": 0.000000000000000001, "large": 1000}}]}}'
    assert json.loads(found, parse_float=Decimal)["Elements"][0]["amount"] == Decimal(digits)


def test_what_is_no_decimal_is_as_json_writes_it() -> None:
    value = {"é": ["ü", 'say "so"', None, True, 1, 0.5, {}, []]}
    assert exact_json(value) == json.dumps(value, ensure_ascii=False)
