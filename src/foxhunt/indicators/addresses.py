"""Addresses and ``ip:port`` (R2): compared as addresses, never as text."""

from __future__ import annotations

import ipaddress
import re

from foxhunt.errors import BenignValueError, ParseError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# ASCII only: str.isdigit() also accepts "²" and "٣", and int("٣") is 3.
_PORT = re.compile(r"[0-9]{1,5}")


def canonical_address(text: str) -> str | None:
    """Return a logged address in the form addresses are compared in, or None if it is none.

    v4-mapped IPv6 becomes IPv4; IPv6 is compressed and lower case; a zone id and
    surrounding brackets are dropped.

    >>> canonical_address("::FFFF:203.0.113.7")
    '203.0.113.7'
    >>> canonical_address("2001:DB8:0::1")
    '2001:db8::1'
    """
    text = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)


def parse_ip_port(text: str) -> tuple[IPAddress, int]:
    """Split an ``ip:port`` indicator into address and port.

    Args:
        text: ``203.0.113.7:443`` or ``[2001:db8::1]:443``. Not defanged.

    Raises:
        ParseError: Anything else, bare IPv6 without brackets included,
            since ``2001:db8::1:443`` has two readings.
        BenignValueError: An address that is not on the public internet.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise ParseError(f"no port 1..65535 after the last ':' in {text[:80]!r}")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ParseError(f"ambiguous IPv6 in {text[:80]!r}", hint="write it as [address]:port")
    try:
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        raise ParseError(f"not an IP address: {host[:80]!r} in {text[:80]!r}") from None
    if bracketed != (address.version == 6):
        raise ParseError(f"brackets are for IPv6 only: {text[:80]!r}")
    if getattr(address, "scope_id", None):
        raise ParseError(f"scoped address cannot be an indicator: {text[:80]!r}")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast:
        raise BenignValueError(f"not a public address: {address}")
    return address, int(port)


def format_ip_port(address: IPAddress, port: int) -> str:
    """The canonical text of an ``ip:port`` value.

    >>> format_ip_port(ipaddress.ip_address("2001:db8::1"), 443)
    '[2001:db8::1]:443'
    """
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
