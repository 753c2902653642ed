"""What the dbt process sets before it imports dbt still has its effect in the library."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
from mashumaro.core.meta.code.builder import CodeBuilder
from assets.dbt_process import make_code_when_used

if {is_lazy}:
    make_code_when_used()
made = []
fields = CodeBuilder.get_field_types  # asked for once for each method whose code is made
CodeBuilder.get_field_types = lambda self, **options: (made.append(self.cls), fields(self, **options))[1]
from dataclasses import dataclass
from mashumaro import DataClassDictMixin

@dataclass
class Model(DataClassDictMixin):
    name: str

before = len(made)
assert Model.from_dict({{"name": "a"}}).to_dict() == {{"name": "a"}}
print(before, len(made))
"""


def _made(*, is_lazy: bool) -> tuple[int, int]:
    """How often code was made for a class when it was defined, and after its first use."""
    program = [sys.executable, "-c", _PROGRAM.format(is_lazy=is_lazy)]
    before, after = subprocess.run(program, check=True, capture_output=True, text=True).stdout.split()
    return int(before), int(after)


def test_code_of_a_class_is_made_when_it_is_used() -> None:
    assert _made(is_lazy=False)[0] > 0, "without the option, defining a class makes its code"
    before, after = _made(is_lazy=True)
    assert before == 0
    assert after > 0
