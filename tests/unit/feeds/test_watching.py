"""Watching: survives what passes, is fair to the server, and stops when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from foxhunt.errors import AnswerError, HuntError, NetworkError, RateLimitError, UsageError
from foxhunt.feeds.watching import Watched, back_off, watch, watch_interval

MINUTE = timedelta(minutes=1)
SOON = timedelta(milliseconds=1)
FAULT = NetworkError("no network")


def watched(
    sync: Callable[[], None], tell: Callable[[str], None], interval: timedelta = SOON
) -> int:
    """Watch one feed."""
    return watch([Watched("fox", sync)], interval, tell)


def stopping(after: int, number: int = signal.SIGTERM, faults: int = 0) -> Callable[[], None]:
    """A sync that fails ``faults`` times, and at its ``after``-th run gets a signal."""
    runs = iter(range(1, after + 1))

    def sync() -> None:
        run = next(runs)
        if run == after:
            os.kill(os.getpid(), number)
            time.sleep(5)
            raise AssertionError("the signal did not end the sync")
        if run <= faults:
            raise FAULT

    return sync


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_sync_ends_it_and_gives_the_handlers_back(number: int) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    told: list[str] = []

    assert watched(stopping(3, number), told.append) == 2

    assert told == ["stopped after 2 syncs; the store is whole"]
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_signal_between_syncs_ends_the_wait() -> None:
    def alarm() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)

    before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    began = time.monotonic()
    try:
        assert watched(alarm, lambda _: None, timedelta(hours=1)) == 1
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 60


def test_a_signal_whose_exception_is_lost_still_stops() -> None:
    def sync() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except BaseException as error:  # noqa: BLE001 # what a destructor does to it
            assert not isinstance(error, AssertionError)

    assert watched(sync, lambda _: None, timedelta(hours=1)) == 1


def test_faults_are_told_and_survived() -> None:
    told: list[str] = []

    assert watched(stopping(4, faults=2), told.append) == 1

    assert [line.partition(";")[0] for line in told] == ["fox: H310: no network"] * 2 + [
        "stopped after 1 sync"
    ]
    assert "2 in a row" in told[1]


def test_wrong_configuration_is_not_tried_again() -> None:
    def sync() -> None:
        raise UsageError("FOXHUNT_THREATFOX_API is no URL")

    with pytest.raises(UsageError, match="no URL"):
        watched(sync, lambda _: None)


@pytest.mark.parametrize(
    ("failures", "error", "minutes"),
    [
        (1, FAULT, 15),
        (2, AnswerError("?"), 30),
        (4, FAULT, 120),
        (5, FAULT, 240),
        (500, FAULT, 240),
        (1, RateLimitError("slow", retry_after_seconds=3600), 60),
        (1, RateLimitError("slow", retry_after_seconds=5), 15),
        (1, RateLimitError("slow", retry_after_seconds=1e12), 240),
    ],
)
def test_the_wait_grows_with_each_failure_in_a_row_to_four_hours(
    failures: int, error: HuntError, minutes: int
) -> None:
    assert back_off(15 * MINUTE, failures, error) == minutes * MINUTE


def test_a_long_interval_is_not_shortened_by_a_failure() -> None:
    assert back_off(timedelta(days=1), 3, FAULT) == timedelta(days=1)


def test_a_feed_that_always_fails_does_not_slow_the_others() -> None:
    """It waits 1, 2, 4, ... times the interval, and the other one always the interval."""
    runs = {"good": 0, "bad": 0}
    told: list[str] = []

    def good() -> None:
        runs["good"] += 1
        if runs["good"] == 8:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    def bad() -> None:
        runs["bad"] += 1
        raise FAULT

    interval = timedelta(milliseconds=30)
    done = watch([Watched("bad", bad), Watched("good", good)], interval, told.append)

    assert done == 7
    assert runs["bad"] <= 4, "it is due at once, then after 1, 3 and 7 intervals"
    assert [line.partition(":")[0] for line in told] == ["bad"] * runs["bad"] + [
        "stopped after 7 syncs; the store is whole"
    ]


def test_a_feed_that_recovers_is_back_at_its_interval() -> None:
    told: list[str] = []
    runs = iter([FAULT, FAULT, None, FAULT])

    def sync() -> None:
        fault = next(runs, ...)
        if fault is ...:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        if isinstance(fault, HuntError):
            raise fault

    assert watched(sync, told.append) == 1
    assert [line.split("; ")[1][:4] for line in told[:3]] == ["1 in", "2 in", "1 in"]


@pytest.mark.parametrize(
    ("text", "interval"),
    [("30s", MINUTE / 2), ("15m", 15 * MINUTE), ("1h", 60 * MINUTE), (" 1d ", 1440 * MINUTE)],
)
def test_an_interval_is_a_number_and_a_unit(text: str, interval: timedelta) -> None:
    assert watch_interval(text, {}) == interval


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "15 m", "8d", "9999999d"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--watch"):
        watch_interval(text, {})


def test_an_interval_is_fair_to_each_feed() -> None:
    least = {"threatfox": timedelta(), "sslbl": 5 * MINUTE}

    assert watch_interval("5m", least) == 5 * MINUTE
    with pytest.raises(UsageError, match=r"ask sslbl at abuse\.ch more often than every 5 minutes"):
        watch_interval("299s", least)
