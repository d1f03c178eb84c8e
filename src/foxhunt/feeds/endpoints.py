"""Where ThreatFox is asked: its own servers, or a mirror that the environment names."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from foxhunt.errors import UsageError

# Facts of ThreatFox's API page and of the clients read for it, 2026-09.
_API = "https://threatfox-api.abuse.ch/api/v1/"
_EXPORTS = "https://threatfox.abuse.ch/export/"
_FILES = "https://threatfox-api.abuse.ch/v2/files/exports/"
_HUNTING = "https://hunting-api.abuse.ch/api/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base URLs, each with a slash at its end.

    Attributes:
        api: The one address of ThreatFox's API; gets the key.
        exports: Folder of the exports that need no key, and never get it.
        files: Folder of the keyed exports; gets the key.
        hunting: The one address of abuse.ch's Hunting API; gets the key.
    """

    api: str = _API
    exports: str = _EXPORTS
    files: str = _FILES
    hunting: str = _HUNTING

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Endpoints:
        """Take each base from its variable, or abuse.ch's own where that is not set.

        Raises:
            UsageError: A variable holds no URL that may be asked; see `base_url`.
        """
        return cls(
            api=_from(environ, "FOXHUNT_THREATFOX_API", _API),
            exports=_from(environ, "FOXHUNT_THREATFOX_EXPORTS", _EXPORTS),
            files=_from(environ, "FOXHUNT_THREATFOX_FILES", _FILES),
            hunting=_from(environ, "FOXHUNT_ABUSECH_HUNTING", _HUNTING),
        )


def _from(environ: Mapping[str, str], variable: str, default: str) -> str:
    given = environ.get(variable, "").strip()
    return base_url(given, variable) if given else default


def base_url(text: str, variable: str) -> str:
    """Check a base URL and give it a slash at its end.

    Only https is taken, so that the key is never sent in the clear; http is, to this very
    machine, where a mirror or a tunnel may listen.

    Args:
        text: As the user wrote it.
        variable: What messages call it.

    Raises:
        UsageError: No URL, not https, or with credentials, a query or a fragment.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        # The library's reason is left out: it quotes what stands where a port should, which
        # in "user:password@host" is the password.
        raise UsageError(f"{variable} is no URL") from None
    if url.scheme not in ("http", "https") or not is_host(url.host):
        raise UsageError(f"{variable} is no URL of a server", hint="https://mirror.example/api/v1/")
    if url.userinfo:
        # They would be in every message and log line that names the URL; not quoted here either.
        raise UsageError(f"{variable} holds a user name or password", hint="leave them out")
    if url.query or url.fragment or "?" in text or "#" in text:
        raise UsageError(f"{variable} has more than a path: {text!r}", hint="end it with the path")
    if url.scheme == "http" and not is_loopback(url.host):
        raise UsageError(
            f"{variable} is not https: {text!r}",
            hint="http is for a server on this machine alone",
        )
    return str(url).removesuffix("/") + "/"


def is_host(name: str) -> bool:
    """Whether ``name`` can be asked for at all: the resolver crashes on an empty or long label."""
    return all(0 < len(label) < 64 for label in name.removesuffix(".").split("."))


def is_abusech(url: str) -> bool:
    """Whether ``url`` is on a server of abuse.ch's.

    >>> is_abusech("https://urlhaus.abuse.ch/x"), is_abusech("https://abuse.ch.evil.org/x")
    (True, False)
    """
    host = httpx.URL(url).host
    return host == "abuse.ch" or host.endswith(".abuse.ch")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine whatever a resolver says.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("127.0.0.1.evil.org")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
