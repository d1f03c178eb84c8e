"""What is far down in a large file, or between its records, counts in one pass as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from foxhunt.logs.views import connect

from .test_staging import check_same, csv_bytes, json_bytes, zeek_bytes, zeek_json_bytes


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


@pytest.mark.parametrize("write", [csv_bytes, json_bytes, zeek_bytes, zeek_json_bytes])
@pytest.mark.parametrize("dirt", [b"\n", b"\r\n"])
def test_blank_lines_do_not_shift_what_is_cut_out(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    write: Callable[[Sequence[Sequence[str]], Sequence[bytes]], bytes],
    dirt: bytes,
) -> None:
    """They are no records, in the middle of a file or at its end."""
    path = tmp_path / "log"
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "x", "3")
    for blanks in ([dirt], [b"", b"", dirt * 3]):
        path.write_bytes(write([row] * 3, blanks))
        check_same(con, path)


@pytest.mark.parametrize("write", [csv_bytes, json_bytes])
def test_a_time_of_another_spelling_far_down_is_read_all_the_same(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    write: Callable[[Sequence[Sequence[str]], Sequence[bytes]], bytes],
) -> None:
    """Of a file with one spelling of times only that is looked for at first."""
    path = tmp_path / "log"
    times = ["2026-06-01T10:00:00Z"] * 9 + ["1780000000", "soon", "6/1/2026, 10:00:00.000 AM"]
    path.write_bytes(write([(time, "evil.example", "A", "x", "3") for time in times], []))
    assert check_same(con, path)


def test_lines_of_any_length_are_cut_out_of_a_large_file(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Some span the pieces in which a file is looked at, and some pieces have no line's end."""
    path = tmp_path / "log"
    rows = [
        ("2026-06-01T10:00:00Z", f"n{i}.example", "A", "x" * (i * 7919 % 200_000), "3")
        for i in range(40)
    ]
    path.write_bytes(csv_bytes(rows, []))
    assert check_same(con, path)


@pytest.mark.parametrize("bad", [b"\xff", b"\0"])
def test_a_bad_byte_far_down_in_a_column_that_is_not_compared_is_seen(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, bad: bytes
) -> None:
    """A large file is looked at while it is copied; its copy must not be used."""
    path = tmp_path / "log"
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "x" * 100_000, "3")
    path.write_bytes(csv_bytes([row] * 15, []).removesuffix(b"x,3\n") + bad + b",3\n")
    assert not check_same(con, path)


@pytest.mark.parametrize(("name", "code"), [("evil.example", "\r"), ("\1\2\3\4", "3")])
def test_a_field_that_duckdb_passes_over_leaves_a_log_to_the_exact_reading(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, code: str
) -> None:
    """A carriage return alone it refuses when the line is cut out; the other stands for no text."""
    path = tmp_path / "log"
    rows = [("1780000000.123456", n, "A", "x", c) for n, c in [("a", "3"), (name, code)] * 2]
    path.write_bytes(zeek_bytes(rows, []))
    assert not check_same(con, path)


def test_a_year_of_two_digits_is_no_year_in_one_pass_as_in_the_exact_reading(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """16/07/26 would be a day of the year 16 or of the year 26, and no event of any search."""
    path = tmp_path / "log"
    for times in (["16/07/26 10:00:00"], ["5/6/26 10:00:00", "16/07/2026 10:00:00"]):
        path.write_bytes(csv_bytes([(time, "evil.example", "A", "x", "3") for time in times], []))
        assert check_same(con, path)
