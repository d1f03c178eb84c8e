"""Records of ThreatFox's CSV exports, of 14 columns (2024) and 15 (2026), and tables made of them.

The header is itself a comment, fields are separated by ``", "`` (facts/threatfox.md);
columns are found by name, so neither their number nor their order matters. A table with
a plain header line is read as well if it has ``ioc_value`` and ``ioc_type``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.raw import Broken, RawRecords, Reading

_NEEDED = frozenset({"ioc_value", "ioc_type"})
_MAX_LINE = 1024 * 1024
_ENTRIES = re.compile(r"#\s*Number of entries:\s*([0-9]{1,12})\s*$")


def csv_records(stream: TextIO, reading: Reading) -> RawRecords:
    """Yield the records of CSV text in its order.

    A line that is broken (an open quote, too few fields) is yielded as `Broken`, and
    takes no other line with it.

    Raises:
        FeedError: No header of ThreatFox's before the first record, or a line longer
            than 1 MiB.
    """
    lines = _Lines(stream, reading.name)
    header = _header(lines, reading)
    lines.record_width = len(header) if reading.format == "CSV table" else None
    read = 0
    for fields in _rows(lines, len(header)):
        read += 1
        yield None, fields if isinstance(fields, Broken) else dict(zip(header, fields, strict=True))
    if lines.entries is not None and lines.entries != read:
        reading.notes.append(f"the file says it has {lines.entries} entries; {read} were read")
    elif lines.entries is None and reading.format == "CSV export":
        reading.notes.append("the closing line is missing: the file may be cut off")


class _Lines:
    """Lines without comments; the number of entries that a comment tells is kept."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name = stream, name
        self.number = 0
        self.entries: int | None = None
        self.consumed: list[str] = []
        # In a table that somebody made, a first field may begin with "#".
        self.record_width: int | None = None

    def raw(self) -> Iterator[str]:
        for line in iter(lambda: self._stream.readline(_MAX_LINE), ""):
            self.number += 1
            if len(line) >= _MAX_LINE:
                at = SourceSpan(self._name, line=self.number)
                raise FeedError(f"a line longer than {_MAX_LINE} characters", at=at)
            yield line

    def __iter__(self) -> Iterator[str]:
        for line in self.raw():
            if line.startswith("#") and not self._is_record(line):
                told = _ENTRIES.match(line)
                self.entries = int(told[1]) if told else self.entries
            elif not line.isspace():
                self.consumed.append(line)
                yield line

    def _is_record(self, line: str) -> bool:
        if self.record_width is None:
            return False
        fields = _split(line)
        return not isinstance(fields, Broken) and len(fields) == self.record_width


def _header(lines: _Lines, reading: Reading) -> list[str]:
    for line in lines.raw():
        is_comment = line.startswith("#")
        names = _split(line.lstrip("# "))
        if not isinstance(names, Broken) and set(names) >= _NEEDED:
            if len(set(names)) != len(names):
                raise FeedError("a column stands twice in the header", at=SourceSpan(reading.name))
            reading.format = "CSV export" if is_comment else "CSV table"
            return names
        if not is_comment and not line.isspace():
            break
    raise FeedError(
        "neither JSON nor a CSV of ThreatFox: no header with ioc_value and ioc_type",
        at=SourceSpan(reading.name),
    )


def _rows(lines: _Lines, width: int) -> Iterator[list[str] | Broken]:
    reader = csv.reader(lines, skipinitialspace=True, strict=True)
    while True:
        lines.consumed.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = []
        if len(fields) == width:
            yield fields
            continue
        # An open quote swallows the lines after it up to the next quote: each is read by itself.
        for line in lines.consumed:
            alone = _split(line)
            if isinstance(alone, Broken) or len(alone) == width:
                yield alone
            else:
                yield Broken(line, f"{len(alone)} fields, the header has {width}")


def _split(line: str) -> list[str] | Broken:
    """The fields of one line, `Broken` if its quotes do not match."""
    try:
        return next(csv.reader([line], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        return Broken(line, f"not a line of CSV: {error}")
