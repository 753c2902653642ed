"""The daily job on a company's own Postgres, as users whom its administrator gave as little as can be given."""

from __future__ import annotations

from urllib.parse import quote

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation, differences
from tests.warehouse.external import PASSWORD, address, execute

__all__ = ["address"]

SCHEMAS = ("raw", "core", "mart", "staging", "dagster")


def test_a_user_who_owns_two_databases_and_may_make_none(
    address: str, installation: Installation, undisturbed: Finished, small_sample: SmallSample
) -> None:
    """The statements are those of the README."""
    execute(
        address,
        f"create role clerk login password '{PASSWORD}'",
        "create database ledger owner clerk",
        "create database modelmeter_dagster owner clerk",
    )
    use(installation, address, "clerk", "ledger")
    installation.run("daily", "--date", str(small_sample.days[1]))
    assert differences(installation, undisturbed) == set()


def test_a_user_who_owns_schemas_of_somebody_elses_database(
    address: str, installation: Installation, undisturbed: Finished, small_sample: SmallSample
) -> None:
    """Nothing may be made in the database itself; Dagster's tables lie in a schema of it."""
    execute(address, f"create role tenant login password '{PASSWORD}'", "create database shared")
    execute(address, *(f"create schema {name} authorization tenant" for name in SCHEMAS), dbname="shared")
    use(installation, address, "tenant", "shared", MODELMETER_DAGSTER_DATABASE="shared")
    installation.run("daily", "--date", str(small_sample.days[1]))
    assert differences(installation, undisturbed) == set()
    out, _ = installation.run("sql", "--csv", "select count(*) from dagster.runs")
    assert out.split() == ["count", "1"]


def use(installation: Installation, address: str, user: str, dbname: str, **more: str) -> None:
    url = f"postgresql://{user}:{quote(PASSWORD, safe='')}@{address}/{dbname}"
    installation.extra = {"MODELMETER_DATABASE_URL": url, **more}
