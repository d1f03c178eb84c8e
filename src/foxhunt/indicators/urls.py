"""URLs (R4): the WHATWG reading, and the key two spellings of one URL share."""

from __future__ import annotations

import re
from dataclasses import dataclass

import ada_url

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.indicators.addresses import canonical_address
from foxhunt.indicators.domains import canonical_name, parse_domain

_SCHEME = re.compile(r"^\s*([A-Za-z][A-Za-z0-9+.-]*):[/\\]*")
_HOST_PORT = re.compile(r"^[^/?#\\@\s]+$")
_SCHEMELESS = re.compile(r"^(//)?[^/?#\\@\s]+([/?#]|$)")
_WEB = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_MAX_URL = 16_384


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
    text without path is a host that was seen, not a URL.

    >>> str(url_key("HTTP://u:p@Evil.ORG:80/A?b#c"))
    'evil.org/A?b'
    >>> url_key("evil.org:443").path is None
    True
    """
    if len(text) > _MAX_URL:
        return None
    match = _SCHEME.match(text)
    # "evil.org:8080/x": what stands before the colon of a scheme-less text is a host. A real
    # scheme is followed by slashes, or is one of the web's own.
    scheme = match[1].lower() if match and _is_scheme(text, match) else None
    rest = text[match.end() :] if match and scheme else text.strip()
    if scheme is None:
        if not _SCHEMELESS.match(rest):
            return None  # a path, a Windows path, a mail address
        rest = rest.removeprefix("//")
    bare = scheme is None and _HOST_PORT.match(rest) is not None
    # Read by the web's rules whatever the scheme says: WHATWG leaves the host of `tcp://` opaque.
    try:
        url = ada_url.URL(f"{scheme if scheme in _WEB else 'http'}://{rest}")
    except (ValueError, UnicodeError):
        return None
    host = _host(url.hostname)
    if not host:
        return None
    port = url.port
    if scheme is None and port in ("80", "443"):
        port = ""
    return UrlKey(host, port, None if bare else url.pathname + url.search)


def _is_scheme(text: str, match: re.Match[str]) -> bool:
    # "evil.org:8080" is host and port; browsers also take "http:evil.org" and "http:\\\\evil.org".
    return text[match.end(1) :].startswith("://") or match[1].lower() in _WEB


def _host(hostname: str) -> str:
    bare = hostname.removeprefix("[").removesuffix("]")
    return canonical_address(bare) or canonical_name(bare)


def parse_url(text: str) -> str:
    """Return the canonical text of a ``url`` indicator: WHATWG's, scheme kept, no fragment.

    Raises:
        ParseError: Not a URL with a host.
        BenignValueError: Its host is reserved, or an address that is not public.
    """
    if len(text) > _MAX_URL:
        raise ParseError(f"longer than {_MAX_URL} characters: {text[:80]!r}")
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match and _is_scheme(text, match) else "http"
    key = url_key(text if match and _is_scheme(text, match) else f"http://{text.strip()}")
    if key is None:
        raise ParseError(f"not a URL with a host: {text[:80]!r}")
    _refuse_benign_host(key.host)
    return f"{scheme}://{key}"


def _refuse_benign_host(host: str) -> None:
    import ipaddress

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
