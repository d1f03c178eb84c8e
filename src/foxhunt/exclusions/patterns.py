"""Patterns of conditions: what a value of an event is compared with, and how.

A value as logged is first made comparable (`comparable`), then tried against each pattern.
A value that is none of its kind (a DNS name where an address should be) tells nothing.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import ParseError
from foxhunt.indicators import (
    IndicatorType,
    UrlKey,
    canonical_address,
    canonical_hash,
    canonical_name,
    continues_at_border,
    parse,
    url_key,
)
from foxhunt.tables import Fact

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# What a value is made into before it is compared; several spellings of one value count as one.
Comparable = str | int | UrlKey | ipaddress.IPv4Address | ipaddress.IPv6Address | tuple[str, ...]

MINUTES_A_DAY = 24 * 60
MINUTES_A_WEEK = 7 * MINUTES_A_DAY
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MAX_STARS = 8
_HASH_TYPES = {32: IndicatorType.MD5, 40: IndicatorType.SHA1, 64: IndicatorType.SHA256}


@dataclass(frozen=True, slots=True)
class DomainPattern:
    """A name and, unless ``is_exact``, everything below it; hence URLs on them too."""

    name: str
    is_exact: bool

    def matches(self, value: Comparable) -> bool:
        """Whether a canonical name is meant."""
        if value == self.name:
            return True
        return not self.is_exact and isinstance(value, str) and value.endswith("." + self.name)


@dataclass(frozen=True, slots=True)
class UrlPattern:
    """A URL, and those that go on from it (R4)."""

    key: UrlKey

    def matches(self, value: Comparable) -> bool:
        """Whether a URL's key is meant."""
        if not isinstance(value, UrlKey) or (value.host, value.port) != (
            self.key.host,
            self.key.port,
        ):
            return False
        path, wanted = value.path or "/", self.key.path or "/"
        return path == wanted or continues_at_border(path, wanted)


@dataclass(frozen=True, slots=True)
class NetworkPattern:
    """An address or a range."""

    network: Network

    def matches(self, value: Comparable) -> bool:
        """Whether an address lies in it."""
        if not isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
            return False
        return value.version == self.network.version and value in self.network


@dataclass(frozen=True, slots=True)
class PortPattern:
    """A port."""

    port: int

    def matches(self, value: Comparable) -> bool:
        """Whether it is this port."""
        return value == self.port


@dataclass(frozen=True, slots=True)
class GlobPattern:
    """A glob, case-insensitive: ``*`` is any text, also with backslashes; ``?`` one character."""

    glob: str

    @property
    def regex(self) -> str:
        """The same as an RE2 expression for a whole lower-case value."""
        parts = {"*": ".*", "?": "."}
        body = "".join(parts.get(char) or re.escape(char) for char in self.glob.lower())
        return f"(?s)^{body}$"

    def matches(self, value: Comparable) -> bool:
        """Whether a spelling of the value (its file name, its first label) is meant."""
        if not isinstance(value, tuple):
            return False
        return any(_search(self.regex, spelling) for spelling in value)


@dataclass(frozen=True, slots=True)
class ContainsPattern:
    """A text that a command line contains, in any case."""

    text: str

    def matches(self, value: Comparable) -> bool:
        """Whether the value contains it."""
        return isinstance(value, str) and self.text.lower() in value.lower()


@dataclass(frozen=True, slots=True)
class RegexPattern:
    """An RE2 expression that a command line contains, in any case."""

    expression: str

    @property
    def regex(self) -> str:
        """The expression with the flag that ignores case."""
        return f"(?i){self.expression}"

    def matches(self, value: Comparable) -> bool:
        """Whether it is found in the value."""
        return isinstance(value, str) and _search(self.regex, value)


@dataclass(frozen=True, slots=True)
class HashPattern:
    """A hash, of any kind."""

    value: str

    def matches(self, value: Comparable) -> bool:
        """Whether it is this hash."""
        return value == self.value


@dataclass(frozen=True, slots=True)
class IndicatorPattern:
    """The value of an indicator, canonical."""

    value: str

    def matches(self, value: Comparable) -> bool:
        """Whether the indicator that was met has it."""
        return value == self.value


@dataclass(frozen=True, slots=True)
class HoursPattern:
    """A span of every week, in minutes from Monday 00:00 UTC; may run over the week's end.

    Attributes:
        start: First minute that is in it.
        end: First minute that is not.
    """

    start: int
    end: int

    def matches(self, value: Comparable) -> bool:
        """Whether a minute of the week lies in it."""
        if not isinstance(value, int):
            return False
        if self.start < self.end:
            return self.start <= value < self.end
        return value >= self.start or value < self.end


Pattern = (
    DomainPattern
    | UrlPattern
    | NetworkPattern
    | PortPattern
    | GlobPattern
    | ContainsPattern
    | RegexPattern
    | HashPattern
    | IndicatorPattern
    | HoursPattern
)


# RE2, so that no expression of a user and no value of an attacker can make it run away.
@lru_cache(maxsize=65536)
def _search(regex: str, text: str) -> bool:
    found = pc.match_substring_regex(pa.scalar(text), pattern=regex).as_py()
    return bool(found)


def parse_pattern(fact: Fact, text: str) -> tuple[Pattern, ...]:
    """Read one value of a condition; ``hours`` may stand for several spans.

    Raises:
        ParseError: It is no value of that kind.
    """
    text = text.strip()
    if not text:
        raise ParseError(f"an empty {fact}")
    return _PARSERS[fact](text)


def _domain(text: str) -> tuple[Pattern, ...]:
    is_exact = text.startswith("=")
    name = text.removeprefix("=").removeprefix("*.") if not is_exact else text.removeprefix("=")
    name = canonical_name(name)
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name):
        raise ParseError(
            f"not a domain name: {text[:80]!r}", hint="no globs; it covers what is below it"
        )
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
        raise ParseError(f"not an address or range: {error}", hint=hint) from None
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
        _search(pattern.regex, "")
    except pa.ArrowInvalid as error:
        raise ParseError(f"not an RE2 expression: {str(error)[:200]}") from None
    return (pattern,)


def _hash(text: str) -> tuple[Pattern, ...]:
    type_ = _HASH_TYPES.get(len(text))
    if type_ is None:
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
    re.IGNORECASE,
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


def comparable(fact: Fact, text: str) -> Comparable | None:
    """Make a logged value comparable, or None when it is no value of that fact."""
    if fact in (Fact.HOURS, Fact.REMOTE_PORT):
        return int(text) if text.isascii() and text.isdigit() else None
    if not text.strip():
        return None
    match fact:
        case Fact.DOMAIN:
            return _name(text)
        case Fact.URL:
            key = url_key(text)
            return key if key is not None and key.path is not None else None
        case Fact.REMOTE_IP | Fact.SOURCE_IP:
            address = canonical_address(text)
            return ipaddress.ip_address(address) if address else None
        case Fact.PROCESS | Fact.PARENT_PROCESS | Fact.PATH:
            lower = text.strip().lower()
            return tuple(dict.fromkeys([lower, re.split(r"[\\/]", lower)[-1]]))
        case Fact.HOST:
            lower = text.strip().lower()
            is_name = canonical_address(lower) is None
            return tuple(dict.fromkeys([lower, lower.split(".")[0] if is_name else lower]))
        case Fact.USER:
            lower = text.strip().lower()
            return tuple(dict.fromkeys([lower, lower.rsplit("\\", 1)[-1]]))
        case Fact.HASH:
            return canonical_hash(text) or None
        case _:
            return text


def _name(text: str) -> str | None:
    key = url_key(text)
    name = key.host if key is not None else canonical_name(text)
    return name if name and canonical_address(name) is None else None
