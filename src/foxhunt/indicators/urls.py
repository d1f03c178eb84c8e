"""URLs (R4): the WHATWG reading, and the key two spellings of one URL share."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import ada_url

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators.addresses import canonical_address
from foxhunt.indicators.domains import canonical_name, parse_domain

_SCHEME = re.compile(r"^\s*([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_PORT = re.compile(r"^[^/?#\\@\s]+$")
_SCHEMELESS = re.compile(r"^[^/?#\\@\s]+([/?#]|$)")
# WHATWG's special schemes, which have a port of their own (https://url.spec.whatwg.org, 2025).
_WEB = frozenset({"http", "https", "ws", "wss", "ftp"})
MAX_URL = 16_384


@dataclass(frozen=True, slots=True)
class UrlKey:
    """What of a URL is compared.

    Attributes:
        host: Canonical name or address; IPv6 without brackets.
        port: Port that is not the scheme's own, as text, or ``""``.
        path: Path and query, as WHATWG writes them; ``None`` if only a host was seen
            (a bare host name, a CONNECT ``host:port``).
    """

    host: str
    port: str
    path: str | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}{':' + self.port if self.port else ''}{self.path or ''}"


def url_key(text: str) -> UrlKey | None:
    """Return the key of a URL as a log shows it, or None if it is no URL at all.

    The scheme, the scheme's port, credentials and the fragment are left out.
    Without a scheme, ``80`` and ``443`` both count as the scheme's port, and a
    text without path is a host that was seen, not a URL. A scheme that is not one
    of the web's has no port of its own.

    >>> str(url_key("HTTP://u:p@Evil.ORG:80/A?b#c"))
    'evil.org/A?b'
    >>> str(url_key("tcp://evil.org:80/gate"))
    'evil.org:80/gate'
    >>> url_key("evil.org:443").path is None
    True
    """
    if len(text) > MAX_URL:
        return None
    scheme, rest = _split_scheme(text)
    if scheme is None and not _SCHEMELESS.match(rest):
        return None  # a path, a Windows path, a mail address
    if scheme not in _WEB and rest.startswith(("/", "\\")):
        return None  # "file:///c:/x" has no host; a browser forgives "http:///evil.org" alone
    try:
        # Read by the web's rules whatever the scheme says: WHATWG leaves the host of `tcp://`
        # opaque.
        url = ada_url.URL(f"{scheme if scheme in _WEB else 'http'}://{rest}")
        port = url.port
        if scheme is not None and scheme not in _WEB and not port:
            # That reading drops http's port, so a second one tells whether there was one.
            port = ada_url.URL(f"ftp://{rest}").port
    except (ValueError, UnicodeError):
        return None
    host = _host(url.hostname)
    if not host:
        return None
    if scheme is None and port == "443":
        port = ""  # 80 is gone already
    is_bare = scheme is None and _HOST_PORT.match(rest) is not None
    return UrlKey(host, port, None if is_bare else url.pathname + url.search)


def _split_scheme(text: str) -> tuple[str | None, str]:
    """Split off the scheme, lower case and without its slashes; None if there is none."""
    match = _SCHEME.match(text)
    if match is None:
        return None, text.strip().removeprefix("//")
    scheme = match[1].lower()
    if scheme in _WEB:
        # Browsers also take "http:evil.org" and "http:\\evil.org".
        return scheme, text[match.end() :].lstrip("/\\")
    if text[match.end() :].startswith("//"):
        return scheme, text[match.end() + 2 :]
    # "evil.org:8080/x": what stands before the colon of a scheme-less text is a host.
    return None, text.strip()


def _host(hostname: str) -> str:
    bare = hostname.removeprefix("[").removesuffix("]")
    return canonical_address(bare) or canonical_name(bare)


def parse_url(text: str) -> str:
    """Return the canonical text of a ``url`` indicator: WHATWG's, scheme kept, no fragment.

    Raises:
        ParseError: Not a URL with a host.
        BenignValueError: Its host is reserved, or an address that is not public.
    """
    if len(text) > MAX_URL:
        raise ParseError(f"longer than {MAX_URL} characters: {text[:80]!r}")
    key = url_key(text)
    if key is None:
        raise ParseError(f"not a URL with a host: {text[:80]!r}")
    _refuse_benign_host(key.host)
    scheme, _ = _split_scheme(text)
    value = f"{scheme or 'http'}://{UrlKey(key.host, key.port, key.path or '/')}"
    # Percent-encoding makes it longer, and a value that is no longer a URL has no key.
    if len(value) > MAX_URL:
        raise ParseError(f"longer than {MAX_URL} characters when encoded: {text[:80]!r}")
    return value


def _refuse_benign_host(host: str) -> None:
    if canonical_address(host) is None:
        parse_domain(host)
        return
    address = ipaddress.ip_address(host)
    if not address.is_global or address.is_multicast:
        raise BenignValueError(f"not a public address: {address}")


def continues_at_border(observed: str, indicator: str) -> bool:
    """Whether path ``observed`` goes on from path ``indicator`` at ``/``, ``?``, ``#`` or ``&``.

    >>> continues_at_border("/gate/x", "/gate")
    True
    >>> continues_at_border("/gateway", "/gate")
    False
    """
    if not observed.startswith(indicator) or observed == indicator:
        return False
    # An indicator that ends in "/" already stands at the border.
    return indicator.endswith(("/", "?", "&")) or observed[len(indicator)] in "/?#&"
