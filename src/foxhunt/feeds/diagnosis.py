"""What can be wrong with a feed: its key, the way to its servers, its data, its last syncs.

Each check says what it saw and what to do; one that could not look never says ``ok``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import httpx

from foxhunt.errors import HuntError, NoIndicatorsError
from foxhunt.exclusions.kept_fplist import fplist_path
from foxhunt.feeds.activity import newest_activity
from foxhunt.feeds.client import ThreatFox
from foxhunt.feeds.connections import proxy_for
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.health import is_stale, key_expiry
from foxhunt.feeds.ledger import Ledger, SyncEntry, SyncOutcome
from foxhunt.feeds.refusals import KEY_HINT, NEW_KEY_HINT
from foxhunt.feeds.secrets import Secret, threatfox_key
from foxhunt.feeds.transport import Patience, Transport
from foxhunt.indicators import IndicatorStore
from foxhunt.state import State

# One try: who asks a doctor waits, and a server that answers the second time is worth knowing.
_PATIENCE = Patience(attempts=1, connect_seconds=10, read_seconds=10, total_seconds=30)
_LIST_IS_OLD_AFTER = timedelta(days=3)
_SYNC_HINT = "run `foxhunt sync`"


class Level(StrEnum):
    """How a check ended."""

    OK = "ok"
    SKIPPED = "skipped"  # the user asked not to look
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What, in a word.
        level: How it is.
        message: What was seen.
        hint: What to do, or None.
    """

    name: str
    level: Level
    message: str
    hint: str | None = None


def feed_checks(
    home: Path, environ: Mapping[str, str], now: datetime, *, is_offline: bool
) -> Iterator[Check]:
    """Look at everything a sync needs and leaves.

    Args:
        home: Of the store.
        environ: ``os.environ``.
        now: Aware.
        is_offline: Whether to ask no server.
    """
    try:
        endpoints = Endpoints.from_environment(environ)
        secret = threatfox_key(environ)
    except HuntError as error:
        yield failed("settings", error)
        endpoints, secret = None, None
    if endpoints is not None:
        yield from _key_checks(secret, endpoints, environ, now, is_offline=is_offline)
        yield from _network_checks(endpoints, has_key=secret is not None, is_offline=is_offline)
    yield _store_check(home, now)
    yield from _ledger_checks(home)
    if secret is not None:
        yield _fplist_check(home, now)


def failed(name: str, error: HuntError, level: Level = Level.FAIL) -> Check:
    """A check that ended in an error."""
    return Check(name=name, level=level, message=f"{error.code}: {error.message}", hint=error.hint)


def _key_checks(
    secret: Secret | None,
    endpoints: Endpoints,
    environ: Mapping[str, str],
    now: datetime,
    *,
    is_offline: bool,
) -> Iterator[Check]:
    if secret is None:
        message = "none; the recent export and the full dump need none, the API and search do"
        yield Check(name="key", level=Level.OK, message=message, hint=KEY_HINT)
        return
    try:
        expiry = key_expiry(environ, now)
    except HuntError as error:
        yield failed("key", error)
    else:
        if expiry is not None:
            # A sync refuses to go on with a key that has expired.
            level = Level.FAIL if expiry.is_doubt else Level.WARN
            yield Check(name="key", level=level, message=expiry.message, hint=NEW_KEY_HINT)
    if is_offline:
        yield Check(name="key", level=Level.SKIPPED, message="there is one; not tried (--offline)")
        return
    try:
        types = ThreatFox(Transport(secret, _PATIENCE), endpoints).types()
    except HuntError as error:
        yield failed("key", error)
    else:
        yield Check(name="key", level=Level.OK, message=f"accepted; {len(types)} pairs of types")


def _network_checks(endpoints: Endpoints, *, has_key: bool, is_offline: bool) -> Iterator[Check]:
    urls = [endpoints.exports]
    if has_key:
        urls += [endpoints.api, endpoints.files, endpoints.hunting]
    for origin in dict.fromkeys(str(httpx.URL(url).copy_with(raw_path=b"/")) for url in urls):
        if is_offline:
            message = f"{origin} not asked (--offline)"
            yield Check(name="network", level=Level.SKIPPED, message=message)
        else:
            yield _reached(origin)


def _reached(origin: str) -> Check:
    """Whether anything answers there; what, is for a sync to judge. The key is not sent."""
    url = httpx.URL(origin)
    try:
        inner = httpx.HTTPTransport(verify=httpx.create_ssl_context(), proxy=proxy_for(url))
        timeout = _PATIENCE.connect_seconds
        with httpx.Client(transport=inner, timeout=timeout, trust_env=False) as client:
            status = client.head(url).status_code
    except HuntError as error:
        return failed("network", error)
    except httpx.TransportError as error:
        what = str(error) or type(error).__name__
        hint = "is there a proxy (HTTPS_PROXY) or a firewall in between?"
        message = f"{origin} cannot be reached: {what}"
        return Check(name="network", level=Level.FAIL, message=message, hint=hint)
    message = f"{origin} answers ({status})"
    if status == 407:
        hint = "the proxy asks for a login"
        return Check(name="network", level=Level.FAIL, message=message, hint=hint)
    if status >= 500:
        hint = "the server has trouble; try again later"
        return Check(name="network", level=Level.WARN, message=message, hint=hint)
    return Check(name="network", level=Level.OK, message=message)


def _store_check(home: Path, now: datetime) -> Check:
    store = IndicatorStore(home)
    try:
        indicators = store.load()
        snapshots = store.snapshots()
    except NoIndicatorsError as error:
        return failed("store", error, Level.WARN)
    except HuntError as error:
        return failed("store", error)
    newest = newest_activity(indicators.table, now)
    mebibytes = sum(snapshot.size_bytes for snapshot in snapshots) / 1024**2
    message = (
        f"{len(indicators):,} indicators, {len(indicators.quarantined):,} quarantined, "
        f"{len(snapshots)} snapshots, {mebibytes:.1f} MiB; "
        f"newest indicator {f'{newest:%Y-%m-%d %H:%M} UTC' if newest else 'none'}"
    )
    if newest is None or is_stale(newest, now):
        hint = "the data are older than 24 hours: run `foxhunt sync`, or let `--watch 15m` do it"
        return Check(name="store", level=Level.WARN, message=message, hint=hint)
    return Check(name="store", level=Level.OK, message=message)


def _ledger_checks(home: Path) -> Iterator[Check]:
    state = State(home)
    try:
        with state.reading() as connection:
            if connection is None:
                yield Check(name="state", level=Level.OK, message="no state.db yet", hint=None)
                return
            (answer,) = connection.execute("PRAGMA quick_check").fetchone()
        ledger = Ledger(state)
        syncs = [(ledger.last_taken(one.feed), one) for one in ledger.latest_of_each()]
    except HuntError as error:
        yield failed("state", error)
        return
    if answer != "ok":
        hint = f"move {state.path} away: foxhunt starts a new one, and indicators are not in it"
        yield Check(name="state", level=Level.FAIL, message=f"damaged: {answer}", hint=hint)
        return
    size_kib = state.path.stat().st_size / 1024
    yield Check(name="state", level=Level.OK, message=f"{state.path} whole, {size_kib:,.0f} KiB")
    if not syncs:
        yield Check(name="sync", level=Level.WARN, message="no sync yet", hint=_SYNC_HINT)
    yield from (_sync_check(last, latest) for last, latest in syncs)


def _sync_check(last: SyncEntry | None, latest: SyncEntry) -> Check:
    """How it stands with one feed."""
    good = f"last good sync over the network {_time(last.began)}" if last else "no good one yet"
    when = f"{latest.feed}: {good}"
    if latest.outcome is not SyncOutcome.TAKEN:
        is_refused = latest.outcome is SyncOutcome.REFUSED
        ended = "was refused" if is_refused else "failed"
        message = f"{when}; the last {ended} ({_time(latest.began)}): {latest.error}"
        hint = "look at it, then `foxhunt sync --accept`" if is_refused else _SYNC_HINT
        return Check(name="sync", level=Level.WARN, message=message, hint=hint)
    if latest.alarms:
        said = "; ".join(f"{alarm.kind}: {alarm.message}" for alarm in latest.alarms)
        message = f"{latest.feed}: the last ({_time(latest.began)}) was taken with alarms: {said}"
        hint = "docs/feeds.md says what each alarm means"
        return Check(name="sync", level=Level.WARN, message=message, hint=hint)
    if last is None:
        when = f"from files or bundles only, last {_time(latest.began)}"
    return Check(name="sync", level=Level.OK, message=when)


def _fplist_check(home: Path, now: datetime) -> Check:
    try:
        made = datetime.fromtimestamp(fplist_path(home).stat().st_mtime, UTC)
    except OSError:
        message = "abuse.ch's false positives were never fetched"
        return Check(name="fplist", level=Level.WARN, message=message, hint=_SYNC_HINT)
    level = Level.WARN if now - made > _LIST_IS_OLD_AFTER else Level.OK
    hint = _SYNC_HINT if level is Level.WARN else None
    message = f"abuse.ch's false positives of {_time(made)}"
    return Check(name="fplist", level=level, message=message, hint=hint)


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
