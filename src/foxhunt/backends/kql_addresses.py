"""Networks in KQL, over what ``parse_ipv6`` gives: eight groups of four digits, IPv4 mapped.

One spelling for both kinds of address; duckdb-kql has no ``ipv6_is_in_range`` (1.1.2), and
Kusto's ``ipv4_is_in_any_range`` gives null for IPv6, which a filter takes for no.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from foxhunt.backends.kql_text import string_literal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_in(text: str, networks: Iterable[Network]) -> str:
    """Expression: whether the address that ``parse_ipv6`` made of a column is in a network."""
    patterns = [network_regex(network) for network in networks]
    regex = patterns[0] if len(patterns) == 1 else f"^(?:{'|'.join(p[1:] for p in patterns)})"
    return f"{text} matches regex {string_literal(regex)}"


def network_regex(network: Network) -> str:
    """The RE2 expression of the addresses of ``network``.

    >>> network_regex(ipaddress.ip_network("10.0.0.0/8"))
    '^0000:0000:0000:0000:0000:ffff:0a'
    """
    bits = network.prefixlen + (96 if network.version == 4 else 0)
    number = int(network.network_address) + (0xFFFF << 32 if network.version == 4 else 0)
    digits = f"{number:032x}"
    whole, rest = divmod(bits, 4)
    nibbles = [*digits[:whole]]
    if rest:
        first = int(digits[whole], 16)
        nibbles.append(f"[{''.join(f'{n:x}' for n in range(first, first + (1 << (4 - rest))))}]")
    groups = ["".join(nibbles[start : start + 4]) for start in range(0, len(nibbles), 4)]
    return "^" + ":".join(groups)
