"""Files of a feed into a set of indicators, without the store."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.csv_records import csv_records
from foxhunt.feeds.json_records import VALUE_FIELDS, json_records
from foxhunt.feeds.opening import Limits, open_feed
from foxhunt.feeds.raw import RawRecords, Reading
from foxhunt.feeds.report import FileReport
from foxhunt.feeds.threatfox import KNOWN_FIELDS, read_record
from foxhunt.indicators import Indicator, IndicatorSet, Quarantined

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# A report names them; a hostile file may have a new one in each record.
_MAX_UNKNOWN = 50


@dataclass(frozen=True, slots=True)
class FeedRead:
    """One file or answer, read whole.

    Attributes:
        indicators: Its indicators, of each identity the latest, and its quarantine.
        report: What it held.
    """

    indicators: IndicatorSet
    report: FileReport


def read_indicators(paths: Sequence[str]) -> tuple[IndicatorSet, tuple[FileReport, ...]]:
    """Read ThreatFox files straight into one set.

    Of two records of one identity the one last active stays, in whatever order the
    files are named; of two equally old ones that of the later file.

    Raises:
        FeedError: A file cannot be read as a whole, or is not ThreatFox's.
    """
    reads = [read_file(path) for path in paths]
    merged = IndicatorSet.union(read.indicators for read in reads)
    return merged, tuple(read.report for read in reads)


def read_file(path: str, limits: Limits | None = None) -> FeedRead:
    """Read one file, plain, gzip, zip or zstd.

    Raises:
        FeedError: It cannot be read as a whole, or is not ThreatFox's.
    """
    with open_feed(Path(path), path, limits) as stream:
        return read_feed(stream, path)


def read_feed(stream: io.BufferedReader, name: str) -> FeedRead:
    """Read the decompressed bytes of one export or answer.

    Args:
        stream: Read to its end.
        name: What messages and the report call it; must hold no secret.

    Raises:
        FeedError: It cannot be read as a whole, or is not ThreatFox's.
    """
    read = _format_of(stream, name)
    # surrogateescape: one bad byte in a tag must not cost the file; `read_record` sees to it.
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
    reading = Reading(name)
    taken = _Taken()
    indicators = IndicatorSet.of(taken.indicators(read(text, reading)))
    text.detach()  # the caller opened the stream and closes it
    _check(taken, reading)
    return FeedRead(
        IndicatorSet(indicators.table, tuple(taken.quarantined)), _report(taken, reading)
    )


def _format_of(stream: io.BufferedReader, name: str) -> Callable[[TextIO, Reading], RawRecords]:
    at = SourceSpan(name)
    head = stream.peek(4096)
    if head.startswith(_UTF16):
        raise FeedError("UTF-16 text", at=at, hint="save it as UTF-8")
    start = head.removeprefix(_BOM).lstrip()[:1]
    if not head.strip():
        raise FeedError("an empty file", at=at)
    if start == b"<":
        raise FeedError("a web page, not data", at=at, hint="was the download refused?")
    return json_records if start in (b"{", b"[") else csv_records


@dataclass(slots=True)
class _Taken:
    """Counts records while they stream by."""

    read: int = 0
    recognised: int = 0
    found: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def indicators(self, records: RawRecords) -> Iterator[Indicator]:
        for source_id, raw in records:
            self.read += 1
            if isinstance(raw, dict):
                if not raw.keys() <= KNOWN_FIELDS:
                    self.unknown.update(raw.keys() - KNOWN_FIELDS)
                self.recognised += not VALUE_FIELDS.isdisjoint(raw)
            record = read_record(raw, source_id)
            if isinstance(record, Indicator):
                self.found += 1
                yield record
            else:
                self.quarantined.append(record)


def _check(taken: _Taken, reading: Reading) -> None:
    """Refuse what reads as JSON or CSV but has nothing of ThreatFox's in it."""
    if taken.read and not taken.recognised:
        raise FeedError(
            f"{reading.format} of {taken.read} records, none with an ioc or ioc_value",
            at=SourceSpan(reading.name),
        )
    if not taken.read and not reading.notes:
        reading.notes.append("it holds no records")


def _report(taken: _Taken, reading: Reading) -> FileReport:
    unknown = sorted(
        name[:80].encode("utf-8", "backslashreplace").decode()
        for name in taken.unknown | (reading.columns - KNOWN_FIELDS)
    )
    if len(unknown) > _MAX_UNKNOWN:
        reading.notes.append(f"{len(unknown)} unknown columns, {_MAX_UNKNOWN} of them named")
    return FileReport(
        name=reading.name,
        format=reading.format,
        read=taken.read,
        indicators=taken.found,
        quarantined=tuple(taken.quarantined),
        unknown_columns=tuple(unknown[:_MAX_UNKNOWN]),
        notes=tuple(reading.notes),
    )
