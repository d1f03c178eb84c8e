"""Records of a sibling feed into what every feed is read into, each of them counted."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Protocol, TextIO

import pyarrow as pa

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.raw import Reading
from foxhunt.feeds.reading import FeedRead
from foxhunt.feeds.report import FileReport
from foxhunt.feeds.siblings.batches import batches, read_batch
from foxhunt.feeds.siblings.told import RawTold, Told
from foxhunt.indicators import IndicatorSet, Quarantined, Retraction

_MAX_UNKNOWN = 50
_BOM = b"\xef\xbb\xbf"
# So much of a file tells which feed it is: a header stands behind some 700 characters of comment.
HEAD_BYTES = 4096
_CHANGED = pa.schema(
    [("source", pa.string()), ("source_id", pa.string()), ("told", pa.timestamp("us", tz="UTC"))]
)


class Records(Protocol):
    """What reads the text of a feed, JSON or not, into its records."""

    def __call__(self, stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold: ...


def text_head(head: bytes) -> str:
    """The beginning of a file as text."""
    return head[:HEAD_BYTES].removeprefix(_BOM).decode("utf-8", "replace")


def collect(stream: io.BufferedReader, name: str, records: Records) -> FeedRead:
    """Read the decompressed bytes of a feed.

    Args:
        stream: Read to its end.
        name: What messages and the report call it.
        records: What reads the feed's text.

    Raises:
        FeedError: It cannot be read as a whole, or is not what ``records`` reads.
    """
    head = text_head(stream.peek(HEAD_BYTES)).lstrip()
    if not head:
        raise FeedError("an empty file", at=SourceSpan(name))
    # As for ThreatFox's own files: one bad byte in a tag must not cost the file.
    text = io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")
    reading = Reading(name)
    told = records(text, reading, is_json=head.startswith(("{", "[")))
    tables: list[pa.Table] = []
    quarantined: list[Quarantined] = []
    retracted: list[Retraction] = []
    changed: list[pa.Table] = []
    for batch in batches(_records_of(told, retracted)):
        table, refused = read_batch(batch)
        tables.append(table)
        quarantined += refused
        changed += _changed(batch)
    text.detach()  # the caller opened the stream and closes it
    found = sum(table.num_rows for table in tables)
    read = found + len(quarantined)
    if not read and not reading.notes:
        reading.notes.append("it holds no records")
    report = FileReport(
        name=name,
        format=reading.format,
        read=read,
        indicators=found,
        quarantined=tuple(quarantined),
        unknown_columns=tuple(_unknown(reading)),
        notes=tuple(reading.notes),
    )
    all_changed = pa.concat_tables(changed) if changed else None
    return FeedRead(IndicatorSet.of_tables(tables, quarantined, retracted, all_changed), report)


def _changed(batch: Sequence[Told]) -> Iterator[pa.Table]:
    """When the records were changed, as `IndicatorSet.told` has it; nothing if nobody says."""
    rows = [
        {"source": one.source, "source_id": one.source_id.strip(), "told": one.changed}
        for one in batch
        if one.changed is not None and one.source_id is not None
    ]
    if rows:
        yield pa.Table.from_pylist(rows, _CHANGED)


def _records_of(told: RawTold, retracted: list[Retraction]) -> Iterator[Told]:
    """The records; what is taken back goes into ``retracted``."""
    for one in told:
        if isinstance(one, Retraction):
            retracted.append(one)
        else:
            yield one


def _unknown(reading: Reading) -> list[str]:
    """Fields that the reader did not know, as text that can be stored."""
    names = sorted(
        name[:80].encode("utf-8", "backslashreplace").decode() for name in reading.columns
    )
    if len(names) > _MAX_UNKNOWN:
        reading.notes.append(f"{len(names)} unknown columns, {_MAX_UNKNOWN} of them named")
    return names[:_MAX_UNKNOWN]
