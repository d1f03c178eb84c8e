"""What a person reads after a sync."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from foxhunt.feeds import describe_files, describe_sync, read_indicators, sync_files
from foxhunt.feeds.report import printable
from foxhunt.indicators import IndicatorStore

from ...golden_files import check
from .feed_samples import csv_export, csv_row, export, record, write
from .sibling_samples import attribute, event

HOSTILE = "http://evil.org/\x1b[2J\u202e<script>`=cmd|' /C calc'!A0\"]); union *"


def text(lines: list[str]) -> str:
    """The lines as printed, what changes from run to run replaced."""
    joined = "".join(f"{line}\n" for line in lines)
    joined = re.sub(r"UTC, [0-9,]+ (hours|days) ago", "UTC, AGE ago", joined)
    return re.sub(r"[0-9]{8}T[0-9.]{13}Z-[0-9a-f]{16}", "SNAPSHOT", joined)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # files are called what the user called them


def test_a_first_sync_and_one_that_changes_nothing(tmp_path: Path) -> None:
    store = IndicatorStore(tmp_path / "home")
    write(tmp_path, "recent.json", export(record(), record(ioc_value="winupdateservice.com")))

    check("sync/first.txt", text(describe_sync(sync_files(store, ["recent.json"]))))
    check("sync/same_again.txt", text(describe_sync(sync_files(store, ["recent.json"]))))


def test_everything_there_is_to_say(tmp_path: Path) -> None:
    store = IndicatorStore(tmp_path / "home")
    write(
        tmp_path,
        "recent.json",
        export(
            record(severity="high"),
            record(ioc_value="10.0.0.1:8080", ioc_type="ip:port"),
            record(ioc_value=HOSTILE, ioc_type="url", risk_score=5),
            record(ioc_value="a" * 300),
            *(record(ioc_value=f"host{number}.local") for number in range(12)),
        ),
    )
    write(tmp_path, "recent.csv", csv_export(csv_row(ioc_id="1"), csv_row(), entries=5))
    write(tmp_path, "none.json", json.dumps({"query_status": "no_result", "data": ""}).encode())

    report = sync_files(store, ["recent.json", "recent.csv", "none.json"])

    check("sync/everything.txt", text(describe_sync(report)))


def test_what_the_feed_takes_back_is_told_as_its_word(tmp_path: Path) -> None:
    store = IndicatorStore(tmp_path / "home")
    attributes = [attribute("domain", f"n{number}.evil.org", number) for number in range(1, 13)]
    write(tmp_path, "event.json", json.dumps(event(*attributes)).encode())
    gone = [one | {"deleted": True} for one in attributes[:11]]
    write(tmp_path, "later.json", json.dumps(event(*gone, attributes[11])).encode())
    sync_files(store, ["event.json"])

    check("sync/retracted.txt", text(describe_sync(sync_files(store, ["later.json"]))))


def test_reading_without_the_store_is_described_the_same(tmp_path: Path) -> None:
    write(tmp_path, "recent.csv", csv_export(csv_row(), csv_row(ioc_id="2", ioc_value="x.lan")))

    _, reports = read_indicators(["recent.csv"])

    check("sync/files_only.txt", text(describe_files(reports)))


def test_nothing_that_steers_a_terminal_or_makes_a_link_is_printed(tmp_path: Path) -> None:
    hostile = HOSTILE + "\n\r\x07\x9b31m\ud800"
    fields = {hostile: 1, "ioc_value": hostile, "ioc_type": hostile, "malware": hostile}
    write(tmp_path, "x.json", export(record(**fields), record(first_seen_utc=hostile)))

    lines = describe_files(read_indicators(["x.json"])[1])

    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)
    shown = [line for line in lines if "evil" in line and "columns" not in line]
    assert shown
    assert not any("http://" in line or "evil.org" in line for line in shown)


def test_printable_keeps_what_people_write() -> None:
    assert printable("Größe 狐 \\n\n\t") == "Größe 狐 \\n\\n\\t"
