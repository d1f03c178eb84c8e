"""Watching: survives what passes, is fair to the server, and stops when it is told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from foxhunt.errors import AnswerError, HuntError, NetworkError, RateLimitError, UsageError
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.watching import back_off, watch, watch_interval

MINUTE = timedelta(minutes=1)
SOON = timedelta(milliseconds=1)
MIRROR = "https://mirror.example/"
ELSEWHERE = Endpoints(api=MIRROR, exports=MIRROR, files=MIRROR, hunting=MIRROR)
FAULT = NetworkError("no network")


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

    assert watch(SOON, stopping(3, number), told.append) == 2

    assert told == ["stopped after 2 syncs; the store is whole"]
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_signal_between_syncs_ends_the_wait() -> None:
    def alarm() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.02)

    before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    began = time.monotonic()
    try:
        assert watch(timedelta(hours=1), alarm, lambda _: None) == 1
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

    assert watch(timedelta(hours=1), sync, lambda _: None) == 1


def test_faults_are_told_and_survived() -> None:
    told: list[str] = []

    assert watch(SOON, stopping(4, faults=2), told.append) == 1

    assert [line.partition(";")[0] for line in told] == ["H310: no network"] * 2 + [
        "stopped after 1 sync"
    ]
    assert "2 in a row" in told[1]


def test_wrong_configuration_is_not_tried_again() -> None:
    def sync() -> None:
        raise UsageError("FOXHUNT_THREATFOX_API is no URL")

    with pytest.raises(UsageError, match="no URL"):
        watch(SOON, sync, lambda _: None)


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


@pytest.mark.parametrize(
    ("text", "interval"),
    [("30s", MINUTE / 2), ("15m", 15 * MINUTE), ("1h", 60 * MINUTE), (" 1d ", 1440 * MINUTE)],
)
def test_an_interval_is_a_number_and_a_unit(text: str, interval: timedelta) -> None:
    assert watch_interval(text, ELSEWHERE, has_key=True) == interval


@pytest.mark.parametrize("text", ["", "15", "m", "0m", "-5m", "1.5h", "15 m", "8d", "9999999d"])
def test_anything_else_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--watch"):
        watch_interval(text, ELSEWHERE, has_key=True)


def test_abuse_ch_is_not_asked_more_often_than_every_five_minutes() -> None:
    assert watch_interval("5m", Endpoints(), has_key=True) == 5 * MINUTE
    with pytest.raises(UsageError, match="every 5 minutes"):
        watch_interval("299s", Endpoints(), has_key=False)

    own_exports = Endpoints(exports=MIRROR)
    assert watch_interval("30s", own_exports, has_key=False) == MINUTE / 2
    with pytest.raises(UsageError, match="fair use"):
        watch_interval("30s", own_exports, has_key=True)


def test_a_host_that_only_looks_like_abuse_ch_is_another() -> None:
    url = "https://notabuse.ch/"
    assert watch_interval("30s", Endpoints(exports=url), has_key=False) == MINUTE / 2
