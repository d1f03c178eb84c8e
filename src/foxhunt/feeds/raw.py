"""What the readers of a format hand on: records as spelled, and what was learnt on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

# The feed's id, if it stands outside the record, and the record: a dict if it is one at all.
RawRecord: TypeAlias = tuple[str | None, object]
RawRecords: TypeAlias = Iterator[RawRecord]


@dataclass(frozen=True, slots=True)
class Broken:
    """Text that stands where a record should, and why it is none."""

    text: str
    why: str


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
