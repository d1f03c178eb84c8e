"""CSV for spreadsheets: every record whole, no cell a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings

from foxhunt.findings import HuntResult
from foxhunt.reports.csv_report import HEADER, render
from foxhunt.reports.summary import gaps
from tests import golden_files

from . import report_samples as samples
from .report_strategies import results


def _records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("name", ["telling", "empty", "blind", "incomplete", "hostile"])
def test_golden(name: str) -> None:
    result: HuntResult = getattr(samples, f"{name}_result")()

    golden_files.check(f"reports/csv/{name}.csv", render(result))


def test_values_are_exact_not_defanged() -> None:
    first, second, *_ = _records(render(samples.telling_result()))

    assert first["indicator"] == "texornacu.com"
    assert first["observed"] == "c2.texornacu.com; C2.Texornacu.com."
    assert second["indicator"] == "http://winupdateservice.com/gate.php?id=1"
    assert (first["open"], first["suppressed"], first["stale"]) == ("2", "40", "0")
    assert first["last_event"] == "2026-06-01T12:00:00Z"


def test_nothing_found_is_the_header_alone_and_did_not_look_is_not() -> None:
    assert render(samples.empty_result()) == ",".join(HEADER) + "\r\n"
    assert [(r["verdict"], r["table"]) for r in _records(render(samples.blind_result()))] == [
        ("no-data", "DeviceNetworkEvents"),
        ("no-data", "DnsEvents"),
    ]


def test_a_gap_has_no_id_and_names_reason_and_file() -> None:
    *_, last = _records(render(samples.incomplete_result()))

    assert (last["id"], last["verdict"]) == ("", "not-evaluated")
    assert last["reason"] == "H301: no format recognises it (logs/odd.bin)"


@settings(max_examples=60)
@given(results())
def test_one_record_a_finding_and_a_gap_whatever_the_logs_hold(result: HuntResult) -> None:
    records = _records(render(result))

    assert len(records) == len(result.findings) + len(gaps(result))
    assert [r["id"] for r in records if r["id"]] == [f.id for f in result.findings]
    assert all(list(record) == list(HEADER) for record in records)
