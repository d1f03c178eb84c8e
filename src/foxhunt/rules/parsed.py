"""Values taken apart: once, since a dozen formats and queries look at each indicator."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from foxhunt.indicators import UrlKey, canonical_address, is_shared, parse_ip_port, url_key

# More than the largest family has indicators; families come one after the other.
_MOST = 50_000


@lru_cache(maxsize=_MOST)
def address_and_port(value: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """See `foxhunt.indicators.parse_ip_port`; ``value`` is an indicator's."""
    return parse_ip_port(value)


@lru_cache(maxsize=_MOST)
def key_of_url(value: str) -> UrlKey | None:
    """See `foxhunt.indicators.url_key`; ``value`` is an indicator's."""
    return url_key(value)


@lru_cache(maxsize=_MOST)
def address_of_host(host: str) -> str | None:
    """See `foxhunt.indicators.canonical_address`; ``host`` is a URL's."""
    return canonical_address(host)


@lru_cache(maxsize=_MOST)
def is_shared_host(host: str) -> bool:
    """See `foxhunt.indicators.is_shared`."""
    return is_shared(host)
