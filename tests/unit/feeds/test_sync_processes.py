"""Syncs that are killed, and syncs at once: the store is always one whole set, nothing is lost.

``FOXHUNT_TEST_KILLS`` says how many syncs are killed, of each kind.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from foxhunt.errors import NoIndicatorsError
from foxhunt.feeds.ledger import Ledger
from foxhunt.indicators import IndicatorSet, IndicatorStore
from foxhunt.state import State

from .sync_process import FIRST_SEEN, FIXED, export_of, seen_at, set_of

KILLS = int(os.environ.get("FOXHUNT_TEST_KILLS", "12"))
ROOT = Path(__file__).parents[3]
MODULE = "tests.unit.feeds.sync_process"


@contextmanager
def syncing(
    home: Path, mode: str, first: int, last: int, *dies_at: int
) -> Iterator[subprocess.Popen[str]]:
    """A process that syncs steps ``first`` to ``last``; it has begun."""
    command = [sys.executable, "-m", MODULE, str(home), mode, *map(str, (first, last, *dies_at))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def step_of(indicators: IndicatorSet) -> int:
    """Which step the set is the whole result of; fails if it is of none."""
    is_fixed = [not found.value.startswith("n") for found in indicators]
    seen = [found.last_seen or FIRST_SEEN for found in indicators]
    (latest,) = {time for time, fixed in zip(seen, is_fixed, strict=True) if fixed}
    step = (latest - FIRST_SEEN) // timedelta(minutes=1)

    assert sum(is_fixed) == FIXED
    new = {found.value for found in indicators if found.value.startswith("n")}
    assert new == {f"n{number}.evil.org" for number in range(1, step + 1)}
    assert {record.value for record in indicators.quarantined} == {
        f"q{number}.local" for number in range(1, step + 1)
    }
    return step


def current_step(store: IndicatorStore) -> int:
    try:
        return step_of(store.load())
    except NoIndicatorsError:
        return 0


def killed_after(process: subprocess.Popen[str], seconds: float) -> int:
    """Kill the process; return the last step it said was done, or 0."""
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    whole = said.rpartition("\n")[0].split()
    return int(whole[-1]) if whole else 0


@pytest.mark.parametrize("mode", ["files", "merges"])
def test_a_sync_killed_at_any_moment_leaves_the_old_or_the_new_set(
    tmp_path: Path, mode: str
) -> None:
    store, moments, step = IndicatorStore(tmp_path), random.Random(mode), 0  # noqa: S311 # no secret

    for _ in range(KILLS):
        with syncing(tmp_path, mode, step + 1, 10_000) as process:
            done = killed_after(process, moments.uniform(0, 0.8))
        before, step = step, current_step(store)
        # What a sync said was done is done, and it was killed in the one after that.
        done = max(done, before)
        assert done <= step <= done + 1

    assert step > 0, "every sync was killed before it could do anything"
    with syncing(tmp_path, mode, step + 1, step + 1) as process:
        assert process.wait() == 0
    assert current_step(store) == step + 1
    assert not list(store.folder.glob("*.tmp")), "what killed syncs left is cleared away"


def test_a_sync_over_the_network_killed_at_any_moment_leaves_the_old_or_the_new_set(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    def answer(request: Request) -> Response:
        return Response(export_of(int(request.path.split("/")[1])))

    httpserver.expect_request(re.compile("/[0-9]+/json/(full|recent)/")).respond_with_handler(
        answer
    )
    url, store, step = httpserver.url_for("/"), IndicatorStore(tmp_path), 0
    ledger, moments = Ledger(State(tmp_path)), random.Random("network")  # noqa: S311 # no secret

    for _ in range(KILLS // 6):
        with syncing(tmp_path, url, step + 1, 10_000) as process:
            done = killed_after(process, moments.uniform(0, 0.6))
        before, step = step, current_step(store)
        done = max(done, before)
        assert done <= step <= done + 1
        last = ledger.last_taken()
        # Killed in between, the ledger knows less than the store: what was merged is fetched
        # once more. It never knows of a sync that the store has nothing of.
        assert last is None or last.began <= seen_at(step)

    with syncing(tmp_path, url, step + 1, step + 1) as process:
        assert process.wait() == 0
    assert current_step(store) == step + 1
    assert ledger.latest()[0].began == seen_at(step + 1)


@pytest.mark.parametrize("step", [1, 2])
def test_a_sync_killed_before_each_thing_it_does_on_disk_leaves_a_whole_set(
    tmp_path: Path, step: int
) -> None:
    """The first sync and a later one, every moment between two uses of the file system."""
    seen = []
    for moment in range(1, 100):
        store = IndicatorStore(tmp_path / str(moment))
        if step > 1:
            store.merge(set_of(1))
        with syncing(store.folder.parent, "merges", step, step, moment) as process:
            killed = process.wait() == -signal.SIGKILL
        seen.append(current_step(store))
        store.merge(set_of(step))
        assert current_step(store) == step, "what is left does not hinder the next sync"
        if not killed:
            break

    assert not killed
    assert len(seen) > 8, "there were moments to be killed at"
    assert seen == sorted(seen)
    assert set(seen) == {step - 1, step}


def test_syncs_at_once_lose_nothing_and_a_reader_sees_whole_sets_only(tmp_path: Path) -> None:
    store, steps, names = IndicatorStore(tmp_path), 8, ("a", "b", "c")
    sizes = []

    with (
        syncing(tmp_path, "a", 1, steps) as a,
        syncing(tmp_path, "b", 1, steps) as b,
        syncing(tmp_path, "c", 1, steps) as c,
    ):
        while any(process.poll() is None for process in (a, b, c)):
            try:
                loaded = store.load()
            except NoIndicatorsError:
                continue
            owners = {record.source_id[0] for record in loaded.quarantined}
            assert len(loaded) == len(owners) * FIXED + len(loaded.quarantined)
            sizes.append(len(loaded))
        assert {process.returncode for process in (a, b, c)} == {0}

    final = store.load()
    expected = {f"{name}n{step}" for name in names for step in range(1, steps + 1)}
    assert {i.source_id for i in final if i.source_id[1] == "n"} == expected
    assert len(final) == len(names) * (FIXED + steps)
    assert sizes == sorted(sizes), "no sync takes back what another one brought"
