"""How many records a file has, counted where its bytes come in, so that a reader that loses some can't hide it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """The records of a file as its bytes count them, whatever becomes of them in the reading.

    `of_bytes` are the lines that hold more than white space (of a Parquet file the rows that its index names), counted
    where the bytes come out of the file. Readers correct it, each where it happens: `corrections` are negative for lines that
    belong to the record of another line (a document over several lines, a quoted line break, a header) and positive for
    records that share a line, and for what is set aside beyond any line (an archive that breaks off).
    """

    of_bytes: int = 0
    corrections: list[int] = field(default_factory=list)

    @property
    def records(self) -> int:
        """What valid and quarantined records must add up to."""
        return self.of_bytes + sum(self.corrections)

    def correct(self, by: int) -> None:
        """Add `by` records; may be called by several threads."""
        if by:
            self.corrections.append(by)
