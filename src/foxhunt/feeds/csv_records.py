"""Records of ThreatFox's CSV exports, of 14 columns (2024) and 15 (2026), and tables made of them.

The header is itself a comment, fields are separated by ``", "`` (facts/threatfox.md);
columns are found by name, so neither their number nor their order matters. A table with
a plain header line is read as well if it has ``ioc_value`` and ``ioc_type``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.csv_runs import CsvRun, may_be_regular, regular_end
from foxhunt.feeds.raw import Broken, RawParts, RawRecord, RawRecords, Reading

_NEEDED = frozenset({"ioc_value", "ioc_type"})
_MAX_LINE = 1024 * 1024
_CHUNK = 1024 * 1024
# As many characters are looked through for regular lines at once: some 16 thousand records.
_RUN = 4 * 1024 * 1024
_MOST_PAUSE = 512
_LINE_END = re.compile(r"\r\n?|\n")
_ENTRIES = re.compile(r"#\s*Number of entries:\s*([0-9]{1,12})\s*$")


def csv_records(stream: TextIO, reading: Reading) -> RawRecords:
    """Yield the records of CSV text in its order.

    A line that is broken (an open quote, too few fields) is yielded as `Broken`, and
    takes no other line with it.

    Raises:
        FeedError: No header of ThreatFox's before the first record, or a line longer
            than 1 MiB.
    """
    lines, header = _opened(stream, reading)
    read = 0
    for fields in _rows(lines, len(header)):
        read += 1
        yield _record(header, fields)
    _close(lines, read, reading)


def csv_parts(stream: TextIO, reading: Reading) -> RawParts:
    """Yield what `csv_records` does, regular lines that follow each other as one `CsvRun`."""
    lines, header = _opened(stream, reading)
    is_regular = may_be_regular(header)
    read = 0
    pause = 1
    while not lines.is_at_end():
        # Between two records: no quote is open.
        while is_regular and (text := lines.take_regular(len(header))):
            run = CsvRun(text, header)
            read += len(run)
            pause = 1
            yield run
        # Where no line is regular, looking for one at each would cost more than it saves.
        for found in islice(_records(lines, len(header)), pause):
            read += len(found)
            yield from (_record(header, fields) for fields in found)
        pause = min(2 * pause, _MOST_PAUSE)
    _close(lines, read, reading)


def _opened(stream: TextIO, reading: Reading) -> tuple[Lines, list[str]]:
    lines = Lines(stream, reading.name)
    header = _header(lines, reading)
    lines.record_width = len(header) if reading.format == "CSV table" else None
    return lines, header


def _record(header: list[str], fields: list[str] | Broken) -> RawRecord:
    return None, fields if isinstance(fields, Broken) else dict(zip(header, fields, strict=True))


def _close(lines: Lines, read: int, reading: Reading) -> None:
    if lines.entries is not None and lines.entries != read:
        reading.notes.append(f"the file says it has {lines.entries} entries; {read} were read")
    elif lines.entries is None and reading.format == "CSV export":
        reading.notes.append("the closing line is missing: the file may be cut off")


class Lines:
    """Lines without comments; the number of entries that a comment tells is kept."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._buffer, self._at, self._is_whole = "", 0, False
        self.number = 0
        self.entries: int | None = None
        self.consumed: list[str] = []
        # In a table that somebody made, a first field may begin with "#".
        self.record_width: int | None = None

    def raw(self) -> Iterator[str]:
        while line := self._line():
            self.number += 1
            if len(line) >= _MAX_LINE:
                at = SourceSpan(self._name, line=self.number)
                raise FeedError(f"a line longer than {_MAX_LINE} characters", at=at)
            yield line

    def is_at_end(self) -> bool:
        """Whether every line was taken."""
        if self._at == len(self._buffer) and not self._is_whole:
            self._more(_CHUNK)
        return self._at == len(self._buffer)

    def take_regular(self, width: int) -> str:
        """Regular lines of ``width`` fields that come next, ``""`` if the next is none."""
        if len(self._buffer) - self._at < _RUN and not self._is_whole:
            self._more(_RUN)
        start, self._at = self._at, regular_end(self._buffer, self._at, width)
        text = self._buffer[start : self._at]
        self.number += text.count("\n")
        return text

    def _line(self) -> str:
        """The next line with its end, or as much of one as is too long; ``""`` after the last."""
        while True:
            found = _LINE_END.search(self._buffer, self._at)
            # Of "\r" as the last that was read, "\n" may be the next.
            if found and (found.end() < len(self._buffer) or self._is_whole):
                start, self._at = self._at, found.end()
                return self._buffer[start : self._at]
            if self._is_whole or len(self._buffer) - self._at >= _MAX_LINE:
                line, self._at = self._buffer[self._at :], len(self._buffer)
                return line
            self._more(_CHUNK)

    def _more(self, length: int) -> None:
        text = self._stream.read(length)
        self._buffer, self._at = self._buffer[self._at :] + text, 0
        self._is_whole = not text

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


def _header(lines: Lines, reading: Reading) -> list[str]:
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


def _rows(lines: Lines, width: int) -> Iterator[list[str] | Broken]:
    for found in _records(lines, width):
        yield from found


def _records(lines: Lines, width: int) -> Iterator[list[list[str] | Broken]]:
    """What each step of the reader gives: a record, or several where a quote was left open."""
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
            yield [fields]
        else:
            # An open quote swallows the lines up to the next quote: each is read by itself.
            yield [_alone(line, width) for line in lines.consumed]


def _alone(line: str, width: int) -> list[str] | Broken:
    fields = _split(line)
    if isinstance(fields, Broken) or len(fields) == width:
        return fields
    return Broken(line, f"{len(fields)} fields, the header has {width}")


def _split(line: str) -> list[str] | Broken:
    """The fields of one line, `Broken` if its quotes do not match."""
    try:
        return next(csv.reader([line], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        return Broken(line, f"not a line of CSV: {error}")
