"""The verdict of an event (DESIGN 4) as KQL: stale by its own time, inbound, or open."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import lru_cache

from foxhunt.backends.kql_addresses import is_in
from foxhunt.backends.kql_text import string_list
from foxhunt.tables import Direction, Observable, Remote, Table

# R3: addresses that are ours, and multicast and above, which are nobody's.
_OURS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10"),
    )
)
_NOBODYS = tuple(map(ipaddress.ip_network, ("224.0.0.0/3", "ff00::/8")))


def verdict_steps(
    table: Table, observable: Observable, time: str, *, may_be_stale: bool
) -> Iterator[str]:
    """Yield the steps that add the column ``Verdict``.

    Args:
        table: Whose rows.
        observable: The column that matched.
        time: The column of the event's time.
        may_be_stale: Whether an indicator counts for events of some times alone.
    """
    cases = []
    if may_be_stale:
        cases.append(f'{time} < ValidFrom or {time} > ValidUntil, "stale"')
    rule = table.direction
    if rule is not None and observable.remote in (Remote.SOURCE, Remote.PEER):
        yield f"extend Direction = {_direction(rule)}"
        cases.append('Direction == "inbound", "inbound"')
    yield (
        f'extend Verdict = case({", ".join(cases)}, "open")'
        if cases
        else ('extend Verdict = "open"')
    )


@lru_cache(maxsize=100)  # of a table; its networks are worked out for each of thousands of queries
def _direction(rule: Direction) -> str:
    cases = []
    if rule.column is not None:
        said = f'tolower(trim(@" +", {rule.column}))'
        cases.append(f'{said} in ({string_list(rule.inbound)}), "inbound"')
        cases.append(f'{said} in ({string_list(rule.outbound)}), "outbound"')
    if rule.sides is not None:
        source, destination = (f"parse_ipv6({side})" for side in rule.sides)
        cases.append(f'{_theirs(source)} and {is_in(destination, _OURS)}, "inbound"')
    otherwise = "inbound" if rule.default == "inbound" else ""
    return f'case({", ".join(cases)}, "{otherwise}")'


def _theirs(address: str) -> str:
    return f"isnotempty({address}) and not({is_in(address, (*_OURS, *_NOBODYS))})"
