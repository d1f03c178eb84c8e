"""What the readers of a format hand on: records as spelled, and what was learnt on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import pyarrow as pa

# The feed's id, if it stands outside the record, and the record: a dict if it is one at all.
RawRecord: TypeAlias = tuple[str | None, object]
RawRecords: TypeAlias = Iterator[RawRecord]


@dataclass(frozen=True, slots=True)
class Broken:
    """Text that stands where a record should, and why it is none."""

    text: str
    why: str


@runtime_checkable
class Run(Protocol):
    """Records that follow each other and whose text is of regular form, to be read in bulk."""

    def __len__(self) -> int:
        """How many records."""
        ...

    def columns(self) -> pa.Table:
        """The records, a row each: fields as spelled, as text, numbers or truth values.

        A field that a record does not have is null. A record that columns cannot show is a
        row without a value, so that it has to be read with `record`. An id that stands outside
        the records is the column `OUTER_ID`.
        """
        ...

    def record(self, position: int) -> RawRecord:
        """One of them as the plain reader gives it."""
        ...


# No field of a record: what JSON text holds between the records cannot be called that.
OUTER_ID = "(id)"
RawParts: TypeAlias = Iterator[RawRecord | Run]


@dataclass(slots=True)
class Reading:
    """What a reader learns of a file while its records are taken; complete after the last.

    Attributes:
        name: The file as the user wrote it.
        format: In a few words, e.g. ``"CSV export"``.
        columns: Fields that the file as a whole has, beyond those of its records.
        notes: What a reader of the report should know.
    """

    name: str
    format: str = ""
    columns: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
