"""How an observed value meets an indicator: the definition of R1, R2, R4, R5 and R9.

Everything faster than this module (the SQL of an engine, the KQL of a backend) is
compared with it. It reads one value against one indicator, in the plainest way.
"""

from __future__ import annotations

import re
from enum import StrEnum

from foxhunt.indicators import (
    Indicator,
    IndicatorType,
    UrlKey,
    canonical_address,
    canonical_hash,
    canonical_name,
    continues_at_border,
    is_shared,
    parse_ip_port,
    url_key,
)
from foxhunt.tables import Shows


class MatchKind(StrEnum):
    """How an observed value met an indicator (DESIGN 4), strongest first."""

    HASH = "hash"
    URL = "url"
    EXACT = "exact"
    IP_PORT = "ip:port"
    URL_PREFIX = "url-prefix"
    SUBDOMAIN = "subdomain"
    IP = "ip"
    RESOLVED_IP = "resolved-ip"
    URL_HOST = "url-host"
    TERM = "term"

    @property
    def is_strong(self) -> bool:
        """Whether the match alone is proof of contact; weak ones are a reason to look."""
        return self not in _WEAK

    @property
    def rank(self) -> int:
        """Position in the order above; lower is stronger."""
        return _RANKS[self]


_WEAK = frozenset({MatchKind.IP, MatchKind.RESOLVED_IP, MatchKind.URL_HOST, MatchKind.TERM})
_RANKS = {kind: rank for rank, kind in enumerate(MatchKind)}

_HASH_OF = {
    Shows.MD5: frozenset({IndicatorType.MD5}),
    Shows.SHA1: frozenset({IndicatorType.SHA1}),
    Shows.SHA256: frozenset({IndicatorType.SHA256}),
    Shows.HASH: frozenset({IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256}),
}

# Which types of indicator a column can meet, by what it shows (DESIGN 5).
TYPES_MET: dict[Shows, frozenset[IndicatorType]] = {
    Shows.NAME: frozenset({IndicatorType.DOMAIN, IndicatorType.URL}),
    Shows.URL: frozenset({IndicatorType.DOMAIN, IndicatorType.URL}),
    Shows.ADDRESS: frozenset({IndicatorType.IP_PORT, IndicatorType.URL}),
    Shows.ANSWERS: frozenset({IndicatorType.IP_PORT}),
    **_HASH_OF,
}

# One string with several answers: "1.2.3.4, 5.6.7.8" (DnsEvents), JSON lists, "a;b" (Sysmon).
ANSWER_SEPARATORS = r"[ \t\r\n,;|\[\]{}\"']+"
_SEPARATORS = re.compile(ANSWER_SEPARATORS)


def match(shows: Shows, observed: str, port: int | None, indicator: Indicator) -> MatchKind | None:
    """How ``observed`` meets ``indicator``, or None if it does not.

    Args:
        shows: What the column holds.
        observed: Its value, as logged.
        port: The remote port of an address, None if the table has none or it is unknown.
        indicator: What to look for.
    """
    if indicator.type not in TYPES_MET[shows]:
        return None
    if shows is Shows.NAME:
        return _match_name(canonical_name(observed), indicator)
    if shows is Shows.URL:
        key = url_key(observed)
        return _match_url(key, indicator) if key else None
    if shows is Shows.ADDRESS:
        return _match_address(canonical_address(observed), port, indicator)
    if shows is Shows.ANSWERS:
        answers = {canonical_address(text) for text in _SEPARATORS.split(observed)}
        address, _ = parse_ip_port(indicator.value)
        return MatchKind.RESOLVED_IP if str(address) in answers else None
    return MatchKind.HASH if canonical_hash(observed) == indicator.value else None


def _match_name(name: str, indicator: Indicator) -> MatchKind | None:
    if indicator.type is IndicatorType.URL:
        return _only_host_seen(name, indicator)
    if name == indicator.value:
        return MatchKind.EXACT
    # R1: below a name that many unrelated parties share lies anybody.
    if name.endswith("." + indicator.value) and not is_shared(indicator.value):
        return MatchKind.SUBDOMAIN
    return None


def _match_url(observed: UrlKey, indicator: Indicator) -> MatchKind | None:
    if indicator.type is IndicatorType.DOMAIN:
        return _match_name(observed.host, indicator)
    if observed.path is None:
        return _only_host_seen(observed.host, indicator)
    wanted = url_key(indicator.value)
    if wanted is None or (observed.host, observed.port) != (wanted.host, wanted.port):
        return None
    path = wanted.path or "/"
    if observed.path == path:
        return MatchKind.URL
    # The front page of a shared service is the way to everybody's pages.
    if path == "/" and is_shared(wanted.host):
        return None
    return MatchKind.URL_PREFIX if continues_at_border(observed.path, path) else None


def _match_address(address: str | None, port: int | None, indicator: Indicator) -> MatchKind | None:
    if address is None:
        return None
    if indicator.type is IndicatorType.URL:
        return _only_host_seen(address, indicator)
    wanted, wanted_port = parse_ip_port(indicator.value)
    if address != str(wanted):
        return None
    return MatchKind.IP_PORT if port == wanted_port else MatchKind.IP


def _only_host_seen(host: str, indicator: Indicator) -> MatchKind | None:
    wanted = url_key(indicator.value)
    if wanted is None or wanted.host != host or is_shared(host):
        return None
    return MatchKind.URL_HOST


def term_value(indicator: Indicator) -> str:
    """What the pages' queries list for an indicator: ports dropped (DESIGN 5)."""
    if indicator.type is IndicatorType.IP_PORT:
        return str(parse_ip_port(indicator.value)[0])
    return indicator.value


def match_term(shows: Shows, observed: str, indicator: Indicator) -> MatchKind | None:
    """What the pages' queries would say (R9): ``has_any`` for text, ``in`` for the rest."""
    value = term_value(indicator)
    if shows in (Shows.NAME, Shows.URL):
        return MatchKind.TERM if has_term(observed, value) else None
    return MatchKind.TERM if observed == value else None


def has_term(text: str, value: str) -> bool:
    """Kusto's ``has``: ``value`` stands in ``text``, any case, between non-alphanumerics.

    Kusto docs, has-operator and string term rules, 2024-09. A value that itself starts or
    ends with a non-alphanumeric needs no border there.

    >>> has_term("texornacu.com.evil.org", "texornacu.com")
    True
    >>> has_term("xtexornacu.com", "texornacu.com")
    False
    """
    text, value = text.lower(), value.lower()
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        before = start == 0 or not (text[start - 1].isalnum() and value[0].isalnum())
        after = end == len(text) or not (text[end].isalnum() and value[-1].isalnum())
        if before and after:
            return True
        start = text.find(value, start + 1)
    return False
