# The commands of the README. Every target sets up what it needs, once.
PYTHON ?= $(shell for p in python3.13 python3.14 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && echo $$p && break; done)
ARGS ?=

# Python and pytest keep what they compiled; without it every process of the tests compiles for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev python daily ui test quick lint format faults docs perf interop spark advisories clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

setup: python ## virtual environment, locked packages, dbt manifest
	@$(PYTHON) deploy/bootstrap.py

setup-dev: python ## the same, with what tests and linters need
	@$(PYTHON) deploy/bootstrap.py --dev

python:
	@test -n "$(PYTHON)" || { echo "modelmeter needs Python 3.11 to 3.14; none was found on PATH. Name one: make daily PYTHON=/path/to/python3" >&2; exit 1; }

daily: setup ## run the daily job for the newest day of the landing zone
	@.venv/bin/modelmeter daily $(ARGS)

ui: setup ## Dagster's web server and daemon on loopback
	@.venv/bin/modelmeter ui $(ARGS)

test: setup-dev ## all tests, on a Postgres of their own; ARGS=tests/unit/test_dates.py runs one file
	@.venv/bin/python -m pytest $(ARGS)

quick: setup-dev ## in some three minutes: unit and contract tests without the slow ones, and one daily run
	@.venv/bin/python -m pytest --quick tests/unit tests/contracts tests/end_to_end/test_one_day.py $(ARGS)

lint: setup-dev ## formatting, lint rules and types, as the pre-commit hook and CI run them
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy

format: setup-dev ## format the code
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

docs: setup ## the documentation, the data dictionary and the lineage as a static site in site/
	@PYTHONPATH=. .venv/bin/python deploy/build_docs.py

faults: setup-dev ## attack a running installation: kill -9, full disks, clocks, networks, a crowd; some forty minutes
	@.venv/bin/python -m pytest -n 0 -p tests.conftest attacks $(ARGS)

perf: setup-dev ## measure against peers and physical limits; writes perf/results.md
	@.venv/bin/python -m perf $(ARGS)

interop: setup ## real emitters against a scripted model server, compared with its book; ARGS=sdk runs one environment
	@.venv/bin/python -m interop.run $(ARGS)

spark: setup-dev ## the engine spark on a master and two workers on loopback, in an environment of its own; needs Java 17
	@test -x .venv-spark/bin/python || .venv/bin/uv venv --quiet .venv-spark
	@.venv/bin/uv pip install --quiet --python .venv-spark/bin/python -r requirements.lock -r requirements-dev.lock -r requirements-spark.lock
	@.venv/bin/uv pip install --quiet --python .venv-spark/bin/python --no-deps --no-build-isolation -e .
	@PYTHONPATH=. .venv-spark/bin/python -m pytest -n 0 tests/spark $(ARGS)

advisories: setup ## hold the locked packages against advisories that lie on this machine: make advisories ARGS=all.zip
	@.venv/bin/python deploy/advisories.py $(ARGS)

clean: ## stop the embedded database and remove what was generated
	@test ! -x .venv/bin/modelmeter || .venv/bin/modelmeter db down --force
	@test ! -d .modelmeter/postgres || .venv/bin/modelmeter db remove --yes
	@rm -rf .venv .venv-spark .venv-interop-* .venv.lock .modelmeter reports site dbt_like/target dbt_like/logs
