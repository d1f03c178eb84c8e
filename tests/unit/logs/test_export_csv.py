"""CSV exports: what portals and people write, and damage that costs the damaged records only."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import LogError
from foxhunt.logs import export_csv
from foxhunt.logs.streams import TORN

from .reading import log_file, read, write_lines

WAYS = pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])
HEADER = "TimeGenerated,Name,ClientIP"
TIME = "2026-06-01T10:00:00Z"
TEN = datetime(2026, 6, 1, 10)


def names(path: Path, *, torn: bool = False) -> dict[int, str | None]:
    """Number of each good record to its name."""
    with read("export_csv", path, torn=torn) as reading:
        return {row["_row"]: row.get("Name") for row in reading.rows("DnsEvents")}


def refused(path: Path, *, torn: bool = False) -> list[tuple[int, str]]:
    with read("export_csv", path, torn=torn) as reading:
        return reading.refused()


@WAYS
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_portal_export(tmp_path: Path, line_end: str, torn: bool) -> None:
    path = tmp_path / "query_data.csv"
    path.write_bytes(
        "\ufeff".encode()
        + line_end.join(
            [
                '"ClientIP","TimeGenerated [UTC]","Name","Unknown","IPAddresses"',
                '10.0.0.1,"6/1/2026, 10:00:00.000 AM",a.example,x,"203.0.113.1,203.0.113.2"',
                ',"6/1/2026, 12:30:00.500 AM","say ""hi""",,""',
                "",
            ]
        ).encode()
    )
    assert export_csv.recognises(log_file(path))
    with read("export_csv", path, torn=torn) as reading:
        assert reading.rows("DnsEvents") == [
            {
                "_row": 1,
                "ClientIP": "10.0.0.1",
                "TimeGenerated": TEN,
                "Name": "a.example",
                "IPAddresses": "203.0.113.1,203.0.113.2",
            },
            {
                "_row": 2,
                "TimeGenerated": datetime(2026, 6, 1, 0, 30, 0, 500000),
                "Name": 'say "hi"',
            },
        ]
        assert set(reading.parts["DnsEvents"].columns) == {
            "ClientIP",
            "TimeGenerated",
            "Name",
            "IPAddresses",
        }


@WAYS
@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
def test_other_delimiters(tmp_path: Path, delimiter: str, torn: bool) -> None:
    path = tmp_path / "dns.txt"
    path.write_text(f"{HEADER}\n{TIME},a.example,10.0.0.1\n".replace(",", delimiter))

    assert names(path, torn=torn) == {1: "a.example"}


@WAYS
def test_a_delimiter_within_a_column_name_is_not_taken(tmp_path: Path, torn: bool) -> None:
    path = write_lines(
        tmp_path / "x.csv", 'TimeGenerated;Name;ClientIP;"Bytes, total"', f"{TIME};a.example;;17"
    )
    assert export_csv.recognises(log_file(path))
    assert names(path, torn=torn) == {1: "a.example"}


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_compressed(tmp_path: Path, pack: Any) -> None:
    """By content, not by name; what is packed in two pieces is one file."""
    path = tmp_path / "dns.csv"
    text = f"{HEADER}\n{TIME},a.example,10.0.0.1\n".encode()
    path.write_bytes(pack(text) + pack(f"{TIME},b.example,\n".encode()))

    assert names(path) == names(path, torn=True) == {1: "a.example", 2: "b.example"}


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_torn_archive_keeps_what_came_before(tmp_path: Path, pack: Any) -> None:
    path = tmp_path / "dns.csv.gz"
    lines = [HEADER, *(f"{TIME},h{n}.example,10.0.{n % 256}.1" for n in range(50_000))]
    packed = pack("\n".join(lines).encode())
    path.write_bytes(packed[: len(packed) // 2])

    found = names(path, torn=True)

    assert 1_000 < len(found) < 50_000
    assert found == {n + 1: f"h{n}.example" for n in range(len(found))}
    assert refused(path, torn=True) == [(len(found) + 1, TORN)]


@WAYS
def test_of_two_columns_of_one_name_the_first_counts(tmp_path: Path, torn: bool) -> None:
    path = write_lines(
        tmp_path / "x.csv", "TimeGenerated,Name,ClientIP,Name", f"{TIME},a.example,10.0.0.1,b"
    )
    assert names(path, torn=torn) == {1: "a.example"}


@WAYS
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize(
    "first", ["sep=;", "sep=;\r", "#TYPE System.Management.Automation.PSCustomObject"]
)
def test_what_excel_and_powershell_put_before_the_header(
    tmp_path: Path, first: str, mark: bytes, torn: bool
) -> None:
    path = write_lines(tmp_path / "x", first, "TimeGenerated;Name;ClientIP", f"{TIME};a;")
    path.write_bytes(mark + path.read_bytes())

    # The ends of lines differ where the first ends in a carriage return: DuckDB lost all then.
    assert export_csv.recognises(log_file(path))
    assert names(path, torn=torn) == {1: "a"}


def times(path: Path, *, torn: bool = False) -> list[datetime | None]:
    with read("export_csv", path, torn=torn) as reading:
        rows = reading.rows("DnsEvents", good=False)
        return [row.get("TimeGenerated") for row in rows]


@WAYS
@pytest.mark.parametrize("form", ["{} 20:26:12.030", "{} 20:26:12", "{}, 8:26:12 PM", "{} 20:26"])
def test_one_date_tells_the_order_of_all(tmp_path: Path, form: str, torn: bool) -> None:
    """The portal writes day first for users in most of the world; 05/06 must not become May."""

    def written(*dates: str) -> Path:
        lines = (f'"{form.format(date)}",x,' for date in dates)
        return write_lines(tmp_path / "x.csv", HEADER, *lines)

    def days(path: Path) -> list[tuple[int, int] | None]:
        return [(time.month, time.day) if time else None for time in times(path, torn=torn)]

    assert days(written("05/06/2026", "16/07/2026")) == [(6, 5), (7, 16)]
    assert days(written("5/6/2026", "07/16/2026")) == [(5, 6), (7, 16)]
    assert days(written("5/6/2026", "6/6/2026")) == [(5, 6), (6, 6)]
    assert days(written("5/6/2026", "32/6/2026", "1/2")) == [(5, 6), None, None]


@WAYS
def test_dates_in_both_orders_are_not_guessed(tmp_path: Path, torn: bool) -> None:
    path = write_lines(
        tmp_path / "x.csv", HEADER, "16/07/2026 20:26,a,", "07/16/2026 20:26,b,", f"{TIME},c,"
    )
    with pytest.raises(LogError, match="some of its dates are written day first and some month"):
        times(path, torn=torn)


@WAYS
def test_times_without_slashes_are_not_touched_by_those_with(tmp_path: Path, torn: bool) -> None:
    path = write_lines(tmp_path / "x.csv", HEADER, "16/07/2026 20:26,a,", f"{TIME},b,", ",c,")

    assert times(path, torn=torn) == [datetime(2026, 7, 16, 20, 26), TEN, None]


@WAYS
def test_blank_lines_are_no_records(tmp_path: Path, torn: bool) -> None:
    path = write_lines(
        tmp_path / "x.csv", HEADER, "", f"{TIME},a,", "", "", f'{TIME},"b\n\nb",', "", f"{TIME},c,"
    )
    assert names(path, torn=torn) == {1: "a", 2: "b\n\nb", 3: "c"}


@WAYS
def test_a_quote_within_a_field_is_text(tmp_path: Path, torn: bool) -> None:
    """Two such lines once swallowed all lines between them."""
    path = write_lines(
        tmp_path / "x.csv", HEADER, f'{TIME},5" disk,', f"{TIME},b,", f'{TIME},3" disk,'
    )
    assert names(path, torn=torn) == {1: '5" disk', 2: "b", 3: '3" disk'}


@WAYS
def test_empty_fields_beyond_the_header_are_let_pass(tmp_path: Path, torn: bool) -> None:
    path = write_lines(tmp_path / "x.csv", HEADER, f"{TIME},a,10.0.0.1,,", f"{TIME},b,10.0.0.1")

    assert names(path, torn=torn) == {1: "a", 2: "b"}


@WAYS
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{TIME},a".encode(), "2 fields, the header has 3"),
        (f"{TIME},a,b,c".encode(), "4 fields, the header has 3"),
        (f'{TIME},"a,10.0.0.1'.encode(), "not CSV: unexpected end of data"),
        (f'{TIME},"a"b,10.0.0.1'.encode(), "not CSV: ',' expected after '\"'"),
        (f"{TIME},a\rb,10.0.0.1".encode(), "not CSV: new-line character seen in unquoted field"),
        (f"{TIME},a\0b,10.0.0.1".encode(), "a NUL in the text"),
        (b"\0" * 512, "1 fields, the header has 3"),
        (f"{TIME},a\xff,10.0.0.1".encode("latin-1"), "text that is not valid UTF-8"),
        (f'{TIME}, "a,b",10.0.0.1\n{TIME},'.encode(), "4 fields, the header has 3"),
    ],
)
def test_a_broken_record_costs_itself(tmp_path: Path, line: bytes, reason: str, torn: bool) -> None:
    """It is counted with its reason; those around it keep number and content."""
    path = write_lines(tmp_path / "x.csv", HEADER, f"{TIME},before,", line, f"{TIME},after,")
    extra = line.count(b"\n")

    assert names(path, torn=torn) == {1: "before", 3 + extra: "after"}
    assert refused(path, torn=torn)[0] == (2, reason)


@WAYS
def test_an_open_quote_does_not_swallow_the_rest(tmp_path: Path, torn: bool) -> None:
    """Neither to the end of the file nor to the next quote."""
    good = [f'{TIME},"n{n}",10.0.0.1' for n in range(3_000)]
    for end in ([], [f'{TIME},b"ad,"x"y']):
        path = write_lines(tmp_path / "x.csv", HEADER, f'{TIME},"open,10.0.0.1', *good, *end)

        assert names(path, torn=torn) == {n + 2: f"n{n}" for n in range(3_000)}
        assert [number for number, _ in refused(path, torn=torn)] == [1, *(3_002 for _ in end)]


def test_a_broken_record_of_several_lines_is_one(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "x.csv", HEADER, f'{TIME},"two\nlines"', f'{TIME},"three\nmore\nlines",x'
    )
    assert names(path) == {2: "three\nmore\nlines"}
    assert refused(path) == [(1, "2 fields, the header has 3")]


@pytest.mark.parametrize("last", [f"{TIME},b.exam", f'{TIME},"b.exam', TIME])
def test_a_torn_last_line_is_counted_and_shown(tmp_path: Path, last: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{HEADER}\n{TIME},a.example,\n{last}")

    assert names(path) == {1: "a.example"}
    assert [number for number, _ in refused(path)] == [2]


def test_a_value_of_a_wrong_type_is_read_as_empty(tmp_path: Path) -> None:
    """DuckDB 2.0 turns TRY_CAST over read_csv into a cast, which one bad value fails."""
    path = write_lines(
        tmp_path / "x.csv",
        f"{HEADER},ResultCode,RemoteIPLongitude",
        f"{TIME},a,,0,1.5",
        f"{TIME},b,,none,east",
    )
    with read("export_csv", path) as reading:
        assert [row["Name"] for row in reading.rows("DnsEvents")] == ["a", "b"]
        assert reading.reports["DnsEvents"].nulled == {"RemoteIPLongitude": 1, "ResultCode": 1}
        view = reading.parts["DnsEvents"].view
        for column in ("RemoteIPLongitude", "ResultCode"):
            rows = reading.con.execute(f"SELECT {column} FROM {view}").fetchall()
            assert rows[1] == (None,)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"no header at all",
        b"a,b,c",  # without a line feed it may go on for gigabytes
        b"one column\nx\n",
        b"two,columns\nx,y\n",
        b"a,a,a,b\n1,2,3,4\n",
        b"\na,b,c\n",
        b"\xff\xfea\0,\0b\0,\0c\0\n\0",
        b"caf\xe9,b,c\n",
        b"a\0,b,c\n",
        b'"a,b,c\n',
        b"a,b,c\rd,e,f\r",
    ],
)
def test_what_is_not_recognised(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(start)

    assert not export_csv.recognises(log_file(path))


def test_a_forced_file_without_a_header_is_a_clear_error(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x", "just text")

    with (
        pytest.raises(LogError, match="its first line is no header"),
        read("export_csv", path, "DnsEvents"),
    ):
        pass


def test_a_file_name_is_never_a_pattern_or_sql(tmp_path: Path) -> None:
    for name in ("a[bc].csv", "a*.csv", "a?.csv", "it's; --.csv", "{a,b}.csv", "a%20b#c.csv"):
        path = write_lines(tmp_path / name, HEADER, f"{TIME},{name.replace(',', '')},")
        assert names(path) == {1: name.replace(",", "")}


# What DuckDB and the csv module understand alike: no blank next to a quote.
_VALUE = st.text(
    # The writer leaves a carriage return unquoted, which makes it a line break.
    st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]),
    max_size=12,
).filter(lambda value: not value.startswith(' "'))
_VALUES = _VALUE | st.sampled_from(["two\r\nlines", '"', '""', "a\n\nb", ",,"])
_RECORDS = st.lists(st.tuples(_VALUES, _VALUES), min_size=1, max_size=12)


def _written(records: list[tuple[str, str]], line_end: str, quoting: Any) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=line_end, quoting=quoting)
    writer.writerow(["Name", "TimeGenerated", "ClientIP"])
    for name, address in records:
        writer.writerow([name, TIME, address])
    return out.getvalue().encode()


def _both_ways(data: bytes) -> list[list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(data)
        found = []
        for torn in (False, True):
            with read("export_csv", path, torn=torn) as reading:
                found.append(reading.rows("DnsEvents", good=False))
    return found


@settings(max_examples=60)
@given(_RECORDS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_ALL, 0]))
def test_both_ways_give_what_was_written(
    records: list[tuple[str, str]], line_end: str, quoting: Any
) -> None:
    expected = [
        {"_row": number, "TimeGenerated": TEN}
        | ({"Name": name} if name else {})
        | ({"ClientIP": address} if address else {})
        for number, (name, address) in enumerate(records, start=1)
    ]
    for found in _both_ways(_written(records, line_end, quoting)):
        assert found == expected


_SAFE = st.text("abc .;'\u00e4\u6771", min_size=1, max_size=8).map(lambda text: f"v{text}")
_GOOD = ("vx", "vy", "")
_DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "missing field": lambda line: line.rsplit(b",", 1)[0].split(b",")[0],
    "stray quote": lambda line: line.replace(b'"v', b'""v"x', 1),
    "open quote": lambda line: line.replace(b'v"', b"v", 1) if b'v"' in line else b'"' + line,
    "NUL": lambda line: line.replace(b"v", b"v\0", 1),
    "not UTF-8": lambda line: line.replace(b"v", b"v\xe4", 1),
    "zeros": lambda line: b"\0" * len(line),
}


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(_SAFE, _SAFE, st.sampled_from(["", "", "", *_DAMAGE])), min_size=1, max_size=12
    ),
    st.integers(0, 3),
)
def test_damage_costs_the_damaged_records_only(
    records: list[tuple[str, str, str]], cut: int
) -> None:
    """Good records keep number and content; broken ones are counted, each with a reason.

    Two in a row may count as one, when the quotes of both make a field of what is between.
    """
    records = [one for record in [*records, _GOOD] for one in (record, _GOOD)]
    lines = _written([(name, address) for name, address, _ in records], "\n", csv.QUOTE_ALL)
    header, *rows = lines.splitlines()
    data = b"\n".join(
        [
            header,
            *(
                _DAMAGE[how](row) if how else row
                for row, (_, _, how) in zip(rows, records, strict=True)
            ),
        ]
    )
    broken = {number for number, (_, _, how) in enumerate(records, start=1) if how}
    if cut:  # a torn last line: without its last quote, and more
        data = data[:-cut]
        broken.add(len(records))
    good = {n: (a, b) for n, (a, b, _) in enumerate(records, start=1) if n not in broken}

    for found in _both_ways(data):
        assert [row["_row"] for row in found] == list(range(1, len(records) + 1))
        assert {row["_row"] for row in found if row.get("_refused")} == broken
        assert {
            row["_row"]: (row["Name"], row["ClientIP"]) for row in found if "_refused" not in row
        } == good


@settings(max_examples=60)
@given(st.lists(st.sampled_from([b",", b'"', b"\n", b"\r\n", b"v", b"\xff", b"\0"]), max_size=40))
def test_any_bytes_give_numbered_records_or_a_refusal(pieces: list[bytes]) -> None:
    data = HEADER.encode() + b"\n" + b"".join(pieces)
    for found in _both_ways(data):
        assert [row["_row"] for row in found] == list(range(1, len(found) + 1))
        assert all(row["_refused"] for row in found)  # none has a time


def test_only_the_columns_that_are_read_are_staged(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.csv", f"{HEADER},Secret", f"{TIME},a,10.0.0.1,s3cret", TIME)
    with read("export_csv", path) as reading:
        tables = reading.con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert len(tables) == 1
        found = reading.con.execute(f"FROM {tables[0][0]}").fetchall()
    assert "s3cret" not in str(found)


def test_a_file_that_changes_is_an_error_of_duckdb(tmp_path: Path) -> None:
    """The caller turns it into a failure; see test_bad_input."""
    path = write_lines(tmp_path / "x.csv", HEADER, *(f"{TIME},a{n},10.0.0.1" for n in range(9)))
    with read("export_csv", path) as reading:
        path.write_text("nothing,like,it\nwas,before\n")
        with pytest.raises(duckdb.Error):
            reading.con.execute(f"FROM {reading.parts['DnsEvents'].view}").fetchall()
