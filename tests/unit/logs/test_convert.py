"""Logs as Parquet by table and day: nothing lost, nothing twice, nothing half-done."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foxhunt.errors import LogError, UsageError
from foxhunt.logs import connect, convert, load_report, open_logs
from foxhunt.logs.convert import NOT_CONVERTED, Conversion, convert_logs
from foxhunt.logs.export_parquet import TABLE_KEY
from foxhunt.sql import identifier

DNS_ROW = {"Name": "b", "QueryType": "A"}
HOSTILE = [
    'a"b.example',
    "a'b.example",
    "a\\b.example",
    "{{ x }}.example",
    "ünï.example",
    "a" * 9999,
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def dns(path: str, *rows: tuple[str, str]) -> str:
    """A CSV file of DnsEvents: time and name of each row."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lines = ["TimeGenerated,Name,QueryType"]
    lines += [f'{when},"{name.replace(chr(34), chr(34) * 2)}",A' for when, name in rows]
    Path(path).write_text("\n".join(lines) + "\n", "utf-8")
    return path


def converted(*paths: str, out: str = "out", forced: Sequence[tuple[str, str]] = ()) -> Conversion:
    return convert_logs(paths, Path(out), forced, progress=lambda what, done, total: None)


def rows_of(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(Path("out", name)).to_pylist()
    return found


def names_in(path: str) -> list[str]:
    return sorted(found.name for found in Path(path).iterdir())


def read_back(path: str) -> tuple[int, int]:
    """Rows and refused rows that the readers see below ``path``."""
    with connect() as con:
        logs = open_logs(con, [path])
        assert not logs.failures
        reports = [load_report(con, part, identifier(part.view)) for part in logs.parts]
    return sum(r.rows for r in reports), sum(r.rows_refused for r in reports)


def test_each_day_is_a_file_in_order_of_time() -> None:
    dns("a.csv", ("2026-06-02T10:00:00Z", "late"), ("2026-06-01T23:59:59.999999Z", "last"))
    dns("b.csv", ("2026-06-02T00:00:00Z", "first"), ("2026-06-02T01:00:00+02:00", "eve"))

    result = converted("a.csv", "b.csv")

    assert [(file.name, file.rows) for file in result.files] == [
        ("DnsEvents/2026-06-01/part-000.parquet", 2),
        ("DnsEvents/2026-06-02/part-000.parquet", 2),
    ]
    assert [row["Name"] for row in rows_of(result.files[0].name)] == ["eve", "last"]
    assert [row["Name"] for row in rows_of(result.files[1].name)] == ["first", "late"]


def test_a_row_names_the_record_that_it_was() -> None:
    dns("logs/it's.csv", ("2026-06-01T10:00:00Z", "a"), ("2026-06-01T09:00:00Z", "b"))

    (file,) = converted("logs").files

    assert [(row["_source_file"], row["_source_row"]) for row in rows_of(file.name)] == [
        ("logs/it's.csv", 2),
        ("logs/it's.csv", 1),
    ]


def test_parquet_is_converted_to_the_columns_that_text_is() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"))
    pq.write_table(pa.Table.from_pylist([{**DNS_ROW, "TimeGenerated": "2026-06-02"}]), "b.parquet")

    text, parquet = converted("a.csv", "b.parquet").files

    assert rows_of(text.name)[0].keys() == rows_of(parquet.name)[0].keys()


def test_a_column_that_one_log_lacks_is_empty_and_one_that_all_lack_is_absent() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"))
    Path("b.csv").write_text("TimeGenerated,Name,ClientIP\n2026-06-01T11:00:00Z,b,10.0.0.5\n")

    (file,) = converted("a.csv", "b.csv").files

    kept = [
        {name: value for name, value in row.items() if not name.startswith("_")}
        for row in rows_of(file.name)
    ]
    ten, eleven = (row.pop("TimeGenerated").isoformat() for row in kept)
    assert (ten, eleven) == ("2026-06-01T10:00:00", "2026-06-01T11:00:00")
    assert kept == [
        {"ClientIP": None, "Name": "a", "QueryType": "A"},
        {"ClientIP": "10.0.0.5", "Name": "b", "QueryType": None},
    ]


def test_a_refused_record_is_refused_again_by_a_hunt_of_the_folder() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"), ("no time", "b"), ("", "c"))

    result = converted("a.csv")

    assert [(report.rows, report.rows_refused) for report in result.reports] == [(1, 2)]
    refused = rows_of("DnsEvents/refused/part-000.parquet")
    assert [(row["Name"], row["_source_row"]) for row in refused] == [("b", 2), ("c", 3)]
    assert all("TimeGenerated" in row["_source_reason"] for row in refused)
    assert read_back("out") == (1, 2)


def test_a_file_that_cannot_be_read_makes_a_hunt_of_the_folder_incomplete() -> None:
    dns("logs/a.csv", ("2026-06-01T10:00:00Z", "a"))
    Path("logs/odd.bin").write_bytes(b"\x00\x01 no log")

    result = converted("logs")

    assert [failure.name for failure in result.failures] == ["logs/odd.bin"]
    with connect() as con:
        (failure,) = open_logs(con, ["out"]).failures
    assert failure.name == "out/NOT-CONVERTED.txt"
    assert "odd.bin" in Path("out", NOT_CONVERTED).read_text()


def test_logs_without_a_row_make_no_folder() -> None:
    dns("a.csv")

    assert converted("a.csv").files == ()
    assert names_in(".") == ["a.csv"]


def test_hostile_values_and_names_come_back_as_they_were() -> None:
    name = "lo'gs/{{ x }}\\\".csv"
    dns(name, *(("2026-06-01T10:00:00Z", value) for value in HOSTILE))

    (file,) = converted("lo'gs", out="o'ut/{{ y }}").files

    rows = pq.read_table(Path("o'ut/{{ y }}", file.name)).to_pylist()
    assert [row["Name"] for row in rows] == HOSTILE
    assert {row["_source_file"] for row in rows} == {name}


def test_times_of_many_days_do_not_become_a_folder_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "MOST_DAYS", 2)
    days = ["0001-01-01", "9999-12-31", "2026-06-01", "2026-06-01", "2026-06-02", "2026-06-02"]
    dns("a.csv", *((f"{day}T10:00:00Z", day) for day in days))

    result = converted("a.csv")

    assert {Path(file.name).parent.name: file.rows for file in result.files} == {
        "2026-06-01": 2,
        "2026-06-02": 2,
        "other-days": 2,
    }
    assert read_back("out") == (6, 0)


def test_first_and_last_day_of_all_have_a_folder() -> None:
    dns("a.csv", ("0001-01-01T00:00:00Z", "a"), ("9999-12-31T23:59:59.999999Z", "b"))

    names = [Path(file.name).parent.name for file in converted("a.csv").files]

    assert names == ["0001-01-01", "9999-12-31"]


def test_the_table_is_told_where_columns_cannot_tell_it() -> None:
    sha256 = "c" * 64
    Path("images.csv").write_text(
        f"Timestamp,DeviceName,SHA256\n2026-06-01T10:00:00Z,ws,{sha256}\n"
    )

    (file,) = converted(forced=[("DeviceImageLoadEvents", "images.csv")]).files

    metadata = pq.read_schema(Path("out", file.name)).metadata
    assert metadata[TABLE_KEY.encode()] == b"DeviceImageLoadEvents"


def test_row_groups_are_small_enough_to_skip() -> None:
    con = duckdb.connect()
    con.execute(
        "COPY (SELECT TIMESTAMP '2026-06-01' + INTERVAL (200000 - i) MILLISECOND AS TimeGenerated, "
        "'n' || i AS Name, 'A' AS QueryType FROM range(200000) t(i)) TO 'a.parquet'"
    )

    (file,) = converted("a.parquet").files

    groups = con.execute(
        "SELECT stats_min_value, stats_max_value, compression FROM parquet_metadata(?) "
        "WHERE path_in_schema = 'TimeGenerated' ORDER BY row_group_id",
        [str(Path("out", file.name))],
    ).fetchall()
    assert len(groups) == 2
    assert groups[0][1] < groups[1][0], "the first group ends before the second begins"
    assert {compression for *_, compression in groups} == {"ZSTD"}


def test_a_folder_with_something_in_it_is_left_alone() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"))
    Path("out").mkdir()
    Path("out/mine.txt").write_text("kept")

    with pytest.raises(UsageError, match="not an empty folder"):
        converted("a.csv")

    assert names_in("out") == ["mine.txt"]


def test_an_empty_folder_is_filled() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"))
    Path("out").mkdir()

    assert converted("a.csv").files
    assert names_in("out") == ["DnsEvents"]


@pytest.mark.parametrize("out", ["logs/new", "logs"])
def test_a_folder_among_the_logs_would_be_hunted_twice(out: str) -> None:
    Path("logs").mkdir()
    with pytest.raises(UsageError, match="lies in logs"):
        converted("logs", out=out)


def test_a_place_that_cannot_be_written_is_wrong_usage() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"))
    Path("file").write_text("")

    with pytest.raises(UsageError, match="cannot write"):
        converted("a.csv", out="file/out")


def test_a_folder_that_someone_fills_meanwhile_is_not_overwritten() -> None:
    dns("a.csv", ("2026-06-01T10:00:00Z", "a"))

    def fill(what: str, done: int, total: int) -> None:
        Path("out").mkdir(exist_ok=True)
        Path("out/theirs.txt").write_text("kept")

    with pytest.raises(LogError, match="cannot write"):
        convert_logs(["a.csv"], Path("out"), progress=fill)

    assert names_in("out") == ["theirs.txt"]
    assert names_in(".") == ["a.csv", "out"]


def test_a_kill_at_any_moment_leaves_nothing_that_a_hunt_would_read(tmp_path: Path) -> None:
    con = duckdb.connect()
    con.execute(
        "COPY (SELECT TIMESTAMP '2026-06-01' + INTERVAL (i) SECOND AS TimeGenerated, "
        "'n' || i AS Name, 'A' AS QueryType FROM range(2000000) t(i)) TO 'a.parquet'"
    )
    script = (
        "from pathlib import Path; from foxhunt.logs.convert import convert_logs; "
        "convert_logs(['a.parquet'], Path('out/deep'), progress=lambda *a: None)"
    )
    for moment in (0.0, 0.3, 0.8):
        process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path)
        while not Path("out").exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if Path("out/deep").exists():  # a fast machine: then it was done
            assert read_back("out") == (2_000_000, 0)
            return
        with connect() as hunting, pytest.raises(UsageError, match="no file in the folder"):
            open_logs(hunting, ["out"])
