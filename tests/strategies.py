"""Hypothesis strategies that several property tests share."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

from hypothesis import strategies as st

from foxhunt.indicators import IndicatorType

# Every character that ends, quotes, escapes, separates or bends a line in one of our languages,
# those that defanging uses, digits that are none in ASCII, and dots that are none in DNS.
HOSTILE_CHARACTERS = (
    "abxz0189AZ.:/?#&@%\\[](){}<>'\"`$;,|=+*-_~^! \t\n\r\0\x1b\x7f"
    "\u00b2\u00df\u00fc\u0130\u0131\u0663\u200d\u2028\u202e\u2024\u3002\uff0e\uff41\ufeff\ud800"
    "\U0001f98a"
)
_FRAGMENTS = (
    *("hxxp://", "hxxps[:]//", "http://", "HTTPS://", "tcp://", "file:///", "h**p://", "evil"),
    *(".org", "[.]", "[dot]", "(at)", "\\.", "[:]", "[/]", ":443", ":80", "/gate", "?a=b", "#c"),
    *("203.0.114.7", "[2a02:4780::1]", "::ffff:", "xn--", "0x7f", "%2e", "../", "d41d8cd9"),
)


def hostile_text(max_size: int = 40) -> st.SearchStrategy[str]:
    """Text that no honest feed holds: fragments of every spelling, and what breaks them."""
    pieces = st.one_of(st.sampled_from(_FRAGMENTS), st.sampled_from(HOSTILE_CHARACTERS))
    return st.lists(pieces, max_size=max_size).map("".join) | st.text(max_size=max_size)


_LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9])?", fullmatch=True)


def domain_names() -> st.SearchStrategy[str]:
    """Canonical names of two to four labels that are nobody's reserved ones."""
    tops = st.sampled_from(["org", "com", "ru", "co.uk", "xn--p1ai", "duckdns.org", "zip"])
    return st.tuples(st.lists(_LABELS, min_size=1, max_size=3), tops).map(
        # "example" is reserved below these tops (RFC 2606).
        lambda parts: ".".join(["fox" + parts[0][0], *parts[0][1:], parts[1]])
    )


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_global and not address.is_multicast and mapped is None


def public_addresses() -> st.SearchStrategy[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Addresses that can be an indicator, of both families."""
    return st.one_of(
        st.ip_addresses(v=4).filter(_is_public),
        # Half of a random IPv6 range is unassigned; 2000::/3 is what is routed.
        st.integers(0x2A00 << 112, (0x2A11 << 112) - 1).map(ipaddress.IPv6Address),
    )


def ports() -> st.SearchStrategy[int]:
    """Ports that exist, the web's often."""
    return st.sampled_from([80, 443, 21, 8080]) | st.integers(1, 65535)


def ip_ports() -> st.SearchStrategy[str]:
    """Canonical ``ip:port`` values."""
    return st.tuples(public_addresses(), ports()).map(
        lambda pair: f"[{pair[0]}]:{pair[1]}" if pair[0].version == 6 else f"{pair[0]}:{pair[1]}"
    )


def url_paths() -> st.SearchStrategy[str]:
    """Paths with queries, in whatever characters people put there but ``#``."""
    alphabet = "abcXYZ019/._-~%&=?[]{}|^\"'`<> ;:@!$()*+,\\\u00fc\u3042\U0001f98a"
    # A blank at the end of a URL is dropped, before a fragment it is encoded (WHATWG).
    return st.text(alphabet, max_size=30).map(lambda text: f"/{text.rstrip()}")


def urls() -> st.SearchStrategy[str]:
    """URLs that parse as indicators, not yet canonical."""
    schemes = st.sampled_from(["http", "https", "HTTP", "ftp", "ws", "tcp", "httpx", "ldap"])
    hosts = st.one_of(
        domain_names(),
        domain_names().map(str.upper),
        public_addresses().map(lambda a: f"[{a}]" if a.version == 6 else str(a)),
    )
    numbers = st.just("") | ports().map(lambda port: f":{port}")
    parts = st.tuples(schemes, hosts, numbers, st.just("") | url_paths())
    return parts.map(lambda p: f"{p[0]}://{p[1]}{p[2]}{p[3]}")


def hash_values(kind: IndicatorType, digits: int) -> st.SearchStrategy[tuple[IndicatorType, str]]:
    """Hashes of one kind in any case."""
    texts = st.text("0123456789abcdefABCDEF", min_size=digits, max_size=digits)
    return texts.filter(lambda text: set(text) != {"0"}).map(lambda text: (kind, text))


def indicator_texts() -> st.SearchStrategy[tuple[IndicatorType, str]]:
    """A type and a text that parses as it, of every type."""
    senders = domain_names().map(lambda name: f"Mail@{name}")
    return st.one_of(
        domain_names().map(lambda v: (IndicatorType.DOMAIN, v)),
        ip_ports().map(lambda v: (IndicatorType.IP_PORT, v)),
        urls().map(lambda v: (IndicatorType.URL, v)),
        hash_values(IndicatorType.MD5, 32),
        hash_values(IndicatorType.SHA1, 40),
        hash_values(IndicatorType.SHA256, 64),
        hash_values(IndicatorType.SHA3_384, 96),
        senders.map(lambda v: (IndicatorType.ENVELOPE_FROM, v)),
        senders.map(lambda v: (IndicatorType.BODY_FROM, v)),
    )


def utc_times() -> st.SearchStrategy[datetime]:
    """Aware UTC times of ThreatFox's own years, to the second as the feed writes them."""
    return st.datetimes(datetime(2020, 12, 1), datetime(2027, 1, 1)).map(
        lambda time: time.replace(microsecond=0, tzinfo=UTC)
    )
