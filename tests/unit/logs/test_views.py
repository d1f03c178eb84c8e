"""From text to types: times as the sources write them, wrong types, and what is counted of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import LogError
from foxhunt.logs import DUCKDB_TYPES, connect, load_report
from foxhunt.logs.files import look_at
from foxhunt.logs.model import LogPart, RawPart
from foxhunt.logs.views import typed_view
from foxhunt.sql import identifier, literal
from foxhunt.tables import EXTRA_COLUMNS, catalog

TEN = datetime(2026, 6, 1, 10)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        yield con


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dns.log"
    path.write_text("what a format would read\n")
    return path


def view(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    select: str,
    columns: tuple[str, ...],
    table: str = "DnsEvents",
) -> LogPart:
    raw = RawPart(table=table, select=select, columns=columns)
    return typed_view(con, raw, look_at(path, path.name), "a format")


@cache
def _clock() -> duckdb.DuckDBPyConnection:
    return connect()


def time_of(text: str | None) -> datetime | None:
    """The time that a log's text is read as, in UTC."""
    row = _clock().execute("SELECT foxhunt_years(foxhunt_time(?::VARCHAR))", [text]).fetchone()
    assert row is not None
    time = row[0]
    assert time is None or isinstance(time, datetime)
    return time


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T10:00:00Z",
        "2026-06-01T10:00:00",
        "2026-06-01 10:00:00",
        "2026-06-01 10:00:00+00",
        " 2026-06-01T10:00:00.000Z ",
        "2026-06-01T10:00:00.0000000Z",
        "2026-06-01T12:00:00+02:00",
        "2026-06-01T12:00:00+0200",
        "2026-06-01T02:30:00.000000-07:30",
        "1780308000",
        "1780308000.000000",
        "1780308000000",
        "1780308000000.0",
        "1780308000000000",
        "1780308000000000000",
        "6/1/2026, 10:00:00.000 AM",
        "6/1/2026, 10:00:00 AM",
        "06/01/2026, 10:00:00.000",
        "06/01/2026 10:00:00.000",
        "6/1/2026 10:00:00 AM",
        "6/1/2026 10:00 AM",
        "6/1/2026 10:00",
        "6/1/2026 10:00:00",
    ],
)
def test_a_time_as_the_sources_write_it(text: str) -> None:
    assert time_of(text) == TEN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1780308000.1234567", TEN + timedelta(microseconds=123457)),
        ("1780308000123", TEN + timedelta(microseconds=123000)),
        ("1780308000123.456", TEN + timedelta(microseconds=123456)),
        ("1780308000123456", TEN + timedelta(microseconds=123456)),
        ("1780308000123456789", TEN + timedelta(microseconds=123456)),
        ("2022-11-09T17:59:19.1234567Z", datetime(2022, 11, 9, 17, 59, 19, 123456)),
        ("6/1/2026, 12:00:00.500 AM", datetime(2026, 6, 1, 0, 0, 0, 500000)),
        ("12/31/2026, 12:59:59 PM", datetime(2026, 12, 31, 12, 59, 59)),
        ("2026-06-01", datetime(2026, 6, 1)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29)),
    ],
)
def test_parts_of_a_second_noon_and_midnight(text: str, expected: datetime) -> None:
    assert time_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "-",
        "443",  # a port, or a counter
        "17803080",
        "178030800012345678",
        "9780308000123456789",
        "202606011000",  # a time, but not one in milliseconds
        "20260601100000",
        "134247816000000000",  # Windows' FILETIME
        "13/13/2026, 10:00:00 AM",
        "7/16/26 10:00:00",  # the year 26, or the year 7
        "5/6/26 10:00:00Z",
        "2026-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "infinity",
        "-infinity",
        "epoch of bees",
        "0044-03-15 (BC) 00:00:00",
        "20000-01-01T00:00:00Z",
        "10:00:00",
        "2026-06-01T10:00:00 Mars/Olympus",
        "\0",
    ],
)
def test_what_is_no_time_is_never_guessed(text: str | None) -> None:
    assert time_of(text) is None


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_an_offset_is_honoured_and_none_means_utc(time: datetime, minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    sign = "-" if minutes < 0 else "+"
    shown = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

    assert time_of(time.isoformat()) == time
    assert time_of(f"{(time + offset).isoformat()}{shown}") == time
    assert time_of(f"{(time + offset).isoformat(sep=' ')}{shown}") == time


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_seconds_since_1970_lose_no_microsecond(time: datetime) -> None:
    since = time - datetime(1970, 1, 1)
    seconds = since // timedelta(seconds=1)

    assert time_of(f"{seconds}.{since.microseconds:06}") == time


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    """It never stops the query that reads the file."""
    time_of(text.replace("\0", ""))


TYPED = [
    ("443", 443),
    (" 443 ", 443),
    ("443.0", 443),
    ("-1", -1),
    ("0x1bb", 443),
    ("443.7", None),
    ("4e2", None),
    ("1_000", None),
    ("99999999999999999999", None),
    ("https", None),
]


@pytest.mark.parametrize(("text", "expected"), TYPED)
def test_an_integer_is_not_rounded_from_what_is_none(
    con: duckdb.DuckDBPyConnection, path: Path, text: str, expected: int | None
) -> None:
    part = view(
        con,
        path,
        f"SELECT 1 AS _row, '2026-06-01' AS TimeGenerated, {literal(text)} AS ResultCode",
        ("TimeGenerated", "ResultCode"),
    )

    row = con.execute(f"SELECT ResultCode, _nulled, _refused FROM {part.view}").fetchone()

    assert row == (expected, None if expected is not None else "ResultCode", None)


def test_every_column_of_every_table_has_its_type(
    con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    """From text, and no text stops it."""
    for table in catalog().values():
        columns = (*table.columns, *EXTRA_COLUMNS)
        texts = ", ".join(f"text AS {identifier(name)}" for name in columns)
        part = view(
            con,
            path,
            f"SELECT row_number() OVER () AS _row, {texts} FROM (VALUES ('2026-06-01'), "
            "('1'), ('x'), (''), (NULL), ('{\"a\": 1}'), ('99999999999')) AS all_(text)",
            columns,
            table.name,
        )
        described = con.execute(f"DESCRIBE {part.view}").fetchall()
        types = {str(name): str(type_) for name, type_, *_ in described}
        kinds = {**EXTRA_COLUMNS, **table.columns}

        assert {name: types[name] for name in columns} == {
            name: DUCKDB_TYPES[kinds[name]] for name in columns
        }
        assert len(con.execute(f"FROM {part.view}").fetchall()) == 7


def test_either_name_of_the_time_fills_both(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The first that a record has, in the table's order: Sentinel's name and Defender's."""
    part = view(
        con,
        path,
        "SELECT 1 AS _row, NULL AS TimeGenerated, '2026-06-01T10:00:00Z' AS Timestamp UNION ALL "
        "SELECT 2, '2026-06-01T10:00:00Z', 'never' ORDER BY _row",
        ("TimeGenerated", "Timestamp"),
        "DeviceNetworkEvents",
    )

    rows = con.execute(f"SELECT _refused, _nulled, TimeGenerated, Timestamp FROM {part.view}")

    assert rows.fetchall() == [(None, None, TEN, TEN)] * 2


def test_columns_that_the_select_lacks_are_left_out(
    con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    part = view(
        con,
        path,
        "SELECT 1 AS _row, '2026-06-01' AS TimeGenerated, 'x' AS Other",
        ("TimeGenerated", "Name"),
    )

    assert part.columns == ("TimeGenerated",)


def test_two_parts_never_share_a_view(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    select = "SELECT 1 AS _row, '2026-06-01' AS TimeGenerated"

    views = {view(con, path, select, ("TimeGenerated",)).view for _ in range(5)}

    assert len(views) == 5


def test_a_report_counts_what_is_read_refused_and_of_a_wrong_type(
    con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    part = view(
        con,
        path,
        "SELECT * FROM (VALUES (1, NULL, '2026-06-01T10:00:00Z', '0', '1.5'), "
        "(2, 'torn', NULL, NULL, NULL), (3, NULL, '2026-06-01T12:00:00Z', 'x', 'y'), "
        "(4, NULL, 'never', '0', ''), (5, NULL, '2026-06-01T11:00:00Z', 'x', NULL), "
        "(6, 'torn', NULL, NULL, NULL), (7, 'torn', NULL, NULL, NULL)) "
        "AS all_(_row, _broken, TimeGenerated, ResultCode, RemoteIPLatitude)",
        ("TimeGenerated", "ResultCode", "RemoteIPLatitude"),
    )

    report = load_report(con, part, part.view)

    assert (report.table, report.file, report.format) == ("DnsEvents", "dns.log", "a format")
    assert (report.rows, report.rows_refused) == (3, 4)
    assert report.refused_samples == (
        (2, "torn"),
        (4, "time (TimeGenerated) is missing or cannot be read"),
        (6, "torn"),
    )
    assert report.nulled == {"RemoteIPLatitude": 1, "ResultCode": 2}
    assert report.first_time == TEN.replace(tzinfo=UTC)
    assert report.last_time == TEN.replace(hour=12, tzinfo=UTC)


def test_a_refused_record_does_not_widen_the_time_span(
    con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    part = view(
        con,
        path,
        "SELECT 1 AS _row, 'torn' AS _broken, '1999-01-01' AS TimeGenerated",
        ("TimeGenerated",),
    )

    report = load_report(con, part, part.view)

    assert (report.rows, report.first_time, report.last_time) == (0, None, None)


@pytest.mark.parametrize("how", ["cut", "replaced", "removed"])
def test_a_file_that_is_not_the_one_opened_gives_no_report(
    con: duckdb.DuckDBPyConnection, path: Path, how: str
) -> None:
    """What was staged before may lack records, and a count of it would look complete."""
    part = view(con, path, "SELECT 1 AS _row, '2026-06-01' AS TimeGenerated", ("TimeGenerated",))
    if how == "cut":
        path.write_text("what\n")
    else:
        path.rename(path.with_name("rotated"))
    if how == "replaced":
        path.write_text("what a format would read, and more\n")

    with pytest.raises(LogError, match="it was cut or replaced while it was read"):
        load_report(con, part, part.view)


def test_a_file_that_grew_is_reported(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    part = view(con, path, "SELECT 1 AS _row, '2026-06-01' AS TimeGenerated", ("TimeGenerated",))
    with path.open("a") as out:
        out.write("one line more\n")

    assert load_report(con, part, part.view).rows == 1


def test_a_connection_loads_no_code_and_keeps_utc(con: duckdb.DuckDBPyConnection) -> None:
    settings = dict(con.execute("SELECT name, value FROM duckdb_settings()").fetchall())

    assert settings["TimeZone"] == "UTC"
    for name in ("autoinstall_known_extensions", "autoload_known_extensions"):
        assert settings[name] == "false"
    assert settings["allow_community_extensions"] == "false"


def _spellings() -> Iterator[str]:
    """The two spellings that are read the short way, and all that one character makes of them."""
    for whole in ("2026-06-01T10:20:30.123456Z", "2026-02-29 24:00:60", "1780000000.123456"):
        yield whole
        for at in range(len(whole) + 1):
            yield whole[:at] + whole[at + 1 :]
            yield whole[:at]
            for char in "09-+:.TZ /\te\u0661":
                yield whole[:at] + char + whole[at + 1 :]
                yield whole[:at] + char + whole[at:]


def test_the_short_way_reads_no_time_otherwise_than_the_long_one() -> None:
    texts = sorted(set(_spellings()))
    row = (
        _clock()
        .execute(
            "SELECT count(*), count(foxhunt_time(v)), count(*) FILTER "
            "(foxhunt_time(v) IS DISTINCT FROM foxhunt_other_time(v)) FROM (SELECT unnest(?) AS v)",
            [texts],
        )
        .fetchone()
    )
    assert row is not None
    assert row[0] == len(texts) > 1_500
    assert row[1] > 100
    assert row[2] == 0


def test_nothing_is_left_unfinished_on_the_connection_by_a_report(
    con: duckdb.DuckDBPyConnection, path: Path
) -> None:
    part = view(con, path, "SELECT 1 AS _row, '2026-06-01' AS TimeGenerated", ("TimeGenerated",))
    load_report(con, part, identifier(part.view))
    con.register("anything", pa.table({"a": [1]}))  # refused while a result is unfinished


def test_every_part_has_a_view_of_its_own(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    select = "SELECT 1 AS _row, '2026-06-01' AS TimeGenerated"
    views = {view(con, path, select, ("TimeGenerated",)).view for _ in range(3)}
    assert len(views) == 3
