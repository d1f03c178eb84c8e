"""Which table an export is of, by the names of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from foxhunt.errors import LogError, SourceSpan
from foxhunt.tables import EXTRA_COLUMNS, Table, catalog, get_table

# The portal writes the time zone into the header: "TimeGenerated [UTC]".
_ZONE = re.compile(r"\s*\[([^\]]*)\]\s*$")
_UTC = {"utc", "gmt", "z", "utc+00:00"}

# Tables we do not know that have the telling columns of one we do, by a column that ours have
# not. Read as ours, an export of them would look hunted where half of it is not: DeviceEvents
# as DeviceProcessEvents, with no look at its RemoteIP (schemas of both products, 2026-07).
_FOREIGN = {
    "EvidenceRole": "AlertEvidence",
    "BehaviorId": "BehaviorEntities",
    "RegistryKey": "DeviceEvents",
    "LogonType": "DeviceLogonEvents",
    "OfficeWorkload": "OfficeActivity",
    "TeamsMessageId": "MessageUrlInfo",
    "HttpRequestMethod": "ASimWebSessionLogs",
    "ChildZone": "DnsAuditEvents",
    "KubernetesResource": "CloudDnsEvents",
    "ServerLatency": "GCPDNS",
}


def canonical_columns(table: Table, names: Iterable[str]) -> Mapping[str, str]:
    """Column of the table to the file's own name for it, for those that the file has.

    Case does not count and a time zone in brackets is left out; of two names for one
    column the first counts.
    """
    known = {name.casefold(): name for name in (*table.columns, *EXTRA_COLUMNS)}
    found: dict[str, str] = {}
    for name in names:
        column = known.get(plain(name).casefold())
        if column is not None and _is_sql_text(name):
            found.setdefault(column, name)
    return found


def _is_sql_text(name: str) -> bool:
    """Whether SQL can name it: in JSON a name may have a NUL or half a surrogate pair."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in name)


def plain(name: str) -> str:
    """A column's name without byte order mark, blanks and time zone.

    >>> plain("TimeGenerated [UTC]")
    'TimeGenerated'
    """
    return _ZONE.sub("", name.lstrip("\ufeff").strip())


def matching_tables(names: Iterable[str]) -> tuple[Table, ...]:
    """Tables whose telling columns are all among ``names``, and that have a time there.

    Case counts here: ``SourceIp`` is a column of VMConnection, ``SourceIP`` of
    CommonSecurityLog. When several tables fit, the one with most of its columns is meant.
    """
    have = {plain(name) for name in names}
    best: dict[str, int] = {}
    for table in catalog().values():
        if not have & {table.time, table.other_time}:
            continue
        if any(known <= have for known in table.recognised_by):
            best[table.name] = len(have & table.columns.keys())
    most = max(best.values(), default=0)
    return tuple(get_table(name) for name, count in best.items() if count == most)


def table_of(names: Iterable[str], file_name: str, forced: str | None = None) -> Table:
    """The table that an export with the columns ``names`` is of.

    Raises:
        LogError: None or several fit, the forced one's time is not there, or it is in a zone
            that only the exporter knew.
    """
    columns = list(names)
    table = _fitting(columns, file_name) if forced is None else get_table(forced)
    found = canonical_columns(table, columns)
    times = [found[name] for name in (table.time, table.other_time) if name and name in found]
    at = SourceSpan(file_name)
    if not times:
        raise LogError(
            f"it has no {table.time}, so it cannot be {table.name}",
            at=at,
            hint=f"its columns: {_listed(columns)}",
        )
    for time in times:
        zone = _ZONE.search(time)
        if zone and zone.group(1).strip().casefold() not in _UTC:
            # Read as UTC, every event would be hours off, and nobody could see it (R7).
            raise LogError(
                f"its times are not in UTC: {time.strip()[:60]}",
                at=at,
                hint=f"export it with the time zone set to UTC, or write {table.time} with offsets",
            )
    return table


def _fitting(columns: list[str], file_name: str) -> Table:
    """The one table that ``columns`` are of.

    Raises:
        LogError: None or several fit.
    """
    at = SourceSpan(file_name)
    fitting = matching_tables(columns)
    have = {plain(name) for name in columns}
    foreign = next((other for telling, other in _FOREIGN.items() if telling in have), None)
    if fitting and foreign:
        raise LogError(
            f"its columns are those of {foreign}, which is not hunted",
            at=at,
            hint="--table NAME=PATH reads it all the same, as a table that is",
        )
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise LogError(
            f"its columns fit {' and '.join(table.name for table in fitting)}",
            at=at,
            hint=f"say which with --table {fitting[0].name}={file_name}",
        )
    for table in catalog().values():
        if any(known <= have for known in table.recognised_by):
            raise LogError(f"it looks like {table.name}, but has no {table.time}", at=at)
    raise LogError(
        f"its columns are of no known table: {_listed(columns)}",
        at=at,
        hint="--table NAME=PATH says which table it is",
    )


def _listed(columns: list[str]) -> str:
    shown = ", ".join(column[:40] for column in columns[:8])
    return shown + (f" and {len(columns) - 8} more" if len(columns) > 8 else "")
