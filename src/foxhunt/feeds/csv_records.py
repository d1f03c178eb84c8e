"""Records of ThreatFox's CSV exports, of 14 columns (2024) and 15 (2026), and tables made of them.

The header is itself a comment, fields are separated by ``", "`` (facts/threatfox.md);
columns are found by name, so neither their number nor their order matters. A table with
a plain header line is read as well if it has ``ioc_value`` and ``ioc_type``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.csv_lines import Lines, split_line
from foxhunt.feeds.csv_runs import CsvRun, may_be_regular
from foxhunt.feeds.raw import Broken, RawParts, RawRecord, RawRecords, Reading

_NEEDED = frozenset({"ioc_value", "ioc_type"})
_MOST_PAUSE = 512


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
    for fields in chain.from_iterable(_records(lines, len(header))):
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
        while is_regular and (table := lines.take_regular(header)) is not None:
            run = CsvRun(table)
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


def _header(lines: Lines, reading: Reading) -> list[str]:
    for line in lines.raw():
        is_comment = line.startswith("#")
        names = split_line(line.lstrip("# "))
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


def _records(lines: Lines, width: int) -> Iterator[list[list[str] | Broken]]:
    """What each step of the reader gives: a record, or several where a quote was left open."""
    for fields, swallowed in lines.rows():
        if len(fields) == width:
            yield [fields]
        else:
            yield [_alone(line, width) for line in swallowed]


def _alone(line: str, width: int) -> list[str] | Broken:
    fields = split_line(line)
    if isinstance(fields, Broken) or len(fields) == width:
        return fields
    return Broken(line, f"{len(fields)} fields, the header has {width}")
