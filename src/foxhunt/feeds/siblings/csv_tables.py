"""Rows of CSV feeds: a header, in a comment or not, and lines that may be broken."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.csv_lines import Lines, split_line
from foxhunt.feeds.raw import Broken, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a CSV feed is laid out.

    Attributes:
        what: The feed in a few words, for messages.
        needed: Sets of columns; a header without any of the sets whole is not this feed's.
        known: Columns that foxhunt reads or leaves out knowingly.
        full: The documented columns, where published headers name only the first of them.
        separator: One character.
    """

    what: str
    needed: tuple[frozenset[str], ...]
    known: frozenset[str]
    full: tuple[str, ...] = ()
    separator: str = ","

    def fits(self, names: Collection[str]) -> bool:
        """Whether ``names`` are the columns of this feed."""
        return any(needed <= set(names) for needed in self.needed)


@dataclass(frozen=True, slots=True)
class Row:
    """One record.

    Attributes:
        line: Number of the line it ends on, from 1.
        fields: Its fields by the names of the columns, or why it is none.
    """

    line: int
    fields: dict[str, str] | Broken


def rows(stream: TextIO, reading: Reading, layout: Layout) -> Iterator[Row]:
    """Yield the records of a CSV feed in its order; a broken line takes no other with it.

    Raises:
        FeedError: No header before the first record, or a line longer than 1 MiB.
    """
    lines = Lines(stream, reading.name, layout.separator)
    header, is_comment = _header(lines, reading, layout)
    if not is_comment:
        # As in a table of ThreatFox's: a first field may begin with "#".
        lines.record_width = len(header)
    reading.columns.update(set(header) - layout.known)
    read = 0
    for row in _records(lines, header, layout):
        read += 1
        yield row
    if lines.entries is not None and lines.entries != read:
        reading.notes.append(f"the file says it has {lines.entries} entries; {read} were read")


def header_of(head: str, layout: Layout) -> frozenset[str]:
    """The columns of the header in the first lines of a file; none if it is not this feed's."""
    for line in head.splitlines():
        names = split_line(line.lstrip("# "), layout.separator)
        if not isinstance(names, Broken) and layout.fits(names):
            return frozenset(names)
        if line.strip() and not line.startswith("#"):
            break
    return frozenset()


def _header(lines: Lines, reading: Reading, layout: Layout) -> tuple[list[str], bool]:
    at = SourceSpan(reading.name)
    for line in lines.raw():
        is_comment = line.startswith("#")
        names = split_line(line.lstrip("# "), layout.separator)
        if not isinstance(names, Broken) and layout.fits(names):
            if len(set(names)) != len(names):
                raise FeedError("a column stands twice in the header", at=at)
            return names, is_comment
        if not is_comment and not line.isspace():
            break
    needed = ", ".join(sorted(layout.needed[0]))
    raise FeedError(f"not {layout.what}: no header with the columns {needed}", at=at)


def _records(lines: Lines, header: Sequence[str], layout: Layout) -> Iterator[Row]:
    for fields, swallowed in lines.rows():
        record = _named(fields, header, layout)
        if record is not None:
            yield Row(lines.number, record)
            continue
        for number, line in enumerate(swallowed, start=lines.number - len(swallowed) + 1):
            yield Row(number, _alone(line, header, layout))


def _named(fields: Sequence[str], header: Sequence[str], layout: Layout) -> dict[str, str] | None:
    """The fields by their columns; None if there are not as many as columns."""
    if len(fields) == len(header):
        return dict(zip(header, fields, strict=True))
    full = layout.full
    if len(fields) == len(full) and tuple(header) == full[: len(header)]:
        return dict(zip(full, fields, strict=True))
    return None


def _alone(line: str, header: Sequence[str], layout: Layout) -> dict[str, str] | Broken:
    fields = split_line(line, layout.separator)
    if isinstance(fields, Broken):
        return fields
    record = _named(fields, header, layout)
    if record is not None:
        return record
    return Broken(line, f"{len(fields)} fields, the header has {len(header)}")
