"""Files whose records of a loaded day were all dropped: raw.loaded_file names them too, so that a day is known to be loaded with them.

Whether one of them came late was guessed from the duplicates of the days around. A late line of a file with a duplicate of its own failed the check
of the books.
"""

from __future__ import annotations

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        insert into raw.loaded_file (event_date, snapshot_id, requests)
        select distinct day, snapshot_id, 0
        from raw.snapshot, unnest(event_dates) as day
        where
            kind = 'requests'
            and day in (select event_date from raw.loaded_file)
            and exists (
                select from raw.duplicate as dropped
                where dropped.snapshot_id = snapshot.snapshot_id and dropped.event_date between day - 1 and day + 1
            )
        on conflict do nothing
        """
    )
