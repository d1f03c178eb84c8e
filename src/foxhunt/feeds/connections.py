"""One connection: its proxy, its key, its deadline, and what its libraries log.

The key is put into a request below httpx, where the bytes are made, so that no request,
error or log line of httpx ever holds it.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import TracebackType
from typing import Any
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import httpx

from foxhunt.errors import UsageError
from foxhunt.feeds.endpoints import is_host, is_loopback
from foxhunt.feeds.secrets import Secret, redact

# Stands in a URL's path where the key goes.
KEY_MARK = "AUTH-KEY"
_EXTENSION = "foxhunt.key_place"
# A filter of a logger sees the records of that logger alone, not those of the ones below it.
_LOGGERS = tuple(
    logging.getLogger(name)
    for name in (
        *("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2"),
        *("httpcore.proxy", "httpcore.socks"),
    )
)


class KeyPlace(StrEnum):
    """Where a request carries the key."""

    NOWHERE = "nowhere"
    HEADER = "header"
    PATH = "path"  # in place of `KEY_MARK`


class KeyedTransport(httpx.BaseTransport):
    """Puts the key where a request's extensions ask for it; see `with_key`."""

    def __init__(self, inner: httpx.BaseTransport, secret: Secret | None) -> None:
        self._inner, self._secret = inner, secret

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        place = request.extensions.get(_EXTENSION, KeyPlace.NOWHERE)
        if self._secret is None or place == KeyPlace.NOWHERE:
            return self._inner.handle_request(request)
        url, headers = request.url, request.headers.copy()
        if place == KeyPlace.HEADER:
            headers["Auth-Key"] = self._secret.value
        else:
            path = url.raw_path.replace(KEY_MARK.encode(), in_url(self._secret).encode())
            url = url.copy_with(raw_path=path)
        return self._inner.handle_request(
            httpx.Request(
                request.method,
                url,
                headers=headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        self._inner.close()


def with_key(place: KeyPlace) -> dict[str, object]:
    """The extensions of a request that carries the key."""
    return {_EXTENSION: place}


def in_url(secret: Secret) -> str:
    """The key as a segment of a URL's path."""
    return quote(secret.value, safe="")


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """The proxy that the environment names for ``url``, as curl and Python read it.

    This machine is never asked through a proxy: it would be the proxy's own, and would be
    told a key in the clear.

    Raises:
        UsageError: What the environment names is no proxy.
    """
    if is_loopback(url.host) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address:
        return None
    # Not quoted in messages: a proxy's address may hold a password.
    hint = "HTTPS_PROXY is like http://proxy.example:3128, NO_PROXY names what needs none"
    with suppress(httpx.InvalidURL, ValueError):
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
        if proxy.url.scheme in ("http", "https") and is_host(proxy.url.host):
            return proxy
    raise UsageError(
        f"the proxy that the environment names for {url.scheme} is no http proxy", hint=hint
    )


class Watchdog:
    """Ends a connection at its deadline, whatever it waits for.

    The time-outs of a socket are about one read each: a server that sends a byte now and
    then, of its headers even, never meets one.
    """

    def __init__(self, deadline: float) -> None:
        """Watch until ``deadline``, a time of `time.monotonic`."""
        self._deadline = deadline
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._has_ended = False
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watchdog:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for copy in self._sockets:
                copy.close()
            self._sockets.clear()

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed: an answer that ends now may have been ended by us."""
        return self._has_ended or time.monotonic() >= self._deadline

    # Any: httpcore's objects, by name of the event.
    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn of a new socket: the extension ``trace`` of httpcore's requests (1.0)."""
        if not event.endswith("connect_tcp.complete"):
            return
        own = info["return_value"].get_extra_info("socket")
        with self._lock:
            # A copy: wrapping it for TLS takes the file away from the object that we are given.
            self._sockets.append(own.dup())
        if self.is_over:
            self._end()

    def _end(self) -> None:
        self._has_ended = True
        with self._lock:
            for copy in self._sockets:
                with suppress(OSError):  # closed by the other side
                    copy.shutdown(socket.SHUT_RDWR)


@contextmanager
def redacted_logs(secret: Secret | None) -> Iterator[None]:
    """Keep the key out of what httpx and httpcore log: a server may repeat it in a header."""
    if secret is None:
        yield
        return
    hiding = _Hiding(secret)
    for logger in _LOGGERS:
        logger.addFilter(hiding)
    try:
        yield
    finally:
        for logger in _LOGGERS:
            logger.removeFilter(hiding)


class _Hiding(logging.Filter):
    def __init__(self, secret: Secret) -> None:
        super().__init__()
        self._secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage(), self._secret), ()
        return True
