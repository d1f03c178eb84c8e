"""Files of a feed into a set of indicators, without the store."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.columns import read_columns
from foxhunt.feeds.csv_records import csv_parts
from foxhunt.feeds.json_records import json_parts
from foxhunt.feeds.opening import Limits, open_feed
from foxhunt.feeds.raw import RawParts, Reading
from foxhunt.feeds.report import FileReport
from foxhunt.feeds.taking import Taken, take_parts
from foxhunt.feeds.threatfox import KNOWN_FIELDS, read_record
from foxhunt.indicators import IndicatorSet

if TYPE_CHECKING:
    from foxhunt.feeds.siblings import CsvMapping

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


def read_indicators(
    paths: Sequence[str], mapping: CsvMapping | None = None
) -> tuple[IndicatorSet, tuple[FileReport, ...]]:
    """Read files of feeds straight into one set.

    Of two records of one identity the one last active stays, in whatever order the
    files are named; of two equally old ones that of the later file.

    Args:
        paths: The files.
        mapping: Of CSV files of nobody's feed; all of ``paths`` are read by it.

    Raises:
        FeedError: A file cannot be read as a whole, or is no known feed's.
    """
    reads = [read_file(path, mapping=mapping) for path in paths]
    merged = IndicatorSet.union(read.indicators for read in reads)
    return merged, tuple(read.report for read in reads)


def read_file(
    path: str, limits: Limits | None = None, *, mapping: CsvMapping | None = None
) -> FeedRead:
    """Read one file, plain, gzip, zip or zstd.

    Raises:
        FeedError: It cannot be read as a whole, or is no known feed's.
    """
    with open_feed(Path(path), path, limits) as stream:
        return read_feed(stream, path, mapping=mapping)


def read_feed(
    stream: io.BufferedReader, name: str, *, mapping: CsvMapping | None = None
) -> FeedRead:
    """Read the decompressed bytes of one file or answer, by what is in it.

    Args:
        stream: Read to its end.
        name: What messages and the report call it; must hold no secret.
        mapping: What its columns are, if it is a CSV file of nobody's feed.

    Raises:
        FeedError: It cannot be read as a whole, or is no known feed's.
    """
    # They are built on this module.
    from foxhunt.feeds.siblings import mapped_reader, sibling_for

    parts = _format_of(stream, name)
    sibling = mapped_reader(mapping) if mapping else sibling_for(stream.peek(4096))
    if sibling is not None:
        return sibling(stream, name)
    # surrogateescape: one bad byte in a tag must not cost the file; `read_record` sees to it.
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="\n")
    reading = Reading(name)
    taken = take_parts(parts(text, reading), read_record, read_columns)
    text.detach()  # the caller opened the stream and closes it
    _check(taken, reading)
    indicators = IndicatorSet.of_tables(taken.tables, taken.quarantined)
    return FeedRead(indicators, _report(taken, reading))


def _format_of(stream: io.BufferedReader, name: str) -> Callable[[TextIO, Reading], RawParts]:
    at = SourceSpan(name)
    head = stream.peek(4096)
    if head.startswith(_UTF16):
        raise FeedError("UTF-16 text", at=at, hint="save it as UTF-8")
    start = head.removeprefix(_BOM).lstrip()[:1]
    if not head.strip():
        raise FeedError("an empty file", at=at)
    if start == b"<":
        raise FeedError("a web page, not data", at=at, hint="was the download refused?")
    return json_parts if start in (b"{", b"[") else csv_parts


def _check(taken: Taken, reading: Reading) -> None:
    """Refuse what reads as JSON or CSV but has nothing of ThreatFox's in it."""
    if taken.read and not taken.recognised:
        raise FeedError(
            f"{reading.format} of {taken.read} records, none with an ioc or ioc_value",
            at=SourceSpan(reading.name),
        )
    if not taken.read and not reading.notes:
        reading.notes.append("it holds no records")


def _report(taken: Taken, reading: Reading) -> FileReport:
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
