"""Feeds synced again and again, each at its own times, until a signal says stop."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

from foxhunt.errors import HuntError, NetworkError, UsageError

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


@dataclass(frozen=True, slots=True)
class Watched:
    """A feed to sync again and again.

    Attributes:
        name: What it is called where a failure is told.
        sync: Syncs it once.
    """

    name: str
    sync: Callable[[], None]


def watch_interval(text: str, least: Mapping[str, timedelta]) -> timedelta:
    """Read an interval: ``30s``, ``15m``, ``1h`` or ``1d``.

    Args:
        text: As the user wrote it.
        least: Of each feed that is watched, see `foxhunt.feeds.fairness.fair_interval`.

    Raises:
        UsageError: None of these, longer than a week, or shorter than is fair to one of the feeds.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text.strip())
    if match is None:
        raise UsageError(f"--watch {text[:40]!r} is no interval", hint="15m, 1h or 90s")
    interval = int(match[1]) * _UNITS[match[2]]
    if interval > _MAX_INTERVAL:
        raise UsageError(f"--watch {text[:40]!r} is longer than 7 days", hint="15m or 1h")
    for feed, fair in least.items():
        if interval < fair:
            minutes = fair // timedelta(minutes=1)
            raise UsageError(
                f"--watch {text[:40]!r} would ask {feed} at abuse.ch more often than every "
                f"{minutes} minutes",
                hint="its terms ask for fair use, and the file is not made more often",
            )
    return interval


def watch(feeds: Sequence[Watched], interval: timedelta, tell: Callable[[str], None]) -> int:
    """Sync each feed now and after each interval, until SIGINT or SIGTERM.

    What fails is told and tried again after a wait that doubles with each failure in a row of
    that feed, up to 4 hours (or the interval, if that is longer), or as long as its server asks
    for; the other feeds keep their times. Only for the main thread, since signals are.

    Args:
        feeds: One or more; those that are due at once are synced in their order.
        interval: Between the end of a feed's sync and its next one.
        tell: Told each failure, and the end.

    Returns:
        How many syncs ended well.

    Raises:
        UsageError: By a sync: the configuration is wrong, and will be the next time.
    """
    done = 0
    waits = [_Wait(feed, interval) for feed in feeds]
    # Twice: another signal may come while the first one is being obeyed.
    with suppress(_Stopped), _stoppable() as stop, suppress(_Stopped):
        while not stop.is_asked:
            # Of those equally late the first: Python's `min` says so.
            next_one = min(waits, key=lambda wait: wait.due_seconds)
            pause_seconds = next_one.due_seconds - time.monotonic()
            if pause_seconds > 0:
                time.sleep(pause_seconds)
            done += next_one.sync(tell)
    tell(f"stopped after {done:,} sync{'' if done == 1 else 's'}; the store is whole")
    return done


class _Wait:
    """When a feed is to be synced next.

    Attributes:
        due_seconds: The time, of the clock that only goes forward.
    """

    def __init__(self, feed: Watched, interval: timedelta) -> None:
        self._feed, self._interval = feed, interval
        self._failures = 0
        self.due_seconds = float("-inf")

    def sync(self, tell: Callable[[str], None]) -> bool:
        """Sync the feed and set the next time; whether it ended well.

        Raises:
            UsageError: See `watch`.
        """
        wait = self._interval
        try:
            self._feed.sync()
        except UsageError:
            raise
        except HuntError as error:
            self._failures += 1
            wait = back_off(self._interval, self._failures, error)
            tell(f"{self._feed.name}: {error}; {self._failures} in a row, next try in {wait}")
        else:
            self._failures = 0
        self.due_seconds = time.monotonic() + wait.total_seconds()
        return not self._failures


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
