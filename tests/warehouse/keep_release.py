"""`python -m tests.warehouse.keep_release`: the dump of this version that later ones must migrate forward, `released/<revision>.sql`.

A day of the sample is run in a home of its own. Of each table three rows are kept; of those that others refer to, all.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pipelines.sample import generate_sample
from pipelines.settings import Settings
from pipelines.warehouse import backup
from pipelines.warehouse.cluster import installed_programs
from pipelines.warehouse.migrate import revisions
from pipelines.warehouse.open import open_database

ROOT = Path(__file__).resolve().parents[2]
RELEASED = Path(__file__).parent / "released"
_DAY, _REQUESTS, _KEPT = date(2026, 2, 28), 2000, 3


def shortened(script: str) -> Iterator[str]:
    """The lines of a plain dump, with three rows of each table that no other refers to; comments are left out."""
    referred = set(re.findall(r"REFERENCES (\S+?)\(", script))
    table, rows = None, 0
    for line in script.splitlines():
        if line.startswith("COPY "):
            table, rows = line.split()[1], 0
        elif line == "\\.":
            table = None
        elif table is not None:
            rows += 1
            if rows > _KEPT and table not in referred:
                continue
        elif not line or line.startswith("--"):
            continue
        yield line


def _script(dump: Path) -> str:
    command = [installed_programs() / "pg_restore", "--no-owner", "--no-acl", "--no-comments", "--file=-", dump]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    """Run the day, and write the dump."""
    with tempfile.TemporaryDirectory(prefix="modelmeter-release-") as folder:
        place = Path(folder)
        place.chmod(0o711)
        generate_sample(place / "landing", first=_DAY, days=1, requests_per_day=_REQUESTS)
        own = {
            "MODELMETER_HOME": str(place / "home"),
            "MODELMETER_LANDING": str(place / "landing"),
            "MODELMETER_CONFIG": str(ROOT / "pipelines" / "sample" / "config"),
            "MODELMETER_REPORTS": str(place / "reports"),
            "MODELMETER_OFFLINE": "1",
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("MODELMETER_")}
        command = str(Path(sys.executable).with_name("modelmeter"))
        try:
            subprocess.run([command, "daily", "--date", str(_DAY)], env=others | own, check=True)
            with open_database(Settings(home=place / "home")) as database:
                backup.dump(database, place / "warehouse.dump")
        finally:
            subprocess.run([command, "db", "remove", "--yes"], env=others | own, check=True)
        script = _script(place / "warehouse.dump").replace(f"{place}/", "")
    target = RELEASED / f"{revisions()[-1]}.sql"
    target.write_text("\n".join(shortened(script)) + "\n")
    sys.stdout.write(f"{target}: {target.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
