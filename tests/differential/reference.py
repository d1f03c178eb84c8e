"""The plain reading of a hunt: row by row, indicator by indicator, in Python.

What the engines say is compared with this. It shares `foxhunt.rules.evaluate` (the
definition of a match) and reads hosts, direction and action off a row by itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from foxhunt.findings import MatchKind, ValidityPolicy, Verdict, verdict_of
from foxhunt.indicators import canonical_address
from foxhunt.rules import Rule, evaluate
from foxhunt.tables import Observable, Remote, Table, get_table

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """A row that met an indicator, as everything foxhunt says it would be."""

    row: int
    position: int
    kind: MatchKind
    column: str
    host: str | None
    direction: str | None
    action: str | None
    verdict: Verdict


def read_events(
    rule: Rule, table_name: str, rows: list[Row], policy: ValidityPolicy
) -> Iterator[Event]:
    """Yield the events of ``rows``; a row's number is its place from 1."""
    table = get_table(table_name)
    search = rule.search(table_name)
    if search is None:
        return
    observables = {part.observable.column: part.observable for part in search.predicate.parts}
    for number, row in enumerate(rows, start=1):
        time = row[table.time]
        if not isinstance(time, datetime):
            continue
        for hit in evaluate(rule, search, row):
            observable = observables[hit.column]
            direction = direction_of(table, row)
            is_inbound = direction == "inbound" and observable.remote in (
                Remote.SOURCE,
                Remote.PEER,
            )
            yield Event(
                row=number,
                position=hit.position,
                kind=hit.kind,
                column=hit.column,
                host=first_value(observable.host, row),
                direction=direction,
                action=action_of(table, row),
                verdict=verdict_of(
                    rule.indicators[hit.position],
                    time.replace(tzinfo=UTC),
                    is_inbound=is_inbound,
                    policy=policy,
                ),
            )


def first_value(names: tuple[str, ...], row: Row) -> str | None:
    """The first of the columns that holds anything."""
    for name in names:
        value = str(row.get(name) or "").strip(" ")
        if value:
            return value
    return None


def direction_of(table: Table, row: Row) -> str | None:
    """R3: what the row says, else which side is ours, else unknown."""
    rule = table.direction
    if rule is None:
        return None
    said = str(row.get(rule.column or "") or "").strip(" ").lower()
    if said in rule.inbound:
        return "inbound"
    if said in rule.outbound:
        return "outbound"
    if rule.sides:
        source, destination = (owner_of(row.get(side)) for side in rule.sides)
        if (source, destination) == ("ours", "theirs"):
            return "outbound"
        if (source, destination) == ("theirs", "ours"):
            return "inbound"
    return rule.default


_OURS = [
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
]
_NOBODYS = [ipaddress.ip_network(text) for text in ("224.0.0.0/3", "ff00::/8")]


def owner_of(value: object) -> str | None:
    """``ours``, ``theirs``, or None for what is no address or nobody's."""
    text = canonical_address(value) if isinstance(value, str) else None
    if text is None:
        return None
    address = ipaddress.ip_address(text)
    if any(address in network for network in _NOBODYS if network.version == address.version):
        return None
    ours = any(address in network for network in _OURS if network.version == address.version)
    return "ours" if ours else "theirs"


def action_of(table: Table, row: Row) -> str | None:
    """Whether the event was let through, as far as the row says."""
    rule = table.action
    if rule is None:
        return None
    if rule.allowed_if and row.get(rule.allowed_if) is True:
        return "allowed"
    said = str(row.get(rule.column) or "").lower()
    if any(text in said for text in rule.blocked):
        return "blocked"
    if any(text in said for text in rule.allowed):
        return "allowed"
    return None


__all__ = ["Event", "Observable", "read_events"]
