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

from foxhunt.indicators import (
    UrlKey,
    canonical_address,
    canonical_hash,
    canonical_name,
    continues_at_border,
    url_key,
)
from foxhunt.tables import Fact

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# What a value is made into before it is compared; several spellings of one value count as one.
Comparable = str | int | UrlKey | ipaddress.IPv4Address | ipaddress.IPv6Address | tuple[str, ...]

MINUTES_A_DAY = 24 * 60
MINUTES_A_WEEK = 7 * MINUTES_A_DAY
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
        return any(is_found(self.regex, spelling) for spelling in value)


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
        return isinstance(value, str) and is_found(self.regex, value)


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
def is_found(regex: str, text: str) -> bool:
    """Whether an RE2 expression is found in ``text``.

    Raises:
        pa.ArrowInvalid: It is no RE2 expression.
    """
    found = pc.match_substring_regex(pa.scalar(text), pattern=regex).as_py()
    return bool(found)


def comparable(fact: Fact, text: str) -> Comparable | None:
    """Make a logged value comparable, or None when it is no value of that fact."""
    if fact in (Fact.HOURS, Fact.REMOTE_PORT):
        # Of digits without end, which an attacker may log, int() raises.
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None
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


# Names as nearly all are logged. One whose last label begins with a letter is no address (WHATWG
# URL, "ends in a number checker", 2024-09).
_PLAIN_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*")


def _name(text: str) -> str | None:
    # ASCII alone: the Kelvin sign's lower case is a k.
    lower = text.lower()
    if text.isascii() and _PLAIN_NAME.fullmatch(lower) and "xn--" not in lower:
        return lower  # which is what all of the below comes to, for a tenth of the time
    key = url_key(text)
    name = key.host if key is not None else canonical_name(text)
    return name if name and canonical_address(name) is None else None
