"""A sync again and again, until a signal says stop."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

import httpx

from foxhunt.errors import HuntError, NetworkError, UsageError
from foxhunt.feeds.endpoints import Endpoints

# ThreatFox asks for fair use and publishes no number; the recent export is made anew every few
# minutes, so that asking more often brings nothing.
FAIR_INTERVAL = timedelta(minutes=5)
_MAX_INTERVAL = timedelta(days=7)
_MAX_BACK_OFF = timedelta(hours=4)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


class _Stopped(BaseException):
    """Raised by a signal wherever the work is; whatever was begun is undone on the way out."""


@dataclass(slots=True)
class _Stop:
    """Whether to stop: the exception alone may be lost, e.g. in a destructor."""

    is_asked: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True
        raise _Stopped


def watch_interval(text: str, endpoints: Endpoints, *, has_key: bool) -> timedelta:
    """Read an interval: ``30s``, ``15m``, ``1h`` or ``1d``.

    Args:
        text: As the user wrote it.
        endpoints: Where is asked; abuse.ch's own servers not more often than every 5 minutes.
        has_key: Whether those that need one are asked at all.

    Raises:
        UsageError: None of these, longer than a week, or too short to be fair.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text.strip())
    if match is None:
        raise UsageError(f"--watch {text[:40]!r} is no interval", hint="15m, 1h or 90s")
    interval = int(match[1]) * _UNITS[match[2]]
    if interval > _MAX_INTERVAL:
        raise UsageError(f"--watch {text[:40]!r} is longer than 7 days", hint="15m or 1h")
    asked = [endpoints.exports]
    if has_key:
        asked += [endpoints.api, endpoints.files, endpoints.hunting]
    if interval < FAIR_INTERVAL and any(map(_is_abusech, asked)):
        raise UsageError(
            f"--watch {text[:40]!r} would ask abuse.ch more often than every 5 minutes",
            hint="its terms ask for fair use, and its export is not made more often",
        )
    return interval


def watch(interval: timedelta, sync: Callable[[], None], tell: Callable[[str], None]) -> int:
    """Sync now and after each interval, until SIGINT or SIGTERM.

    What fails is told and tried again after a wait that doubles with each failure in a row, up
    to 4 hours (or the interval, if that is longer), or as long as the server asks for. Only for
    the main thread, since signals are.

    Args:
        interval: Between the end of a sync and the next one.
        sync: What to do.
        tell: Told each failure, and the end.

    Returns:
        How many syncs ended well.

    Raises:
        UsageError: By ``sync``: the configuration is wrong, and will be the next time.
    """
    done = failures = 0
    # Twice: another signal may come while the first one is being obeyed.
    with suppress(_Stopped), _stoppable() as stop, suppress(_Stopped):
        while not stop.is_asked:
            wait = interval
            try:
                sync()
            except UsageError:
                raise
            except HuntError as error:
                failures += 1
                wait = back_off(interval, failures, error)
                tell(f"{error}; {failures} in a row, next try in {wait}")
            else:
                done, failures = done + 1, 0
            if not stop.is_asked:
                time.sleep(wait.total_seconds())
    tell(f"stopped after {done:,} sync{'' if done == 1 else 's'}; the store is whole")
    return done


def back_off(interval: timedelta, failures: int, error: HuntError) -> timedelta:
    """How long to wait after so many failures in a row, the last being ``error``."""
    longest = max(interval, _MAX_BACK_OFF)
    # Beyond some doublings the number would not fit, and the longest wait is reached anyway.
    wait = min(interval * (1 << min(failures - 1, 20)), longest)
    asked = error.retry_after_seconds if isinstance(error, NetworkError) else None
    return max(wait, timedelta(seconds=min(asked, longest.total_seconds()))) if asked else wait


@contextmanager
def _stoppable() -> Iterator[_Stop]:
    """Let SIGINT and SIGTERM stop what runs inside; put the handlers back after it."""
    stop = _Stop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_abusech(url: str) -> bool:
    host = httpx.URL(url).host
    return host == "abuse.ch" or host.endswith(".abuse.ch")
