"""What the reader's role can do in a warehouse: nothing but read, and that everywhere."""

from __future__ import annotations

import psycopg
import pytest

from pipelines.warehouse.database import Database

WRITES = """
insert into core.model (model_id, display_name, openness, decided_by) values ('m', 'M', 'closed', 'reader')
update core.model set openness = 'closed'
delete from raw.snapshot
truncate core.request
merge into core.model using (select 1) on true when matched then delete
select * from core.model for update
do $$ begin lock table core.model in exclusive mode; end $$
create table mine (n integer)
create table core.mine (n integer)
create temp table mine (n integer)
create temp sequence mine
create schema mine
create function mine() returns integer language sql as 'select 1'
create function pg_temp.mine() returns integer language sql as 'select 1'
create view core.mine as select 1
create index on core.model (openness)
create extension vector
create database mine
create role mine
drop table core.model
drop schema mart cascade
alter table core.model add column n integer
alter role modelmeter password 'x'
alter system set jit = on
comment on table core.model is 'mine'
copy core.model from stdin
copy (select 1) to '/tmp/mine'
copy (select 1) to program 'true'
set role modelmeter
set session authorization modelmeter
select set_config('role', 'modelmeter', false)
select lo_creat(-1)
select lo_create(0)
select lo_from_bytea(0, 'x')
select lo_import('/etc/hostname')
select pg_read_file('postgresql.conf')
select pg_terminate_backend(pid) from pg_stat_activity where usename = 'modelmeter'
select pg_reload_conf()
select pg_advisory_lock(1)
select pg_try_advisory_lock_shared(1, 2)
select pg_advisory_xact_lock(1)
do $$ begin execute 'delete from core.model'; end $$
do $$ begin perform set_config('transaction_read_only', 'off', true); delete from core.model; end $$
"""


REFUSED = {
    "42501": "insufficient privilege",
    "25006": "read-only transaction",
    "25001": "transaction read-write mode must be set before any query",
}


@pytest.mark.parametrize("read_only", ["on", "off"])
def test_the_reader_can_not_write_even_outside_a_read_only_transaction(database: Database, read_only: str) -> None:
    catalog = """select (select count(*) from pg_class), (select count(*) from pg_proc), (select count(*) from pg_roles),
        (select count(*) from pg_namespace), (select count(*) from pg_largeobject_metadata),
        (select array_agg(relacl::text order by oid) from pg_class), (select count(*) from core.model)"""
    with database.connect() as owner:
        before = owner.execute(catalog).fetchone()
    not_refused = {}
    with database.connect() as busy, database.connect(read_only=True) as reader:
        busy.execute("select")
        reader.rollback()
        reader.autocommit = True
        for statement in WRITES.strip().splitlines():
            reader.execute(f"set default_transaction_read_only = {read_only}")
            try:
                reader.execute(statement)
                not_refused[statement] = "done"
            except psycopg.Error as error:
                if error.sqlstate not in REFUSED:
                    not_refused[statement] = str(error)
    assert not_refused == {}
    with database.connect() as owner:
        assert owner.execute(catalog).fetchone() == before


def test_a_grant_by_the_reader_changes_nothing(database: Database) -> None:
    """Postgres only warns here, so look at the outcome."""
    with database.connect(read_only=True) as reader:
        reader.execute("set transaction read write")
        reader.execute("grant select on core.model to public")
    with database.connect() as owner:
        row = owner.execute("select has_table_privilege('public', 'core.model', 'select')").fetchone()
    assert row == (False,)


def test_the_reader_reads_every_table_also_those_made_later(database: Database) -> None:
    with database.connect() as owner:
        owner.execute("create table mart.made_by_dbt as select 1 as n")
        owner.execute("create table core.other (like core.model)")
    with database.connect(read_only=True) as reader:
        tables = reader.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('raw', 'core', 'mart')"
        )
        names = {f"{schema}.{name}" for schema, name in tables.fetchall()}
        assert {"mart.made_by_dbt", "core.other", "core.request", "raw.snapshot"} <= names
        for name in names:
            reader.execute(f"select count(*) from {name}")
