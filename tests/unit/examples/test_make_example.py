"""examples/make_example.py: the same bytes every time, whole files, and the story in them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from foxhunt.errors import ParseError
from foxhunt.indicators import IndicatorType, parse

from .example_logs import (
    EXAMPLES,
    csv_rows,
    events,
    indicators,
    json_lines,
    log_analytics_rows,
    make_example,
    naive_findings,
    zeek_rows,
)

EXPECTED = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below ``folder``, by its path there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_runs_write_the_same_bytes(example: Path, tmp_path: Path) -> None:
    make_example(tmp_path)
    assert digests(tmp_path) == digests(example)


def test_without_a_folder_it_says_how_it_is_used() -> None:
    script = str(EXAMPLES / "make_example.py")
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == "usage: make_example.py OUT\n"


def test_every_file_parses_and_has_the_rows_it_should_have(example: Path) -> None:
    rows = {
        "sentinel/DnsEvents.csv": len(csv_rows(example / "sentinel/DnsEvents.csv")),
        "sentinel/CommonSecurityLog.ndjson": len(
            json_lines(example / "sentinel/CommonSecurityLog.ndjson")
        ),
        "sentinel/UrlClickEvents.json": len(
            log_analytics_rows(example / "sentinel/UrlClickEvents.json")
        ),
        "defender/DeviceNetworkEvents.parquet": pq.read_metadata(
            example / "defender/DeviceNetworkEvents.parquet"
        ).num_rows,
        "defender/DeviceFileEvents.csv": len(csv_rows(example / "defender/DeviceFileEvents.csv")),
        "defender/DeviceProcessEvents.ndjson.gz": len(
            json_lines(example / "defender/DeviceProcessEvents.ndjson.gz")
        ),
        "zeek/dns.log.gz": len(zeek_rows(example / "zeek/dns.log.gz")),
        "zeek/conn.log": len(json_lines(example / "zeek/conn.log")),
        "suricata/eve.json": len(json_lines(example / "suricata/eve.json")),
        "sysmon/WS-014.json": len(json_lines(example / "sysmon/WS-014.json")),
    }
    assert set(rows) == set(digests(example))
    assert rows == EXPECTED["rows"]
    assert sum(rows.values()) > 100_000


def test_logs_are_in_order_of_time(example: Path) -> None:
    for name, column in (("suricata/eve.json", "timestamp"), ("sysmon/WS-014.json", "UtcTime")):
        times = [record[column] for record in json_lines(example / name)]
        assert times == sorted(times), name
    seconds = [record["ts"] for record in json_lines(example / "zeek/conn.log")]
    assert seconds == sorted(seconds)


def test_the_portal_export_looks_like_the_portal_s(example: Path) -> None:
    start = (example / "sentinel/DnsEvents.csv").read_text("utf-8").splitlines()[:2]
    assert start[0].startswith("\ufeffTimeGenerated [UTC],")
    assert start[1].startswith('"6/1/2026, 12:')


def test_the_infection_beacons_every_ten_minutes_for_six_days(example: Path) -> None:
    asked = [
        row
        for row in csv_rows(example / "sentinel/DnsEvents.csv")
        if row["Name"].lower().rstrip(".") == "texornacu.com" and row["ClientIP"] == "10.10.0.24"
    ]
    assert 6 * 144 - 20 < len(asked) < 6 * 144 + 20
    spellings = Counter(row["Name"] for row in asked)
    assert len(spellings) == 4, "one name in several cases, with and without the root's dot"


def test_each_scenario_has_the_process_that_explains_it(example: Path) -> None:
    """An exclusion by process needs the process beside, or on the same host before, the event."""
    network = pq.read_table(example / "defender/DeviceNetworkEvents.parquet").to_pylist()
    starts = json_lines(example / "defender/DeviceProcessEvents.ndjson.gz")
    for contact, process, started in (
        ("pkgmirror-sync.net", "svchost.exe", "schtasks.exe"),
        ("deploykit-share.net", "PsExec.exe", "PsExec.exe"),
        ("chocomirror-eu.net", "choco.exe", "choco.exe"),
        ("192.88.99.101", "splunkd.exe", "splunk-winevtlog.exe"),
        ("cdn.winupdateservice.com", "python.exe", "python.exe"),
    ):
        seen = [row for row in network if _is_about(row, contact, process)]
        assert seen, contact
        for row in seen:
            before = row["Timestamp"].isoformat(timespec="milliseconds")[:-6]
            assert any(
                start["DeviceName"] == row["DeviceName"]
                and start["FileName"] == started
                and start["Timestamp"][:10] == before[:10]
                and start["Timestamp"] < before
                for start in starts
            ), (contact, row["DeviceName"], before)


def _is_about(row: dict[str, Any], contact: str, process: str) -> bool:
    is_there = contact in str(row["RemoteUrl"]) or contact == row["RemoteIP"]
    return is_there and str(row["InitiatingProcessFileName"]) == process


def test_the_feed_holds_what_it_should(example: Path) -> None:
    feed = json.loads((EXAMPLES / "indicators.json").read_text("utf-8"))
    records = [record for group in feed.values() for record in group]
    refused = set()
    for record in records:
        try:
            parse(record["ioc_value"], IndicatorType(record["ioc_type"]))
        except ParseError:
            refused.add(record["ioc_value"])
    assert refused == {"update-check.example", "192.168.77.12:8443"}
    assert len(indicators()) == len(records) - 2
    assert {kind for kind, _ in indicators()} == {
        "domain", "ip:port", "url", "md5_hash", "sha1_hash", "sha256_hash", "sha3_384_hash",
    }  # fmt: skip


def test_the_logs_hold_what_expected_json_says(example: Path) -> None:
    """Counted without foxhunt: json, csv and string comparison."""
    found = naive_findings(example)
    expected = {
        (one["indicator"], one["table"], one["host"]): {
            "match": one["match"], "verdict": one["verdict"], "events": one["events"],
        }
        for one in EXPECTED["findings"]
    }  # fmt: skip
    assert found == expected
    assert {one["type"] for one in EXPECTED["findings"]} == {
        "domain", "ip:port", "url", "md5_hash", "sha1_hash", "sha256_hash",
    }  # fmt: skip


@pytest.fixture(scope="module")
def observed(example: Path) -> set[tuple[str, str]]:
    """Table, and name, URL or address, of all events."""
    return {
        (event.table, value)
        for event in events(example)
        for value in (*event.names, *event.urls, event.remote[0] if event.remote else "")
    }


@pytest.mark.parametrize("one", EXPECTED["must_not_fire"], ids=lambda one: one["observed"])
def test_each_look_alike_is_in_the_logs(
    one: dict[str, str], observed: set[tuple[str, str]]
) -> None:
    """A trap that is not there catches nothing."""
    assert (one["table"], one["observed"]) in observed
