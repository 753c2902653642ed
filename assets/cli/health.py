"""The findings of `modelmeter doctor`, one function per subject.

Each finding is a sentence for the person who runs the command; `doctor.py` prints them.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.config import ConfigError, load_config
from pipelines.landing import KINDS, LandingError, open_zone
from pipelines.preflight import (
    absent_fields,
    undeclared_folders,
    unknown_names,
    unknown_variables,
    unusable_declarations,
)
from pipelines.settings import Settings
from pipelines.warehouse import WarehouseError


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    text: str
    warns: bool = False
    """Worth a look, although runs work."""


def findings() -> list[Finding]:
    """Everything that a run needs, each looked at on its own."""
    settings = Settings()
    subjects: list[Callable[[Settings], Iterator[Finding]]] = [
        _settings,
        _variables,
        _configuration,
        _unmatched,
        _landing,
        _warehouse,
        _orphans,
        _manifest,
    ]
    return [finding for look in subjects for finding in look(settings)]


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding("home", True, str(settings.home))
    yield Finding("network", True, "not used (offline)" if settings.is_offline else "feeds are fetched")


def _variables(_: Settings) -> Iterator[Finding]:
    for line in unknown_variables(os.environ):
        yield Finding("variable", False, line)


def _configuration(settings: Settings) -> Iterator[Finding]:
    try:
        config = load_config(settings.config, use_sample=settings.uses_sample)
    except ConfigError as error:
        for line in str(error).splitlines():
            yield Finding("configuration", False, line)
        return
    sources = config.sources
    wrong = unusable_declarations(sources, settings.config, use_sample=settings.uses_sample)
    wrong += unknown_names(config, settings.config)
    for line in wrong:
        yield Finding("configuration", False, line)
    if wrong:
        return
    where = settings.config or ("configuration of the sample" if settings.uses_sample else "packaged defaults")
    counts = f"{len(sources.requests)} request sources, {len(sources.prices)} price feeds, {len(sources.leaderboards)} leaderboards"
    yield Finding("configuration", True, f"{where}: {counts}")


def _unmatched(settings: Settings) -> Iterator[Finding]:
    """Folders and fields that declarations and files do not have in common."""
    if settings.uses_sample:
        return
    try:
        config = load_config(settings.config)
    except ConfigError:  # said before
        return
    zone = settings.landing_zone
    for line in (*undeclared_folders(config, zone), *absent_fields(config.sources, zone, settings.config)):
        yield Finding("declarations", True, line, warns=True)


def _landing(settings: Settings) -> Iterator[Finding]:
    zone = settings.landing_zone
    if settings.uses_sample:
        yield Finding(
            "landing zone", True, f"{zone} (the bundled synthetic sample; set MODELMETER_LANDING for your own)"
        )
        return
    if settings.landing_url is not None:
        yield _bucket(settings)
        return
    missing = [kind for kind in KINDS if kind != "selfhost" and not (zone / kind).is_dir()]
    if not zone.is_dir():
        yield Finding("landing zone", False, f"{zone} is not a folder (MODELMETER_LANDING)")
    elif missing:
        yield Finding("landing zone", "requests" not in missing, f"{zone} has no folder {', '.join(missing)}")
    else:
        yield Finding("landing zone", True, str(zone))


def _bucket(settings: Settings) -> Finding:
    """What the bucket holds."""
    try:
        bucket = open_zone(settings).bucket
        counts = [f"{len(bucket.listing(kind))} objects of {kind}" for kind in KINDS] if bucket else []
    except LandingError as error:
        return Finding("landing zone", False, str(error))
    return Finding("landing zone", True, f"{bucket}: {', '.join(counts)}; copied into {settings.landing_zone}")


def _warehouse(settings: Settings) -> Iterator[Finding]:
    from assets.status import sizes_of
    from pipelines.warehouse.open import open_database

    try:
        with open_database(settings) as database, database.connect(read_only=True) as connection:
            row = connection.execute("select current_setting('server_version')").fetchone()
            sizes = sizes_of(settings, database)
    except WarehouseError as error:
        yield Finding("warehouse", False, str(error))
        return
    kind = "embedded" if settings.database_url is None else "external"
    yield Finding("warehouse", True, f"{kind} Postgres {row[0] if row else '?'}, migrated")
    yield Finding("sizes", True, ", ".join(f"{name} {size / 2**20:,.1f} MB" for name, size in sizes.items()))


def _orphans(_: Settings) -> Iterator[Finding]:
    from pipelines.retention.removed import size_of
    from pipelines.warehouse.orphans import orphans

    for orphan in orphans():
        text = (
            f"{orphan.folder} ({size_of(orphan.folder) / 2**20:,.0f} MB) is the database of an earlier {orphan.home}. If that was not moved, "
            f"delete it with `MODELMETER_HOME={shlex.quote(str(orphan.home))} modelmeter db remove --leftovers`"
        )
        yield Finding("leftover", True, text, warns=True)


def _manifest(_: Settings) -> Iterator[Finding]:
    from assets.dbt_resource import PROJECT_DIR

    present = (PROJECT_DIR / "target" / "manifest.json").is_file()
    yield Finding("dbt manifest", present, "built" if present else "missing: run `make setup`")
