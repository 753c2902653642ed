"""Measurements: the project's request job against other tools and against what the machine can do at best.

`python -m perf` runs it all and writes `results.md` and `results.json`. Nothing here is imported by the product, and
nothing here is a test: results of timing never fail a build.
"""

from __future__ import annotations

import os
import sys

# A run that may not keep what Python compiles makes it again, every time: that is not what is measured here.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# As the command sets it: threads of linear algebra only wait for each other here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
