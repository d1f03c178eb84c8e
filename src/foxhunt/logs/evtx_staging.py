"""Sysmon's records of EVTX files into tables, one for each table of the catalog.

Rows of several files share a table, since to plan a statement takes longer than to parse a
small file (some 15 ms, and 0.3 ms). DuckDB takes the fields out of the JSON: in Python that
takes ten times the parser's own time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

import duckdb
import pyarrow as pa

from foxhunt.errors import LogError
from foxhunt.logs import sysmon
from foxhunt.logs.ahead import Stopped
from foxhunt.logs.evtx_records import records
from foxhunt.logs.model import LogFile
from foxhunt.logs.records import FIELD, tables_of, values_sql
from foxhunt.sql import identifier, literal

# A batch is of some 20 thousand records, or fewer long ones.
_BATCH_BYTES = 40_000_000
_ROW_BYTES = 500  # what a record takes beside its text
_LOOK_UP_EVERY = 1000  # records, to see whether anybody waits for them
_PIECE_ROWS = 2048  # what one of DuckDB's threads takes of a batch
_BATCH = "log_records_batch"
_BROKEN = ""  # among the tables that wait: the records that cannot be read

_TELLTALE = sysmon.PROVIDER.lower()
_MAPPINGS = tables_of(sysmon.MAPPINGS)
_OF_KIND = {mapping.kind: (mapping.table,) for mapping in sysmon.MAPPINGS}
_OF_ANY_KIND = tuple(_MAPPINGS)
# How a record of Sysmon begins, up to its kind; of members of one name DuckDB takes the first.
_USUAL = (
    '{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},'
    f'"System":{{"Provider":{{"#attributes":{{"Name":"{sysmon.PROVIDER}",'
    '"Guid":"5770385F-C22A-43E0-BF4C-06F5698FFBD9"}},"EventID":'
)

_ATTRIBUTE = {"#attributes": {"Name": "VARCHAR", "SystemTime": "VARCHAR"}}
# The form of these objects is that of the event's XML: any member may be missing or null.
_SYSTEM = {
    "EventID": "JSON",
    "Channel": "VARCHAR",
    "Computer": "VARCHAR",
    "Provider": _ATTRIBUTE,
    "TimeCreated": _ATTRIBUTE,
}
# An element with attributes is an object of them and its text.
_EVENT_ID = (
    "CASE WHEN json_type({0}) = 'OBJECT' THEN json_extract_string({0}, '$.\"#text\"') "
    "ELSE json_extract_string({0}, '$') END"
).format("event.System.EventID")
# What is of the event's System part has names that no event data has.
_SYSTEM_FIELDS = {
    "_event_id": _EVENT_ID,
    "_channel": "event.System.Channel",
    "_provider": 'event.System.Provider."#attributes".Name',
    "_computer": "event.System.Computer",
    "_time": 'event.System.TimeCreated."#attributes".SystemTime',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What was put into tables.

    Attributes:
        broken: Name of the table of broken records: ``_file``, ``_row``, ``_broken``.
        tables: From a table of the catalog to the name of that of its rows: ``_file``, ``_row``,
            ``_kind`` and the columns of all of its mappings, as text.
        kinds: Number of a file to the kinds that it has rows of.
        with_broken: Numbers of the files with broken records.
    """

    broken: str
    tables: Mapping[str, str]
    kinds: Mapping[int, frozenset[str]]
    with_broken: frozenset[int]


# Number of its file, of itself in there, and its text.
_Waiting = tuple[int, int, str]


class Staging:
    """Puts the records of files into tables of a connection, in batches."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, stopped: Stopped, batch_bytes: int = _BATCH_BYTES
    ) -> None:
        """Tables go into ``con``; they are no temporary ones, which no other cursor sees.

        Args:
            con: Used by nobody else until `finish` or `drop`.
            stopped: Ends the reading with `CancelledError`.
            batch_bytes: How much waits, at most, until it is put into tables.
        """
        self._con, self._stopped, self._batch_bytes = con, stopped, batch_bytes
        self._suffix = uuid4().hex
        self._broken = identifier(f"log_records_{self._suffix}")
        self._tables: dict[str, str] = {}
        self._with_broken: set[int] = set()
        con.execute(f"CREATE TABLE {self._broken} (_file INTEGER, _row BIGINT, _broken VARCHAR)")
        self._waiting: defaultdict[str, list[_Waiting]] = defaultdict(list)
        self._held = 0  # by all that waits

    def take(self, number: int, file: LogFile) -> LogError | OSError | None:
        """Take all records of a file; return why it cannot be read, if so.

        Raises:
            duckdb.Error: Some record stops DuckDB, or there is no room.
        """
        try:
            for row, (broken, text) in enumerate(records(file, self._stopped), start=1):
                if text is None:
                    self.add_broken(number, row, broken or "")
                else:
                    self.add(number, row, text)
                if not row % _LOOK_UP_EVERY and self._stopped():
                    raise CancelledError
        except (LogError, OSError) as error:
            return error
        return None

    def add(self, number: int, row: int, text: str) -> None:
        """Take one record of a file: its JSON text."""
        for table in _tables_of(text):
            self._wait(table, number, row, text)

    def add_broken(self, number: int, row: int, reason: str) -> None:
        """Take one record that cannot be read."""
        self._wait(_BROKEN, number, row, reason)

    def _wait(self, table: str, number: int, row: int, text: str) -> None:
        self._waiting[table].append((number, row, text))
        self._held += len(text) + _ROW_BYTES
        if self._held >= self._batch_bytes:
            # Of the other tables a statement each would be for few rows.
            self._flush(max(self._waiting, key=lambda one: len(self._waiting[one])))

    def finish(self) -> Staged:
        """Put the rest into the tables, and say what they hold."""
        for table in tuple(self._waiting):
            self._flush(table)
        kinds: defaultdict[int, set[str]] = defaultdict(set)
        for name in self._tables.values():
            for number, kind in self._con.execute(
                f"SELECT DISTINCT _file, _kind FROM {name}"
            ).fetchall():
                kinds[number].add(kind)
        return Staged(
            broken=self._broken,
            tables=dict(self._tables),
            kinds={number: frozenset(found) for number, found in kinds.items()},
            with_broken=frozenset(self._with_broken),
        )

    def drop(self) -> None:
        """Give back the memory of what was put into tables so far."""
        for name in (self._broken, *self._tables.values()):
            self._con.execute(f"DROP TABLE IF EXISTS {name}")

    def _flush(self, table: str) -> None:
        """Put what waits for a table into it."""
        if self._stopped():
            raise CancelledError
        waiting = self._waiting.pop(table)
        self._held -= sum(len(text) + _ROW_BYTES for _, _, text in waiting)
        if table == _BROKEN:
            self._with_broken.update(number for number, _, _ in waiting)
            self._put(f"INSERT INTO {self._broken} FROM {_BATCH}", waiting)
            return
        name = self._tables.get(table)
        target = name or identifier(f"log_records_{self._suffix}_{table}")
        verb = f"INSERT INTO {target}" if name else f"CREATE TABLE {target} AS"
        self._put(f"{verb} {_mapped(table)}", waiting)
        self._tables[table] = target

    def _put(self, statement: str, waiting: list[_Waiting]) -> None:
        self._con.register(_BATCH, _arrow(waiting))
        try:
            self._con.execute(statement)
        finally:
            self._con.unregister(_BATCH)


def _arrow(waiting: list[_Waiting]) -> pa.Table:
    """As ``_file``, ``_row`` and ``data``, in pieces, so that DuckDB takes them in parallel."""
    files, rows, texts = zip(*waiting, strict=True)
    columns = {
        "_file": pa.array(files, pa.int32()),
        "_row": pa.array(rows, pa.int64()),
        "data": pa.array(texts, pa.string()),
    }
    return pa.Table.from_batches(pa.table(columns).to_batches(max_chunksize=_PIECE_ROWS))


def _tables_of(text: str) -> tuple[str, ...]:
    """The tables that may have a row of a record; SQL decides."""
    if text.startswith(_USUAL):
        kind = text[len(_USUAL) : text.find(",", len(_USUAL))]
        if kind.isdecimal():
            return _OF_KIND.get(kind, ())
    # Without Sysmon's name as channel or provider a record is of no kind (sysmon.KIND), and none
    # of its fields is looked at.
    return _OF_ANY_KIND if _TELLTALE in text.lower() else ()


@cache
def _mapped(table: str) -> str:
    """From the records of a batch to the rows of a table; see `Staged`."""
    mappings = _MAPPINGS[table]
    columns = dict.fromkeys(one for mapping in mappings for one in mapping.columns)
    templates = [template for mapping in mappings for template in mapping.columns.values()]
    told = dict.fromkeys(one for text in (*templates, sysmon.KIND) for one in FIELD.findall(text))
    data = [one for one in told if one not in _SYSTEM_FIELDS]
    form = {"Event": {"System": _SYSTEM, "EventData": dict.fromkeys(data, "VARCHAR")}}
    event = f"json_transform(data, {literal(json.dumps(form))}).Event AS event"
    paths = {one: _SYSTEM_FIELDS.get(one, f"event.EventData.{identifier(one)}") for one in told}
    fields = ", ".join(f"{path} AS {identifier(one)}" for one, path in paths.items())
    kind = FIELD.sub(lambda match: identifier(match.group(1)), sysmon.KIND)
    kinds = ", ".join(literal(mapping.kind) for mapping in mappings)
    return (
        f"SELECT _file, _row, _kind, {values_sql(columns, mappings)} "
        f"FROM (SELECT *, {kind} AS _kind FROM (SELECT _file, _row, {fields} "
        f"FROM (SELECT _file, _row, {event} FROM {_BATCH}))) WHERE _kind IN ({kinds})"
    )
