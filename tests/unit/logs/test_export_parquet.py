"""Parquet exports: types as other tools write them, and files that are damaged or packed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foxhunt.errors import LogError
from foxhunt.logs import export_parquet, load_report

from .reading import log_file, read

TEN = datetime(2026, 6, 1, 10)
TELLING = {"Name": ["a.example"], "QueryType": ["A"]}


def parquet(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def dns_rows(path: Path, columns: dict[str, Any]) -> list[dict[str, Any]]:
    with read("export_parquet", parquet(path, columns)) as reading:
        return reading.rows("DnsEvents", good=False)


def error_of(path: Path, table: str | None = None) -> str:
    assert export_parquet.recognises(log_file(path))
    with pytest.raises(LogError) as caught, read("export_parquet", path, table):
        pass
    return str(caught.value)


def test_records_are_numbered_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Also over row groups, which DuckDB reads side by side."""
    count = 20_000
    path = parquet(
        tmp_path / "x",
        {
            "Name": [f"h{n}.example" for n in range(count)],
            "TimeGenerated": [TEN] * count,
            "QueryType": ["A"] * count,
            "NotOurs": [0] * count,
        },
        row_group_size=1_000,
    )
    with read("export_parquet", path) as reading:
        part = reading.parts["DnsEvents"]
        assert part.columnar
        assert set(part.columns) == {"Name", "TimeGenerated", "QueryType"}
        assert reading.counts() == {"DnsEvents": count}
        wrong = reading.con.execute(
            f"SELECT count(*) FROM {part.view} WHERE Name <> 'h' || (_row - 1) || '.example'"
        ).fetchone()
        assert wrong == (0,)


@pytest.mark.parametrize(
    "time",
    [
        pa.array([TEN], pa.timestamp("us")),
        pa.array([TEN], pa.timestamp("ns")),
        pa.array([TEN], pa.timestamp("s")),
        pa.array(
            [TEN.replace(tzinfo=timezone(timedelta(0)))], pa.timestamp("us", tz="America/New_York")
        ),
        pa.array(["2026-06-01T12:00:00.0000000+02:00"]),
        pa.array(["6/1/2026, 10:00:00.000 AM"]),
        pa.array([1780308000]),
        pa.array([1780308000000]),
        pa.array([1780308000.0]),
        pa.array([1780308000000.0]),
        pa.array([1780308000 * 10**6]),
        pa.array([1780308000 * 10**9]),
    ],
    ids=[
        *("us", "ns", "s", "with a zone", "ISO", "portal", "seconds", "milliseconds", "real"),
        *("real milliseconds", "microseconds", "nanoseconds"),
    ],
)
def test_a_time_of_any_type_is_the_same_time(tmp_path: Path, time: Any) -> None:
    (row,) = dns_rows(tmp_path / "x", {"TimeGenerated": time, **TELLING})

    assert row == {"_row": 1, "TimeGenerated": TEN, "Name": "a.example", "QueryType": "A"}


def test_a_time_that_is_none_refuses_the_record(tmp_path: Path) -> None:
    rows = dns_rows(
        tmp_path / "x", {"TimeGenerated": [17, None], "Name": ["a", "b"], "QueryType": ["A"] * 2}
    )

    reason = "time (TimeGenerated) is missing or cannot be read"
    assert [row["_refused"] for row in rows] == [reason, reason]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (pa.array([b"203.0.113.1"], pa.binary()), "203.0.113.1"),
        (pa.array(["203.0.113.1"], pa.large_string()), "203.0.113.1"),
        (pa.array(["203.0.113.1"]).dictionary_encode(), "203.0.113.1"),
        (pa.array([["203.0.113.1", "203.0.113.2"]]), "203.0.113.1,203.0.113.2"),
        (pa.array([17]), "17"),
        (pa.array([None], pa.string()), None),
    ],
    ids=["bytes", "large", "dictionary", "list", "number", "null"],
)
def test_text_of_any_type_is_text(tmp_path: Path, addresses: Any, expected: str | None) -> None:
    (row,) = dns_rows(tmp_path / "x", {"TimeGenerated": [TEN], "IPAddresses": addresses, **TELLING})

    assert row.get("IPAddresses") == expected
    assert "_nulled" not in row


def test_a_value_of_a_wrong_type_is_counted_and_costs_only_itself(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "x",
        {
            "TimeGenerated": [TEN] * 3,
            "Name": pa.array([b"good", b"\xff\xfe", b""], pa.binary()),
            "QueryType": ["A"] * 3,
            "ResultCode": ["0", "none", ""],
            "RemoteIPLatitude": [1.5, float("nan"), float("inf")],
        },
    )
    with read("export_parquet", path) as reading:
        report = reading.reports["DnsEvents"]
        assert (report.rows, report.rows_refused) == (3, 0)
        assert report.nulled == {"Name": 1, "RemoteIPLatitude": 2, "ResultCode": 1}
        assert [row.get("ResultCode") for row in reading.rows("DnsEvents")] == [0, None, None]


def test_nested_columns_are_json(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "x",
        {
            "Timestamp": [TEN] * 2,
            "DeviceName": ["d"] * 2,
            "RemoteIP": ["203.0.113.1"] * 2,
            "RemotePort": ["443", "443.7"],
            "AdditionalFields": [{"a": 1, "b": "x"}, None],
        },
    )
    with read("export_parquet", path, "DeviceNetworkEvents") as reading:
        first, second = reading.rows("DeviceNetworkEvents")
        assert reading.reports["DeviceNetworkEvents"].nulled == {"RemotePort": 1}
    assert (first["RemotePort"], first["AdditionalFields"]) == (443, '{"a":1,"b":"x"}')
    assert not {"RemotePort", "AdditionalFields"} & second.keys()


def test_no_rows_is_a_part_without_rows(tmp_path: Path) -> None:
    """It was looked at, which a report must tell from not having looked."""
    path = parquet(
        tmp_path / "x",
        {
            "TimeGenerated": pa.array([], pa.timestamp("us")),
            "Name": pa.array([], pa.string()),
            "QueryType": pa.array([], pa.string()),
        },
    )
    with read("export_parquet", path) as reading:
        report = reading.reports["DnsEvents"]
    assert (report.rows, report.rows_refused, report.first_time) == (0, 0, None)


def test_a_column_called_as_ours_is_not_taken_for_the_record_number(tmp_path: Path) -> None:
    (row,) = dns_rows(
        tmp_path / "x",
        {"TimeGenerated": [TEN], **TELLING, "_row": [99], "_broken": ["x"], "_time": [TEN]},
    )

    assert (row["_row"], row.get("_refused")) == (1, None)


def test_other_columns_say_what_they_are(tmp_path: Path) -> None:
    path = parquet(tmp_path / "x", {"a": [1], "b": [2]})

    assert "its columns are of no known table: a, b" in error_of(path)
    assert "it has no TimeGenerated, so it cannot be DnsEvents" in error_of(path, "DnsEvents")


def test_a_cut_file_is_not_readable(tmp_path: Path) -> None:
    path = parquet(tmp_path / "x", {"TimeGenerated": [TEN] * 99, "Name": ["a"] * 99})
    path.write_bytes(path.read_bytes()[:-20])

    assert "not a readable Parquet file" in error_of(path)


def test_a_damaged_page_is_an_error_of_duckdb_not_a_short_answer(tmp_path: Path) -> None:
    """The end mark is whole, so the file opens; the caller makes the error a failure."""
    path = parquet(
        tmp_path / "x",
        {
            "TimeGenerated": [TEN] * 999,
            "Name": [f"a{n}" for n in range(999)],
            "QueryType": [""] * 999,
        },
        compression="snappy",
    )
    data = bytearray(path.read_bytes())
    data[200:1200] = b"\xff" * 1000
    path.write_bytes(data)

    with pytest.raises((duckdb.Error, LogError)), read("export_parquet", path) as reading:
        reading.rows("DnsEvents")


def test_packed_parquet_says_to_unpack_it(tmp_path: Path) -> None:
    path = parquet(tmp_path / "x.parquet", {"TimeGenerated": [TEN], **TELLING})
    path.write_bytes(gzip.compress(path.read_bytes()))

    assert "H301: Parquet inside gzip (unpack it first)" in error_of(path)


def test_a_file_name_is_never_a_pattern_or_sql(tmp_path: Path) -> None:
    for name in ("a[bc].parquet", "a*.parquet", "it's; --.parquet", "{a,b}.parquet"):
        (row,) = dns_rows(tmp_path / name, {"TimeGenerated": [TEN], **TELLING})
        assert row["Name"] == "a.example"


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ([TEN, TEN + timedelta(days=3), TEN - timedelta(hours=1)], True),
        ([TEN.replace(tzinfo=timezone(timedelta(hours=2))), TEN.replace(tzinfo=UTC)], True),
        ([TEN, None], True),  # one is refused: rows have to tell
        (["2026-06-01T10:00:00Z", "x"], False),
    ],
)
def test_the_footer_tells_what_the_rows_tell(tmp_path: Path, times: list[Any], told: bool) -> None:
    """Counts and first and last time, without reading a column."""
    count = len(times)
    columns = {
        "Name": ["a.example"] * count,
        "QueryType": ["A"] * count,
        "ResultCode": pa.array([3] * count, pa.int32()),
        "TimeGenerated": pa.array(times),
    }
    with read("export_parquet", parquet(tmp_path / "x", columns)) as reading:
        part = reading.parts["DnsEvents"]
        by_rows = load_report(reading.con, part, f"(SELECT * FROM {part.view})")

        assert load_report(reading.con, part, part.view) == by_rows
        assert (part.told_by_footer is not None) is told


@pytest.mark.parametrize("time", ["'infinity'::TIMESTAMP", "TIMESTAMP '0044-03-15 (BC)'"])
def test_a_time_that_is_none_is_seen_in_the_footer(tmp_path: Path, time: str) -> None:
    path = tmp_path / "x"
    duckdb.execute(
        "COPY (SELECT 'a.example' AS Name, 'A' AS QueryType, unnest([TIMESTAMP '2026-06-01', "
        f"{time}]) AS TimeGenerated) TO '{path}' (FORMAT parquet)"
    )
    with read("export_parquet", path) as reading:
        part = reading.parts["DnsEvents"]
        report = load_report(reading.con, part, part.view)

        assert (report.rows, report.rows_refused) == (1, 1)
        assert report.last_time == datetime(2026, 6, 1, tzinfo=UTC)
