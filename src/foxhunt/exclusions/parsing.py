"""Values of conditions as a person writes them, read into patterns; refused with a remedy."""

from __future__ import annotations

import ipaddress
import re

import pyarrow as pa

from foxhunt.errors import ParseError
from foxhunt.exclusions.patterns import (
    DAYS,
    MINUTES_A_DAY,
    MINUTES_A_WEEK,
    ContainsPattern,
    DomainPattern,
    GlobPattern,
    HashPattern,
    HoursPattern,
    IndicatorPattern,
    NetworkPattern,
    Pattern,
    PortPattern,
    RegexPattern,
    UrlPattern,
    is_found,
)
from foxhunt.indicators import (
    IndicatorType,
    canonical_address,
    canonical_hash,
    canonical_name,
    parse,
    url_key,
)
from foxhunt.tables import Fact

_MAX_STARS = 8
_MAPPED_BITS = 96
_HASH_LENGTHS = (32, 40, 64)


def parse_pattern(fact: Fact, text: str) -> tuple[Pattern, ...]:
    """Read one value of a condition; ``hours`` may stand for several spans.

    Raises:
        ParseError: It is no value of that kind.
    """
    text = text.strip()
    if not text:
        raise ParseError(f"an empty {fact}")
    return _PARSERS[fact](text)


_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def _domain(text: str) -> tuple[Pattern, ...]:
    is_exact = text.startswith("=")
    name = canonical_name(text.removeprefix("="))
    if not _NAME.fullmatch(name):
        # `*.a.org` is refused too: it would be read as less than what a.org covers, a.org itself.
        covers = "a name covers itself and what is below it, =name only itself; no globs"
        raise ParseError(f"not a domain name: {text[:80]!r}", hint=covers)
    if canonical_address(name) is not None:
        raise ParseError(f"an address, not a name: {text[:80]!r}", hint="use remote_ip")
    return (DomainPattern(name, is_exact),)


def _url(text: str) -> tuple[Pattern, ...]:
    key = url_key(text)
    if key is None or key.path is None:
        raise ParseError(
            f"not a URL with a path: {text[:80]!r}", hint="for a whole host use domain"
        )
    return (UrlPattern(key),)


def _network(text: str) -> tuple[Pattern, ...]:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        hint = None
        if "host bits" in str(error):
            hint = f"write {ipaddress.ip_network(text, strict=False)}"
        raise ParseError(f"not an address or range: {str(error)[:120]}", hint=hint) from None
    if isinstance(network, ipaddress.IPv6Network):
        if network.network_address.scope_id is not None:
            raise ParseError(f"an address with a zone: {text[:80]!r}", hint="leave out %...")
        # Logged v4-mapped addresses are compared as IPv4 (R2): this would match nothing else.
        mapped = network.network_address.ipv4_mapped
        if mapped is not None and network.prefixlen >= _MAPPED_BITS:
            network = ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return (NetworkPattern(network),)


def _port(text: str) -> tuple[Pattern, ...]:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ParseError(f"not a port from 1 to 65535: {text[:80]!r}")
    return (PortPattern(int(text)),)


def _glob(text: str) -> tuple[Pattern, ...]:
    if text.count("*") > _MAX_STARS:
        raise ParseError(f"more than {_MAX_STARS} * in {text[:80]!r}")
    return (GlobPattern(text.lower()),)


def _command_line(text: str) -> tuple[Pattern, ...]:
    if len(text) < 3 or not (text.startswith("/") and text.endswith("/")):
        return (ContainsPattern(text),)
    pattern = RegexPattern(text[1:-1])
    try:
        is_found(pattern.regex, "")
    except pa.ArrowInvalid as error:
        raise ParseError(f"not an RE2 expression: {str(error)[:200]}") from None
    return (pattern,)


def _hash(text: str) -> tuple[Pattern, ...]:
    if len(text) not in _HASH_LENGTHS:
        raise ParseError(f"not an MD5, SHA-1 or SHA-256 hash: {text[:80]!r}")
    # As `parse` reads it, but for benign hashes, which is what stands here.
    value = canonical_hash(text)
    if not re.fullmatch(r"[0-9a-f]+", value):
        raise ParseError(f"not hexadecimal: {text[:80]!r}")
    return (HashPattern(value),)


def _indicator(text: str) -> tuple[Pattern, ...]:
    found = dict.fromkeys(_indicator_values(text))
    if not found:
        raise ParseError(f"not the value of an indicator: {text[:80]!r}")
    return tuple(IndicatorPattern(value) for value in found)


def _indicator_values(text: str) -> list[str]:
    values = []
    for type_ in IndicatorType:
        if type_ in (IndicatorType.ENVELOPE_FROM, IndicatorType.BODY_FROM):
            continue
        try:
            value = parse(text, type_)
        except ParseError:
            continue
        # A domain also parses as a URL without path; only what it was written as is meant.
        if type_ is not IndicatorType.URL or "/" in text:
            values.append(value)
    return values


_SPAN = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+)?(?P<start>\d\d:\d\d)\s*-\s*"
    r"(?:(?P<until>[a-z]{3})\s+)?(?P<end>\d\d:\d\d)\s+utc",
    re.IGNORECASE | re.ASCII,  # int() also reads "٢٢"
)


def _hours(text: str) -> tuple[Pattern, ...]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ParseError(
            f"not hours: {text[:80]!r}",
            hint="Sat 22:00-Sun 04:00 UTC, Mon-Fri 08:00-18:00 UTC or 02:00-04:00 UTC",
        )
    start, end = _minute(match["start"]), _minute(match["end"])
    if match["until"] is not None:
        if match["first"] is None or match["last"] is not None:
            raise ParseError(f"a span over days starts on one day: {text[:80]!r}")
        first = _day(match["first"]) * MINUTES_A_DAY + start
        last = _day(match["until"]) * MINUTES_A_DAY + end
        return (_span(first, last, text),)
    days = range(7)
    if match["first"] is not None:
        first_day = _day(match["first"])
        length = (_day(match["last"]) - first_day) % 7 if match["last"] else 0
        days = range(first_day, first_day + length + 1)
    # 22:00-04:00 runs into the next day.
    over = MINUTES_A_DAY if end <= start else 0
    return tuple(
        _span(day * MINUTES_A_DAY + start, day * MINUTES_A_DAY + end + over, text) for day in days
    )


def _minute(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    if minute > 59 or hour * 60 + minute > MINUTES_A_DAY:
        raise ParseError(f"not a time of day: {text!r}")
    return hour * 60 + minute


def _day(text: str) -> int:
    if text.lower() not in DAYS:
        raise ParseError(f"not a day: {text!r}", hint=", ".join(day.title() for day in DAYS))
    return DAYS.index(text.lower())


def _span(start: int, end: int, text: str) -> HoursPattern:
    if start == end:
        raise ParseError(f"an empty span of hours: {text[:80]!r}")
    return HoursPattern(start % MINUTES_A_WEEK, end % MINUTES_A_WEEK)


_PARSERS = {
    Fact.DOMAIN: _domain,
    Fact.URL: _url,
    Fact.REMOTE_IP: _network,
    Fact.REMOTE_PORT: _port,
    Fact.SOURCE_IP: _network,
    Fact.HOST: _glob,
    Fact.USER: _glob,
    Fact.PROCESS: _glob,
    Fact.PARENT_PROCESS: _glob,
    Fact.COMMAND_LINE: _command_line,
    Fact.PATH: _glob,
    Fact.HASH: _hash,
    Fact.INDICATOR: _indicator,
    Fact.HOURS: _hours,
}
