"""Names of environment variables in YAML. A secret is never written into a file: the file names the variable that holds it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator


def _variable(name: object) -> str:
    """Raises ValueError. It does not quote the value, which may be a key written in place of its variable."""
    if isinstance(name, str) and re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", name):
        return name
    raise ValueError("the name of an environment variable is accepted: capital letters, digits and underscores")


Variable = Annotated[str, BeforeValidator(_variable)]
