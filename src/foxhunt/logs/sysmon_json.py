"""Sysmon events as JSON lines, in the three shapes that exporters write.

- flat: members beside each other, ``EventID``, ``Channel``, ``Hostname``, ``Image`` (NXLog;
  the data sets of OTRF);
- winlogbeat: ``winlog.event_id``, ``winlog.event_data.Image``;
- EVTX as JSON: ``Event.System.EventID``, ``Event.EventData.Image`` (evtx_dump).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from foxhunt.logs import sysmon
from foxhunt.logs.json_records import read_records, sample
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import raw_parts
from foxhunt.sql import identifier, literal

# Of each System field: the flat members, and the paths in winlogbeat's and in EVTX's form.
_SYSTEM = {
    "_event_id": (("EventID",), ("$.event_id",), ('$.EventID."#text"', "$.EventID")),
    "_channel": (("Channel",), ("$.channel",), ("$.Channel",)),
    "_provider": (
        ("SourceName", "ProviderName"),
        ("$.provider_name",),
        ('$.Provider."#attributes".Name', "$.Provider_attributes.Name"),
    ),
    "_computer": (("Computer", "Hostname"), ("$.computer_name",), ("$.Computer",)),
    "_time": (
        ("TimeCreated", "@timestamp"),
        (),
        ('$.TimeCreated."#attributes".SystemTime', "$.TimeCreated_attributes.SystemTime"),
    ),
}
_FLAT = tuple(name for flat, _, _ in _SYSTEM.values() for name in flat)
_NESTED = ("winlog", "Event")


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return any(_is_event(record) for record in sample(file.head))


def _is_event(record: dict[str, object]) -> bool:
    if "EventID" in record and "Channel" in record:
        # Log Analytics' own tables have these members too, and tell their tenant or type.
        return "TenantId" not in record and "Type" not in record
    winlog, event = record.get("winlog"), record.get("Event")
    return (isinstance(winlog, dict) and "event_id" in winlog) or (
        isinstance(event, dict) and "System" in event
    )


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    fields = (*_FLAT, *sysmon.DATA_FIELDS)
    records = read_records(con, file, fields, _shape(), nested=_NESTED)
    yield from raw_parts(records, sysmon.MAPPINGS, file, table)


def _shape() -> str:
    system = {name: _system_sql(*places) for name, places in _SYSTEM.items()}
    kind = sysmon.KIND
    for name, sql in system.items():
        kind = kind.replace(f"{{{name}}}", sql)
    data = [f"{_data_sql(name)} AS {identifier(name)}" for name in sysmon.DATA_FIELDS]
    return ", ".join(
        [f"{kind} AS _kind", *(f"{sql} AS {identifier(n)}" for n, sql in system.items()), *data]
    )


def _system_sql(flat: tuple[str, ...], beat: tuple[str, ...], event: tuple[str, ...]) -> str:
    places = [identifier(name) for name in flat]
    places += [_at("winlog", path) for path in beat]
    places += [_at("Event", path.replace("$", "$.System", 1)) for path in event]
    return f"coalesce({', '.join(places)})"


def _data_sql(name: str) -> str:
    beat, event = _at("winlog", f"$.event_data.{name}"), _at("Event", f"$.EventData.{name}")
    return f"coalesce({identifier(name)}, {beat}, {event})"


def _at(member: str, path: str) -> str:
    return f"json_extract_string({identifier(member)}, {literal(path)})"
