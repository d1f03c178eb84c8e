"""A sync as JSON: every count of the report, values exact, hostile ones no matter."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from foxhunt.feeds import sync_files
from foxhunt.feeds.activity import Departures
from foxhunt.feeds.ledger import Alarm, AlarmKind
from foxhunt.feeds.report import SyncReport
from foxhunt.feeds.sync_json import render
from foxhunt.indicators import IndicatorStore
from foxhunt.reports import load_schema

from .feed_samples import export, record, write

VALIDATOR = Draft202012Validator(load_schema("sync-1"))
HOSTILE = 'http://evil.org/\x1b[2J\u202e"\\\n{{ }}*/</script>\u2028' + "x" * 3000


@pytest.fixture
def report(tmp_path: Path) -> SyncReport:
    hostile = record(ioc_value="10.0.0.1:80", ioc_type="ip:port", **{HOSTILE: 1})
    path = write(tmp_path, "feed.json", export(record(), hostile))
    return sync_files(IndicatorStore(tmp_path / "home"), [path])


def test_every_count_is_there(report: SyncReport) -> None:
    document = json.loads(render(report))

    VALIDATOR.validate(document)
    assert document["schema"] == "foxhunt.sync/1"
    assert document["counts"] == {
        **{"read": 2, "new": 1, "re_seen": 0, "changed": 0, "unchanged": 0},
        **{"superseded": 0, "quarantined": 1},
    }
    assert document["store"] == {
        **{"before": 0, "total": 1, "quarantined": 1},
        **{"snapshot": report.snapshot, "previous": None},
    }
    assert document["departures"] is None
    assert document["retracted"] == {"is_guess": False, "count": 0, "examples": []}
    (file,) = document["files"]
    (refused,) = file["quarantined"]
    assert (refused["source_id"], refused["value"]) == ("2", "10.0.0.1:80")
    assert [alarm["accepted"] for alarm in document["alarms"]] == [False, False]


def test_what_left_is_there_and_marked_as_the_guess_it_is(report: SyncReport) -> None:
    gone = Departures(expired=7, retracted=1, examples=(HOSTILE,))
    alarm = Alarm(AlarmKind.COUNT, HOSTILE, is_doubt=True)

    told = replace(report, departures=gone, alarms=(alarm,), taken_back=(HOSTILE,) * 12)

    line = render(told, is_line=True)

    assert line.count("\n") == 1, "one line, whatever stands in it"
    assert line.isascii()
    document = json.loads(line)
    VALIDATOR.validate(document)
    assert document["departures"] == {
        "expired": 7,
        "retracted": {"is_guess": True, "count": 1, "examples": [HOSTILE]},
    }
    assert document["retracted"]["count"] == 12
    assert document["retracted"]["examples"] == [HOSTILE] * 10
    assert document["alarms"] == [{"kind": "count", "message": HOSTILE, "accepted": True}]
