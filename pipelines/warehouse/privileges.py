"""What the two roles of the embedded server may do, beyond the tables: that analysts can neither write anywhere nor get in the way of a run.

Applied as the superuser, who can't log in: when the cluster is made, and before a start where an earlier version made it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

OWNER_ROLE = "modelmeter"
READER_ROLE = "modelmeter_reader"
DATABASE = "modelmeter"

_READER_CONNECTIONS = 60
RESERVED_CONNECTIONS = 10
"""Of the server's hundred, the reader gets at most sixty, and the last ten are for the owner alone."""

_ROLES = f"""
create role {OWNER_ROLE} login createdb;
create role {READER_ROLE} login;
grant {READER_ROLE} to {OWNER_ROLE};
"""

_SERVER = f"""
alter role {READER_ROLE} set default_transaction_read_only = on;
alter role {READER_ROLE} connection limit {_READER_CONNECTIONS};
grant pg_use_reserved_connections to {OWNER_ROLE};
"""

# What any role may do in a database without a privilege on a table: write large objects, and hold the locks that runs wait for.
_IN_EACH_DATABASE = f"""
revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;
revoke execute on function lo_put(oid, bigint, bytea), lo_unlink(oid), lo_truncate(integer, integer) from public;
revoke execute on function lo_truncate64(integer, bigint), lowrite(integer, bytea), lo_open(oid, integer) from public;
do $$ declare f regprocedure; begin for f in select oid::regprocedure from pg_proc where proname ~ '^pg_(try_)?advisory_(xact_)?lock' loop execute format('revoke execute on function %s from public', f); execute format('grant execute on function %s to {OWNER_ROLE}', f); end loop; end $$;
"""

_DATABASE = f"""
create database {DATABASE} owner {OWNER_ROLE};
revoke all on database {DATABASE} from public;
grant connect on database {DATABASE} to {READER_ROLE};
"""

_MARK = "modelmeter.privileges"
"""File in the data folder: the digest of the statements that were applied."""

SingleUser = Callable[[str, str], str]
"""Runs statements, one a line, as the superuser in a database, and gives what they print. Raises WarehouseError."""

_NAMES = "select datname from pg_database where datallowconn and datname <> 'template1';\n"


def _digest() -> str:
    return hashlib.sha256((_SERVER + _IN_EACH_DATABASE).encode()).hexdigest()


def set_up(data: Path, run: SingleUser) -> None:
    """Make roles and the warehouse's database in a cluster that was just made. Raises WarehouseError."""
    # New databases are copies of template1.
    run("template1", _ROLES + _SERVER + _IN_EACH_DATABASE + _DATABASE)
    (data / _MARK).write_text(_digest())


def bring_up_to_date(data: Path, run: SingleUser) -> None:
    """Give a cluster that an earlier version made the privileges of this one. The server must not run. Raises WarehouseError."""
    mark = data / _MARK
    if mark.exists() and mark.read_text() == _digest():
        return
    names = re.findall(r'datname = "([^"]*)"', run("template1", _SERVER + _IN_EACH_DATABASE + _NAMES))
    for name in names:
        run(name, _IN_EACH_DATABASE)
    mark.write_text(_digest())
