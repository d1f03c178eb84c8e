"""What a row says about the event around a match: whose machine, which way, let through or not.

Each function gives a SQL expression over a part's columns; a column the file does
not have is NULL, which means unknown and is never guessed (R3). The same readings
in plain Python are in tests/differential/reference.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from foxhunt.sql import identifier, literal
from foxhunt.tables import Observable, Remote, Table

# Addresses that are ours (R3): what Python's ipaddress calls not global, as ranges of the IPv4
# number; IPv6 by prefix. Multicast is neither ours nor anybody's: unknown.
_OURS = (
    "^(10\\.|127\\.|0\\.|192\\.168\\.|169\\.254\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|"
    "100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.)|"
    "^(::1$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)"
)
_ADDRESS = "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$|^[0-9a-f:.]*:[0-9a-f:.]*$"
_MULTICAST = "^(22[4-9]|23[0-9]|24[0-9]|25[0-5])\\.|^ff"


def host_sql(observable: Observable, columns: Collection[str]) -> str:
    """Our machine: the first of the observable's host columns that has a value."""
    return _first(observable.host, columns)


def user_sql(observable: Observable, columns: Collection[str]) -> str:
    """Our user, likewise."""
    return _first(observable.user, columns)


def process_sql(table: Table, columns: Collection[str]) -> str:
    """The process, likewise."""
    return _first(table.process, columns)


def direction_sql(table: Table, columns: Collection[str]) -> str:
    """``'outbound'``, ``'inbound'`` or NULL."""
    rule = table.direction
    if rule is None:
        return "CAST(NULL AS VARCHAR)"
    readings: list[str] = []
    if rule.column in columns and rule.column is not None:
        said = f"lower(trim({identifier(rule.column)}))"
        readings.append(
            f"CASE WHEN {said} IN ({_list(rule.inbound)}) THEN 'inbound' "
            f"WHEN {said} IN ({_list(rule.outbound)}) THEN 'outbound' END"
        )
    if rule.sides and all(side in columns for side in rule.sides):
        source, destination = (_side(side) for side in rule.sides)
        readings.append(
            f"CASE WHEN {source} = 'ours' AND {destination} = 'theirs' THEN 'outbound' "
            f"WHEN {source} = 'theirs' AND {destination} = 'ours' THEN 'inbound' END"
        )
    if rule.default is not None:
        readings.append(literal(rule.default))
    return f"coalesce({', '.join(readings)})" if readings else "CAST(NULL AS VARCHAR)"


def inbound_sql(observable: Observable, direction: str) -> str:
    """Whether the matched address is the source of an inbound connection (R3)."""
    if observable.remote in (Remote.SOURCE, Remote.PEER):
        return f"coalesce({direction} = 'inbound', false)"
    return "false"


def action_sql(table: Table, columns: Collection[str]) -> str:
    """``'blocked'``, ``'allowed'`` or NULL."""
    rule = table.action
    if rule is None:
        return "CAST(NULL AS VARCHAR)"
    cases: list[str] = []
    if rule.allowed_if in columns and rule.allowed_if is not None:
        cases.append(f"WHEN {identifier(rule.allowed_if)} THEN 'allowed'")
    if rule.column in columns:
        said = f"lower({identifier(rule.column)})"
        for outcome, texts in (("blocked", rule.blocked), ("allowed", rule.allowed)):
            if texts:
                found = " OR ".join(f"contains({said}, {literal(text)})" for text in texts)
                cases.append(f"WHEN {found} THEN {literal(outcome)}")
    return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS VARCHAR)"


def _first(names: Iterable[str], columns: Collection[str]) -> str:
    present = [f"nullif(trim({identifier(name)}), '')" for name in names if name in columns]
    return f"coalesce({', '.join(present)})" if present else "CAST(NULL AS VARCHAR)"


def _list(values: Iterable[str]) -> str:
    return ", ".join(literal(value) for value in values)


def _side(column: str) -> str:
    address = f"regexp_replace(lower(trim({identifier(column)})), '^::ffff:([0-9.]+)$', '\\1')"
    return (
        f"CASE WHEN regexp_matches({address}, {literal(_ADDRESS)}) IS NOT TRUE THEN NULL "
        f"WHEN regexp_matches({address}, {literal(_MULTICAST)}) THEN NULL "
        f"WHEN regexp_matches({address}, {literal(_OURS)}) THEN 'ours' ELSE 'theirs' END"
    )
