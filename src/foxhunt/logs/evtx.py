"""Windows event logs in their own binary form (EVTX), of which the Sysmon events are rows.

The file is a header of 4 KiB and chunks of 64 KiB (libevtx documentation, 2023). The
``evtx`` package (Rust) reads them; records are staged in batches.
"""

from __future__ import annotations

import json
import re
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any
from uuid import uuid4

import duckdb
import pyarrow as pa
from evtx import PyEvtxParser

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs import sysmon
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import Records, raw_parts, summarise
from foxhunt.logs.streams import chunks
from foxhunt.sql import identifier, literal

_MAGIC = b"ElfFile\0"
_HEADER_BYTES = 4096
_CHUNK_BYTES = 65536
# A compressed file is unpacked beside the others' temporary files, up to this.
_MAX_UNPACKED_BYTES = 8 * 1024**3
_CHUNK_NUMBER = re.compile(r"chunk number ([0-9]+)")
_TELLTALE = sysmon.PROVIDER.lower()
_TORN = "the file ends inside a chunk: its records are lost"

_BATCH_ROWS = 20_000

# Why a record is broken, or None, and its JSON text where it may be Sysmon's.
_Row = tuple[str | None, str | None]

_ATTRIBUTE = {"#attributes": {"Name": "VARCHAR", "SystemTime": "VARCHAR"}}
# The form of these objects is that of the event's XML: any member may be missing or null.
_SHAPE = {
    "Event": {
        "System": {
            "EventID": "JSON",
            "Channel": "VARCHAR",
            "Computer": "VARCHAR",
            "Provider": _ATTRIBUTE,
            "TimeCreated": _ATTRIBUTE,
        },
        "EventData": dict.fromkeys(sysmon.DATA_FIELDS, "VARCHAR"),
    }
}
# An element with attributes is an object of them and its text.
_EVENT_ID = (
    "CASE WHEN json_type({0}) = 'OBJECT' THEN json_extract_string({0}, '$.\"#text\"') "
    "ELSE json_extract_string({0}, '$') END"
).format("event.System.EventID")
# What is of the event's System part has names that no event data has.
_FIELDS = {
    "_event_id": _EVENT_ID,
    "_channel": "event.System.Channel",
    "_provider": 'event.System.Provider."#attributes".Name',
    "_computer": "event.System.Computer",
    "_time": 'event.System.TimeCreated."#attributes".SystemTime',
    **{name: f"event.EventData.{identifier(name)}" for name in sysmon.DATA_FIELDS},
}


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return file.head.startswith(_MAGIC)


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    with _unpacked(file) as stream:
        staged = _staged(con, _rows(file, stream))
    kind = re.sub(r"\{(\w+)\}", lambda match: identifier(match.group(1)), sysmon.KIND)
    select = f"SELECT *, {kind} AS _kind FROM ({staged})"
    records = Records(select=select, kinds=summarise(con, select))
    yield from raw_parts(records, sysmon.MAPPINGS, file, table)


def _staged(con: duckdb.DuckDBPyConnection, rows: Iterator[_Row]) -> str:
    """Put the fields of records into a temporary table, and return its SELECT.

    DuckDB takes the fields out of the JSON: in Python that took ten times the parser's own time.
    """
    name = identifier(f"log_records_{uuid4().hex}")
    columns = ", ".join(f"{identifier(one)} VARCHAR" for one in _FIELDS)
    con.execute(f"CREATE TEMP TABLE {name} (_row BIGINT, _broken VARCHAR, {columns})")
    values = ", ".join(_FIELDS.values())
    shape = literal(json.dumps(_SHAPE))
    first = 1
    while batch := list(islice(rows, _BATCH_ROWS)):
        broken, texts = zip(*batch, strict=True)
        arrow = pa.table(
            {
                "_row": pa.array(range(first, first + len(batch)), pa.int64()),
                "_broken": pa.array(broken, pa.string()),
                "data": pa.array(texts, pa.string()),
            }
        )
        first += len(batch)
        con.register("log_records_batch", arrow)
        con.execute(
            f"INSERT INTO {name} SELECT _row, _broken, {values} FROM (SELECT _row, _broken, "
            f"json_transform(data, {shape}).Event AS event FROM log_records_batch)"
        )
        con.unregister("log_records_batch")
    return f"SELECT * FROM {name}"


@contextmanager
def _unpacked(file: LogFile) -> Iterator[IO[bytes]]:
    """The file's bytes as a stream that can seek."""
    if file.compression == "none":
        with file.path.open("rb") as plain:
            yield plain
        return
    with tempfile.TemporaryFile() as copy:
        for chunk in chunks(file):
            if chunk is None:
                break  # torn: the chunk that breaks off is seen to be missing its end
            copy.write(chunk)
            if copy.tell() > _MAX_UNPACKED_BYTES:
                raise LogError(
                    f"unpacks to more than {_MAX_UNPACKED_BYTES // 1024**3} GiB",
                    at=SourceSpan(file.name),
                    hint="unpack it first",
                )
        yield copy


def _rows(file: LogFile, stream: IO[bytes]) -> Iterator[_Row]:
    """Every record in order; a record or chunk that cannot be read is a broken one."""
    unused, torn = _chunks_of(stream)
    stream.seek(0)
    try:
        # The package's own types say that a record may be None; it never is.
        found: Iterator[Any] = iter(PyEvtxParser(stream).records_json())
    except (OSError, RuntimeError, ValueError) as exc:
        raise LogError(f"not a readable EVTX file: {exc}", at=SourceSpan(file.name)) from exc
    while True:
        try:
            record = next(found)
        except StopIteration:
            break
        except (OSError, RuntimeError, ValueError) as exc:
            number = _CHUNK_NUMBER.search(str(exc))
            if number is None or int(number.group(1)) not in unused:
                yield str(exc)[:200], None
            continue
        # Without Sysmon's name as channel or provider a record is of no kind (sysmon.KIND), and
        # none of its fields is looked at: reading them took most of the time of other logs.
        text = record["data"]
        yield None, text if _TELLTALE in text.lower() else None
    if torn is not None:
        yield torn, None


def _chunks_of(stream: IO[bytes]) -> tuple[set[int], str | None]:
    """The chunks that were never used (zeros: Windows grows a log ahead), and what is missing."""
    stream.seek(0)
    header = stream.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return set(), None  # the parser says it better
    (told,) = struct.unpack_from("<H", header, 42)
    unused: set[int] = set()
    number = 0
    while chunk := stream.read(_CHUNK_BYTES):
        if len(chunk) < _CHUNK_BYTES:
            return unused, _TORN
        if not chunk.strip(b"\0"):
            unused.add(number)
        number += 1
    if number < told:
        return unused, f"the file ends after {number} of {told} chunks: their records are lost"
    return unused, None
