"""What ThreatFox really publishes reads whole; counts are those of the untouched files."""

from __future__ import annotations

from pathlib import Path

import pytest

from foxhunt.feeds import FileReport, read_file, read_indicators, sync_files
from foxhunt.indicators import IndicatorStore

# File: records, indicators.
RECENT = {
    "recent_20260708T2028Z_7199ef59.json.gz": (4140, 4139),
    "recent_20260709T0954Z_8437e28b.json.gz": (4243, 4242),
    "recent_20260710T0950Z_e986d7cf.json.gz": (4761, 4760),
    "recent_20260711T0808Z_6e933017.json.gz": (5014, 5013),
    "recent_20260712T0829Z_e13581d0.json.gz": (4260, 4259),
    "recent_20260713T0944Z_4b09a08b.json.gz": (4182, 4179),
    "recent_20260714T0824Z_33f5452e.json.gz": (4485, 4482),
}
API = {
    "hasamba_threatpulse_20260202.json": 15,
    "search_ioc_address_hit.json": 1,
    "search_ioc_domain_hit.json": 1,
    "search_ioc_no_result.json": 0,
}


@pytest.fixture
def threatfox(shared_data: Path) -> Path:
    return shared_data / "threatfox"


def codes(report: FileReport) -> list[str]:
    return sorted(record.reason.partition(":")[0] for record in report.quarantined)


def test_no_file_is_missing_here(threatfox: Path) -> None:
    assert sorted(RECENT) == sorted(p.name for p in (threatfox / "recent").iterdir())
    assert sorted(API) == sorted(p.name for p in (threatfox / "api").iterdir())


@pytest.mark.parametrize("name", RECENT)
def test_a_recent_export_reads_whole(threatfox: Path, name: str) -> None:
    report = read_file(str(threatfox / "recent" / name)).report

    assert (report.format, report.read, report.indicators) == ("JSON export", *RECENT[name])
    assert len(report.quarantined) == report.read - report.indicators
    assert (report.unknown_columns, report.notes) == ((), ())


def test_the_seven_recent_exports_merge_in_any_order(threatfox: Path, tmp_path: Path) -> None:
    paths = [str(threatfox / "recent" / name) for name in RECENT]
    together = sync_files(IndicatorStore(tmp_path), paths)

    assert together.read == 31_085
    assert (together.new, together.superseded, len(together.quarantined)) == (7929, 23_145, 11)
    assert (together.total, together.quarantined_total) == (7929, 3)

    backwards, _ = read_indicators(paths[::-1])
    # A few records differ in the reporter alone, and then the file named last wins.
    columns = ["source_id", "value", "first_seen", "last_seen"]
    stored = IndicatorStore(tmp_path).load()
    assert backwards.table.select(columns).equals(stored.table.select(columns))


def test_the_csv_of_2026_reads_whole(threatfox: Path) -> None:
    report = read_file(str(threatfox / "csv" / "threatfox_recent_20260315.csv")).report

    assert (report.format, report.read, report.indicators) == ("CSV export", 1763, 1763)
    assert (report.unknown_columns, report.notes) == ((), ())


def test_three_years_of_indicators_read_whole(threatfox: Path) -> None:
    read = read_file(str(threatfox / "csv" / "threatfox_2020_2023_derived.csv.gz"))

    assert (read.report.format, read.report.read) == ("CSV table", 81_452)
    assert (read.report.indicators, len(read.indicators)) == (81_361, 81_064)
    assert codes(read.report) == ["H101"] * 11 + ["H102"] * 80
    assert read.report.unknown_columns == ("source_file",)


@pytest.mark.parametrize("name", API)
def test_an_api_answer_reads_whole(threatfox: Path, name: str) -> None:
    report = read_file(str(threatfox / "api" / name)).report

    assert (report.format, report.read, report.indicators) == ("API answer", API[name], API[name])
    assert report.unknown_columns == ()
    assert bool(report.notes) is (API[name] == 0)
