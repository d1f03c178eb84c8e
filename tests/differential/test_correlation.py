"""Witnesses of other logs: the engine agrees with a plain reading, row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.exclusions import Exclusion, ExclusionSet, read_exclusions
from foxhunt.findings import Match, Verdict
from foxhunt.hunt import HuntRequest, hunt
from foxhunt.rules import MatchMode
from tests import families

from .harness import run_queries
from .test_agreement import UNSHRUNK

START = datetime(2026, 6, 1, 12)
HOSTS = ["ws-1", "WS-1.corp.local", "ws-1.other.local", "ws-10", "10.0.0.5", "10.0.0.6"]
ADDRESSES = ["10.0.0.5", "10.0.0.6"]
WINDOWS = [60, 300]
# Seconds from the start, near and on the borders of both windows.
SECONDS = st.sampled_from([0, 1, 59, 60, 61, 240, 299, 300, 301, 360, 599, 600, 3600])
PROCESSES = st.sampled_from(["psexec.exe", "C:\\Tools\\PSEXEC.exe", "chrome.exe", None])

EXCLUSIONS = "exclusions:\n" + "".join(
    f"  - {{id: {name}-{window}, scenario: s, reason: r, owner: o, expires: 2999-01-01, "
    f"within: {window}s, scope: {{families: ['*'], types: ['*'], tables: [DnsEvents]}}, "
    f"when: {when}}}\n"
    for window in WINDOWS
    for name, when in (("is", "{process: psexec.exe}"), ("not", "{not: {process: psexec.exe}}"))
)


def is_same_host(event: str, name: str | None, address: str | None) -> bool:
    """The rule of docs/exclusions.md, in the plainest way."""
    if address is not None and event == address:
        return True
    if name is None:
        return False
    one, other = event.lower(), name.lower()
    if one == other:
        return True
    one_is_short, other_is_short = "." not in one, "." not in other
    return (one_is_short or other_is_short) and one.split(".")[0] == other.split(".")[0]


EVENTS = st.lists(st.tuples(st.sampled_from(HOSTS), SECONDS), min_size=1, max_size=5)
CONNECTIONS = st.lists(
    st.tuples(st.sampled_from(HOSTS[:4]), st.sampled_from(ADDRESSES), SECONDS, PROCESSES),
    max_size=6,
)
STARTS = st.lists(
    st.tuples(st.sampled_from(HOSTS[:4]), st.none(), SECONDS, PROCESSES.filter(bool)), max_size=4
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("correlation")


@given(events=EVENTS, connections=CONNECTIONS, starts=STARTS)
@settings(max_examples=30, deadline=None)
def test_witnesses_are_those_of_a_plain_reading(
    folder: Path,
    events: list[tuple[str, int]],
    connections: list[tuple[str, str, int, str | None]],
    starts: list[tuple[str, None, int, str | None]],
) -> None:
    expected = []
    for host, second in events:
        ids = tuple(
            one.id
            for one in all_exclusions(folder)
            if covered(one.id, host, second, connections, starts)
        )
        expected.append((ids, Verdict.SUPPRESSED if ids else Verdict.OPEN))

    assert found(folder, events, connections, starts) == expected


@given(events=EVENTS, connections=CONNECTIONS, starts=STARTS, window=st.sampled_from(WINDOWS))
@settings(max_examples=8, deadline=None, phases=UNSHRUNK)
def test_emitted_kql_asks_the_same_witnesses(
    folder: Path,
    events: list[tuple[str, int]],
    connections: list[tuple[str, str, int, str | None]],
    starts: list[tuple[str, None, int, str | None]],
    window: int,
) -> None:
    """Rows are left out that a witness, or that all of several, say something benign of."""
    chosen = [one for one in all_exclusions(folder) if one.within == timedelta(seconds=window)]
    for one in chosen:
        kept = [
            (START + timedelta(seconds=second), host)
            for host, second in events
            if not covered(one.id, host, second, connections, starts)
        ]

        assert open_by_kql(events, connections, starts, one) == sorted(kept)


def covered(
    id_: str,
    host: str,
    second: int,
    connections: Sequence[tuple[str, str | None, int, str | None]],
    starts: Sequence[tuple[str, str | None, int, str | None]],
) -> bool:
    """Whether an exclusion of `EXCLUSIONS` covers an event."""
    kind, window = id_.split("-")
    seen = [
        process.lower().endswith("psexec.exe")
        for name, address, at, process in (*connections, *starts)
        if process and abs(at - second) <= int(window) and is_same_host(host, name, address)
    ]
    return any(seen) if kind == "is" else bool(seen) and not any(seen)


def all_exclusions(folder: Path) -> ExclusionSet:
    (folder / "x.yaml").write_text(EXCLUSIONS)
    return read_exclusions([str(folder / "x.yaml")])


def open_by_kql(
    events: Sequence[tuple[str, int]],
    connections: Sequence[tuple[str, str, int, str | None]],
    starts: Sequence[tuple[str, None, int, str | None]],
    exclusion: Exclusion,
) -> list[tuple[object, object]]:
    """Time and host of the DNS rows that the emitted query shows."""
    found = run_queries(
        families.unknown_rat(),
        "DnsEvents",
        [dns(host, second) for host, second in events],
        MatchMode.EXACT,
        (exclusion,),
        witnesses={
            "DeviceNetworkEvents": [connection(*one) for one in connections],
            "DeviceProcessEvents": [start(*one) for one in starts],
        },
    )
    return sorted((hit["TimeGenerated"], hit["ClientIP"]) for hits in found for hit in hits)


def dns(host: str, second: int) -> dict[str, object]:
    time = START + timedelta(seconds=second)
    return {"TimeGenerated": time, "ClientIP": host, "Name": "texornacu.com"}


def connection(name: str, address: str, second: int, process: str | None) -> dict[str, object]:
    return {
        "Timestamp": START + timedelta(seconds=second),
        "DeviceName": name,
        "LocalIP": address,
        "RemoteIP": "8.8.8.8",
        "InitiatingProcessFileName": process,
    }


def start(name: str, address: None, second: int, process: str | None) -> dict[str, object]:
    time = START + timedelta(seconds=second)
    return {"Timestamp": time, "DeviceName": name, "FileName": process, "SHA1": "x"}


def found(
    folder: Path,
    events: list[tuple[str, int]],
    connections: list[tuple[str, str, int, str | None]],
    starts: list[tuple[str, None, int, str | None]],
) -> list[tuple[tuple[str, ...], Verdict]]:
    """For each DNS row the exclusions that cover it, and its verdict."""
    write(folder / "DnsEvents.json", [dns(*one) for one in events])
    write(folder / "DeviceNetworkEvents.json", [connection(*one) for one in connections])
    write(folder / "DeviceProcessEvents.json", [start(*one) for one in starts])
    matches: list[Match] = []
    hunt(
        HuntRequest(
            logs=[str(path) for path in sorted(folder.glob("*.json"))],
            indicators=families.unknown_rat(),
            exclusions=all_exclusions(folder),
            today=date(2026, 7, 1),
        ),
        events=matches.extend,
    )
    return [(one.suppressed_by, one.verdict) for one in matches]


def write(path: Path, rows: list[dict[str, object]]) -> None:
    """One record a line, or no file when there is none."""
    if not rows:
        path.unlink(missing_ok=True)
        return
    named = ({"Type": path.stem, **row} for row in rows)
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in named))
