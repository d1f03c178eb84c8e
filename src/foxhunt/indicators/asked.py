"""What a text that a person typed can mean: in any spelling, defanged or not."""

from __future__ import annotations

from dataclasses import dataclass

from foxhunt.errors import ParseError, UsageError
from foxhunt.indicators.addresses import canonical_address
from foxhunt.indicators.domains import parse_domain
from foxhunt.indicators.fang import refang
from foxhunt.indicators.model import IndicatorType
from foxhunt.indicators.parsing import parse
from foxhunt.indicators.urls import UrlKey, url_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A value that is looked for.

    Attributes:
        text: As it was typed.
        values: The canonical value under each type that the text can be of; a URL that
            names no more than its host is left out.
        url: Key of the URL it is (R4), so that the scheme does not count; else None.
        host: Canonical name or address that it is, or that it is on; None for a hash.
        is_address: Whether the text is an address without a port.
    """

    text: str
    values: tuple[tuple[IndicatorType, str], ...]
    url: UrlKey | None
    host: str | None
    is_address: bool

    def is_of(self, type_: IndicatorType) -> bool:
        """Whether the text can be a value of ``type_``."""
        return any(found is type_ for found, _ in self.values)

    @property
    def is_hash(self) -> bool:
        """Whether the text is a file's hash."""
        return any(found.is_hash for found, _ in self.values)


def understood(text: str) -> Asked:
    """Read a value in every way it can be read.

    Raises:
        UsageError: There is nothing in it.

    >>> understood("hxxps://Evil[.]org/a").url
    UrlKey(host='evil.org', port='', path='/a')
    >>> understood("203[.]0[.]113[.]7").is_address
    True
    """
    plain = refang(text)
    if not plain:
        raise UsageError("the value is empty")
    key = url_key(plain)
    values = tuple(_values(text, key))
    is_hash = any(type_.is_hash for type_, _ in values)
    address = canonical_address(plain)
    return Asked(
        text=text,
        values=values,
        url=key if any(type_ is IndicatorType.URL for type_, _ in values) else None,
        host=None if is_hash else address or _host(key),
        is_address=address is not None,
    )


def host_of(text: str) -> str:
    """Return the name or address that ``text`` is or is on, in the form hosts are compared in.

    Raises:
        UsageError: It names none.
    """
    host = understood(text).host
    if host is None:
        raise UsageError(f"{text[:80]!r} names no domain and no address", hint="evil.example.org")
    return host


def _values(text: str, key: UrlKey | None) -> list[tuple[IndicatorType, str]]:
    found = []
    for type_ in IndicatorType:
        if type_ is IndicatorType.URL and (key is None or key.path is None):
            continue
        try:
            found.append((type_, parse(text, type_)))
        except ParseError:
            continue
    return found


def _host(key: UrlKey | None) -> str | None:
    if key is None:
        return None
    if canonical_address(key.host) is not None:
        return key.host
    try:
        return parse_domain(key.host)
    except ParseError:
        # A single label, or a reserved name: no feed's indicator is on it.
        return None
