"""From a server into a file: whole, of a bounded size, in bounded time, or not at all.

One request a connection. What fails in passing (no connection, a torn answer, 429, 5xx) is tried
again with growing, jittered waits; what a second try cannot mend is not.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import httpx
import stamina

from foxhunt import __version__
from foxhunt.errors import AnswerError, FeedKeyError, HuntError, NetworkError
from foxhunt.feeds.connections import (
    KEY_MARK,
    KeyedTransport,
    KeyPlace,
    Watchdog,
    in_url,
    proxy_for,
    redacted_logs,
    with_key,
)
from foxhunt.feeds.landing import decoded, landing
from foxhunt.feeds.refusals import KEY_HINT, refusal
from foxhunt.feeds.secrets import Secret, shown
from foxhunt.feeds.validators import (
    Validators,
    forget_validators,
    read_validators,
    validators_of,
    write_validators,
)

_MAX_REDIRECTS = 3
_CHUNK = 64 * 1024
_MIB = 1024 * 1024

# stamina says "stamina.retry_scheduled" to whom listens; with nobody listening, Python would
# print it to standard error.
logging.getLogger("stamina").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often to try.

    Attributes:
        attempts: At least 1.
        wait_initial_seconds: Before the second attempt; doubled before each further one.
        wait_max_seconds: The longest such wait.
        wait_jitter_seconds: Up to so much is added, so that many machines do not ask at once.
        retry_after_max_seconds: The longest wait a server may ask for; more than that, and
            the attempt was the last.
        connect_seconds: To connect.
        read_seconds: For the next bytes of an answer.
        total_seconds: For everything, all attempts and waits included.
    """

    attempts: int = 4
    wait_initial_seconds: float = 1.0
    wait_max_seconds: float = 30.0
    wait_jitter_seconds: float = 1.0
    retry_after_max_seconds: float = 120.0
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One thing to ask for.

    Attributes:
        name: What messages call it, e.g. ``"ThreatFox get_iocs"``; holds no secret.
        url: With `KEY_MARK` in its path where the key goes, if it goes there.
        query: JSON to POST, or None to GET.
        key: Where the key goes. Only this URL's own host ever gets it.
        size_bytes: The largest answer taken, compressed and not.
        keyless_hint: What to do if the server asks for a key although none goes there.
    """

    name: str
    url: str
    query: Mapping[str, object] | None = None
    key: KeyPlace = KeyPlace.NOWHERE
    size_bytes: int = 256 * _MIB
    keyless_hint: str = KEY_HINT


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is as its server has it.

    Attributes:
        path: Whole, its transfer encoding undone.
        is_new: False if the server said that the file of the last time is still right.
    """

    path: Path
    is_new: bool


def _nothing(_: Path) -> None:
    """The check of who checks nothing."""


def _silent(_: str) -> None:
    """Where messages go when nobody wants them."""


class Transport:
    """Fetches; holds the key and how patient to be."""

    def __init__(
        self,
        secret: Secret | None = None,
        patience: Patience | None = None,
        notify: Callable[[str], None] = _silent,
    ) -> None:
        """Make one.

        Args:
            secret: None asks only for what needs no key.
            patience: None for `Patience`'s defaults.
            notify: Told, in a line without the key, why something is tried again.
        """
        self.secret = secret
        self._patience = patience or Patience()
        self._notify = notify

    def fetch(
        self,
        wanted: Wanted,
        target: Path,
        *,
        check: Callable[[Path], object] = _nothing,
        is_conditional: bool = False,
    ) -> Fetched:
        """Fetch ``wanted`` into ``target``, which stays as it was if anything goes wrong.

        Args:
            wanted: What to ask for.
            target: Its folder is made.
            check: Looks at the file before it takes its place, and raises what is wrong
                with it; a `NetworkError` is tried again. What it returns is not used.
            is_conditional: Whether to ask only for what changed since ``target`` was fetched.

        Raises:
            NetworkError: No whole answer in the time and number of attempts allowed.
            RateLimitError: Likewise, as the server asks to wait.
            FeedKeyError: There is no key where one is needed, or it is refused.
            AnswerError: The server answers something else, or more than the size limit.
            StoreError: ``target`` cannot be written.
        """
        if wanted.key != KeyPlace.NOWHERE and self.secret is None:
            raise FeedKeyError(f"{wanted.name} needs a key, and there is none", hint=KEY_HINT)
        deadline = time.monotonic() + self._patience.total_seconds
        try:
            with redacted_logs(self.secret):
                return self._tried(
                    lambda: self._attempt(wanted, target, check, is_conditional, deadline), deadline
                )
        except HuntError as error:
            failure = error
        # Without the frames below, which hold what the server said: it may repeat the key.
        raise failure.with_traceback(None)

    def _tried(self, attempt: Callable[[], Fetched], deadline: float) -> Fetched:
        """Make attempts until one succeeds or the last one fails."""
        failed: list[HuntError] = []

        def once() -> Fetched:
            if failed:
                self._notify(f"{failed[-1].message}; trying again")
            try:
                return attempt()
            except HuntError as error:
                failed.append(error)
                raise

        patience = self._patience
        attempts = stamina.RetryingCaller(
            attempts=patience.attempts,
            timeout=None,  # the deadline is ours: a wait asked for by the server counts too
            wait_initial=patience.wait_initial_seconds,
            wait_max=patience.wait_max_seconds,
            wait_jitter=patience.wait_jitter_seconds,
        )
        return attempts(lambda error: self._wait_after(error, deadline), once)

    def _wait_after(self, error: Exception, deadline: float) -> bool | float:
        """Seconds to wait before the next attempt; True for the usual back-off, False for none."""
        if not isinstance(error, NetworkError) or not error.is_passing:
            return False
        patience = self._patience
        left_seconds = deadline - time.monotonic()
        if error.retry_after_seconds is None:
            return left_seconds > patience.wait_max_seconds
        # A server that says 0 would otherwise be asked again at once.
        wait = max(error.retry_after_seconds, patience.wait_initial_seconds)
        return wait if wait <= min(patience.retry_after_max_seconds, left_seconds) else False

    def _attempt(
        self,
        wanted: Wanted,
        target: Path,
        check: Callable[[Path], object],
        is_conditional: bool,
        deadline: float,
    ) -> Fetched:
        known = read_validators(target, wanted.url) if is_conditional else None
        failure: HuntError
        with Watchdog(deadline) as watchdog:
            try:
                with self._answer(wanted, known, watchdog) as response:
                    if response.status_code == 304 and known is not None:
                        return Fetched(target, is_new=False)
                    size_bytes = self._land(wanted, response, target, check, watchdog)
            except httpx.TransportError as error:
                failure = self._torn(wanted, error, watchdog)
            except (NetworkError, AnswerError) as error:
                failure = self._too_late(wanted) if watchdog.is_over else error
            else:
                write_validators(target, validators_of(wanted.url, response.headers, size_bytes))
                return Fetched(target, is_new=True)
        # Outside the handler, so that no frame which held the key hangs on the error.
        raise failure

    @contextmanager
    def _answer(
        self, wanted: Wanted, known: Validators | None, watchdog: Watchdog
    ) -> Iterator[httpx.Response]:
        """The answer with status 200 or, to a conditional request, 304; its body unread."""
        headers = {
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            "Connection": "close",
            "User-Agent": f"foxhunt/{__version__}",
            **(known.headers() if known else {}),
        }
        extensions = with_key(wanted.key) | {"trace": watchdog.trace}
        url, method = httpx.URL(wanted.url), "GET" if wanted.query is None else "POST"
        with ExitStack() as closing:
            client = closing.enter_context(self._client(url))
            for _ in range(_MAX_REDIRECTS + 1):
                request = client.build_request(
                    method, url, json=wanted.query, headers=headers, extensions=extensions
                )
                response = client.send(request, stream=True)
                closing.callback(response.close)
                if not response.has_redirect_location:
                    break
                url = self._redirected(wanted, response)
            else:
                raise AnswerError(f"{wanted.name}: {url.host} redirects in circles")
            if response.status_code != 200 and not (response.status_code == 304 and known):
                raise self._refused(wanted, response)
            yield response

    def _client(self, url: httpx.URL) -> httpx.Client:
        patience = self._patience
        inner = httpx.HTTPTransport(verify=self._certificates, proxy=proxy_for(url))
        return httpx.Client(
            transport=KeyedTransport(inner, self.secret),
            timeout=httpx.Timeout(patience.read_seconds, connect=patience.connect_seconds),
            trust_env=False,  # what we take from the environment, we take by name
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()  # SSL_CERT_FILE and SSL_CERT_DIR, else certifi's

    def _redirected(self, wanted: Wanted, response: httpx.Response) -> httpx.URL:
        """Where to ask instead, the key marked again where the server spells it out."""
        location = response.headers["Location"]
        if self.secret is not None:
            for spelling in (in_url(self.secret), self.secret.value):
                location = location.replace(spelling, KEY_MARK)
        here = response.url
        there = here.join(location)  # httpx has refused what is no URL
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            other = shown(f"{there.scheme}://{there.host}", self.secret)
            raise AnswerError(
                f"{wanted.name}: {here.host} redirects to {other}, not followed",
                hint="has the feed moved? docs/feeds.md names the variables that say where it is",
            )
        if wanted.query is not None and response.status_code not in (307, 308):
            # Followed as browsers do, the query would become a GET without its body.
            raise AnswerError(f"{wanted.name}: {here.host} redirects a POST elsewhere")
        return there

    def _refused(self, wanted: Wanted, response: httpx.Response) -> HuntError:
        body = b""
        try:
            encoding = response.headers.get("Content-Encoding", "")
            chunks = decoded(response.iter_raw(_CHUNK), encoding)
            body = b"".join(islice(chunks, 1))[:_CHUNK]
        except (httpx.TransportError, NetworkError, AnswerError):
            pass  # only the reason is lost
        has_key = wanted.key != KeyPlace.NOWHERE
        return refusal(
            wanted.name,
            response,
            body,
            has_key=has_key,
            secret=self.secret,
            keyless_hint=wanted.keyless_hint,
        )

    def _land(
        self,
        wanted: Wanted,
        response: httpx.Response,
        target: Path,
        check: Callable[[Path], object],
        watchdog: Watchdog,
    ) -> int:
        """Put the body into ``target``, and return its size in bytes."""
        told = response.headers.get("Content-Length", "")
        if told.isascii() and told.isdigit() and int(told[:18]) > wanted.size_bytes:
            raise _too_large(wanted)
        with landing(target) as out:
            size_bytes = _write(wanted, response, out)
            out.flush()
            # A body without a length ends where its connection does, and the watchdog ends that.
            if watchdog.is_over:
                raise self._too_late(wanted)
            check(Path(out.name))
            forget_validators(target)
        return size_bytes

    def _torn(
        self, wanted: Wanted, error: httpx.TransportError, watchdog: Watchdog
    ) -> NetworkError:
        host = httpx.URL(wanted.url).host
        distrusted = _distrusted(error)
        if distrusted is not None:
            return NetworkError(
                f"{wanted.name}: the certificate of {host} is not trusted: {distrusted}",
                hint="name the certificates of a proxy that inspects TLS in SSL_CERT_FILE",
                is_passing=False,
            )
        if watchdog.is_over:
            return self._too_late(wanted)
        if isinstance(error, httpx.ConnectTimeout):
            what = f"no connection to {host} within {self._patience.connect_seconds:g} seconds"
        elif isinstance(error, httpx.TimeoutException):
            what = f"{host} was silent for {self._patience.read_seconds:g} seconds"
        elif isinstance(error, httpx.ConnectError | httpx.ProxyError):
            what = f"{host} cannot be reached: {shown(str(error), self.secret, 200)}"
        else:
            what = f"the answer of {host} is torn: {shown(str(error), self.secret, 200)}"
        return NetworkError(f"{wanted.name}: {what}", hint="try again later")

    def _too_late(self, wanted: Wanted) -> NetworkError:
        host, seconds = httpx.URL(wanted.url).host, self._patience.total_seconds
        return NetworkError(
            f"{wanted.name}: {host} gave no whole answer within {seconds:g} seconds",
            hint="try again later",
            is_passing=False,
        )


def _write(wanted: Wanted, response: httpx.Response, out: BinaryIO) -> int:
    size_bytes = 0
    encoding = response.headers.get("Content-Encoding", "")
    for chunk in decoded(response.iter_raw(_CHUNK), encoding):
        size_bytes += len(chunk)
        if max(size_bytes, response.num_bytes_downloaded) > wanted.size_bytes:
            raise _too_large(wanted)
        out.write(chunk)
    return size_bytes


def _too_large(wanted: Wanted) -> AnswerError:
    limit = f"{wanted.size_bytes / _MIB:g} MiB"
    return AnswerError(f"{wanted.name}: the answer is larger than the {limit} it may have")


def _distrusted(error: BaseException | None) -> str | None:
    """Why a certificate was refused, if that is what ``error`` comes from."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
