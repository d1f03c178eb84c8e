"""Lines that are left out unread are good records that meet nothing; all others are read."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.logs import line_sieve, streams
from foxhunt.logs.files import look_at
from foxhunt.logs.model import Clean, LogPart
from foxhunt.logs.opening import LogReader
from foxhunt.logs.staging import Sift
from foxhunt.logs.views import connect, load_report

from .test_staging import (
    DIRTS,
    NUMBERS,
    TEXTS,
    csv_bytes,
    csv_field,
    json_bytes,
    read_exactly,
    rows_of,
    woven,
    zeek_bytes,
)

EXAMPLES = int(os.environ.get("FOXHUNT_SIEVE_EXAMPLES", "20"))

Write = Callable[[Sequence[Sequence[str]], Sequence[bytes]], bytes]


def quoted_csv_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    head = b"TimeGenerated,Name,QueryType,Computer,ResultCode\n"
    quoted = [",".join('"' + value.replace('"', '""') + '"' for value in row) for row in rows]
    return head + woven(quoted, dirt)


def returned_csv_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    lines = [",".join(map(csv_field, row)) + "\r" for row in rows]
    return b"TimeGenerated,Name,QueryType,Computer,ResultCode\r\n" + woven(lines, dirt)


def numbered_json_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    """Codes as numbers where they are, members in no order, some in objects and arrays."""
    lines = []
    for number, (time, name, kind, computer, code) in enumerate(rows):
        record: dict[str, object] = {"TimeGenerated": time, "Name": name, "Computer": computer}
        record["QueryType"] = kind
        record["ResultCode"] = int(code) if code.isascii() and code.isdigit() else code
        record["Other"] = [None, True, 1.5, [kind, name], {"Name": kind}][number % 5]
        lines.append(json.dumps(record, ensure_ascii=number % 2 == 0))
    first = json.dumps(dict.fromkeys(("TimeGenerated", "Name", "QueryType", "Computer"), "x"))
    return f"{first}\n".encode() + woven(lines, dirt)


def zeek_json_lines(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    """Zeek's own form, of which records lack what is unset; some are of another log."""
    lines = []
    for number, (time, name, kind, computer, code) in enumerate(rows):
        record: dict[str, object] = {"ts": time, "uid": "C1", "id.orig_h": computer, "query": name}
        record |= {"TTLs": [60.0, 5.5][: number % 3], "rejected": [False, None][number % 7 == 5]}
        if time.replace(".", "").isdigit() and number % 2:
            record["ts"] = float(time)
        if code.isascii() and code.isdigit():
            record["rcode"] = int(code)
        if number % 3:
            record["answers"] = [kind, "93.184.216.34", "2a02:4780::1"][: number % 4]
        if computer == "x" * 40:
            record["_path"] = "conn"
        lines.append(json.dumps(record, ensure_ascii=number % 2 == 0))
    first = json.dumps({"ts": 1.5, "uid": "C1", "id.orig_h": "10.0.0.1", "query": "a.example"})
    return f"{first}\n".encode() + woven(lines, dirt)


ALL_WRITERS = (
    csv_bytes,
    quoted_csv_bytes,
    returned_csv_bytes,
    zeek_bytes,
    json_bytes,
    numbered_json_bytes,
    zeek_json_lines,
)


def with_evil(texts: pa.Array) -> pa.Array:
    """A sieve for the one name that tests look for, which lets odd names pass too."""
    found = [
        at for at, text in enumerate(texts.to_pylist()) if not text.isascii() or "evil" in text
    ]
    return pa.array(found, pa.int64())


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


def compare(con: duckdb.DuckDBPyConnection, part: LogPart, exact: LogPart) -> None:
    """What was read, and what was only counted, are together what is in the file."""
    assert part.staged is not None
    expected = load_report(con, exact, exact.view)
    assert load_report(con, part, part.staged) == expected
    if part.clean is None:
        return
    names = ["_row", "_refused", "_nulled", *exact.columns]
    read, rows = rows_of(con, part.staged, names), rows_of(con, exact.view, names)
    numbers = {row[0] for row in read}
    assert read == [row for row in rows if row[0] in numbers]
    left_out = [row for row in rows if row[0] not in numbers]
    assert len(left_out) == part.clean.rows
    place = names.index("Name")
    assert all(row[1:3] == (None, None) for row in left_out)
    assert not any("evil" in str(row[place]) for row in left_out)


GOOD_TIMES = st.sampled_from(
    ["2026-06-01T10:00:00Z", "2024-02-28T23:59:59Z", "0001-01-01T00:00:00Z"]
)
OTHER_TIMES = st.sampled_from(
    [
        *("2026-06-01T10:00:00.5Z", "2026-06-01T10:00:00.1234567Z", "2026-06-01 10:00:00"),
        *(
            "2026-06-31T10:00:00Z",
            "2024-02-29T10:00:00Z",
            "0000-01-01T10:00:00Z",
            "2026-13-01T10:00:00Z",
        ),
        *(
            "2026-06-01T24:00:00Z",
            "2026-06-01T10:60:00Z",
            "2026-06-01T10:00:60Z",
            "2026-06-01T10: 0",
        ),
        *("2026-06-01T10:00:00+02:00", "2026-06-01T10:00:00.Z", "2026-06-01T10:00:00.123456789Z"),
        *("2026-00-01T10:00:00Z", "2026-06-00T10:00:00Z", "2026-06-0\u0661T10:00:00Z", "", "soon"),
        *(
            "1780000000.123456",
            "1780000000",
            "9999999999.000000",
            "16/07/2026",
            "2026-06-01T1:00:00Z",
        ),
    ]
)
EPOCHS = st.sampled_from(
    [
        "1780000000",
        "1780000000.5",
        "1780000000.",
        "2147483647.9",
        "2147483648.0",
        "1780000000.1234567",
        "1780000000.123456",
        "1780000001.000000",
        "0000000001.000000",
    ]
)
PLAIN = st.sampled_from(["evil.example", "good.example", "", "a b", "x" * 40])
GOOD = st.tuples(GOOD_TIMES, PLAIN, PLAIN, PLAIN, st.sampled_from(["0", "3", "", "007"]))
ODD = st.tuples(GOOD_TIMES | OTHER_TIMES, PLAIN | TEXTS, PLAIN | TEXTS, PLAIN, NUMBERS)
EPOCH_ROWS = st.tuples(
    EPOCHS, PLAIN, PLAIN, PLAIN, st.sampled_from(["0", "-", "12345678901234567"])
)
ROWS = st.one_of(
    st.lists(GOOD, min_size=1, max_size=8),
    st.lists(st.one_of(GOOD, GOOD, ODD), min_size=1, max_size=8),
    st.lists(EPOCH_ROWS, min_size=1, max_size=12),
)


@pytest.mark.parametrize(
    "write",
    [csv_bytes, quoted_csv_bytes, returned_csv_bytes, zeek_bytes, json_bytes, numbered_json_bytes],
)
@settings(deadline=None, max_examples=EXAMPLES)
@given(rows=ROWS, dirt=st.just([]) | DIRTS)
def test_what_is_left_out_is_good_and_meets_nothing(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    write: Write,
    rows: Sequence[Sequence[str]],
    dirt: Sequence[bytes],
) -> None:
    path = folder / "log"
    path.write_bytes(write(rows, dirt))
    file = look_at(path, str(path))
    reader = LogReader(con, [str(path)], needed=lambda _: {"Name": lambda: with_evil}, sift_from=1)
    for part in reader:
        exact = {one.table: one for one in read_exactly(con, file, part.format)}[part.table]
        if part.staged is not None:
            compare(con, part, exact)


ZULU, EPOCH = "2026-06-01T10:00:00Z", "1780000000.123456"


def sifted(con: duckdb.DuckDBPyConnection, path: Path, needed: Mapping[str, Sift]) -> LogPart:
    makers = {name: partial(_given, sift) for name, sift in needed.items()}
    # The copy is gone when the next part is asked for.
    return next(iter(LogReader(con, [str(path)], needed=lambda _: makers, sift_from=1)))


def _given(sift: Sift) -> Sift:
    return sift


@pytest.mark.parametrize("write", ALL_WRITERS)
def test_good_lines_are_left_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, write: Write
) -> None:
    path = tmp_path / "log"
    good = [(ZULU, "good.example", "A", "y", "3")] * 5
    evil, bad = (ZULU, "evil.example", "A", "x", "3"), ("2026-06-01T25:00:00Z", "a", "A", "x", "3")
    path.write_bytes(write([*good, evil, *good, bad], []))
    part = sifted(con, path, {"Name": with_evil})
    assert part.clean is not None
    ((read,),) = con.execute(f"SELECT count(*) FROM {part.staged}").fetchall()
    # Members of other records may make another form of a line that is then read.
    assert part.clean.rows >= 9
    assert part.clean.rows + read == 12 + (write in (json_bytes, numbered_json_bytes)) + (
        write is zeek_json_lines
    )


def test_the_last_lines_of_a_closed_zeek_log_are_no_records(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    row = (EPOCH, "good.example", "A", "10.0.0.1", "-")
    path.write_bytes(zeek_bytes([row] * 3, []) + b"#close\t2026-06-01-11-00-00\n")
    part = sifted(con, path, {"Name": with_evil})
    assert part.clean is not None
    assert part.clean.rows == 3


def test_compressed_logs_are_sifted_too(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "log.csv.gz"
    rows = [(ZULU, "good.example", "A", "x", "3"), (ZULU, "evil.example", "A", "x", "3")] * 3
    path.write_bytes(gzip.compress(csv_bytes(rows, [])))
    part = sifted(con, path, {"Name": with_evil})
    assert part.clean is not None
    assert rows_of(con, str(part.staged), ["_row", "Name"]) == [
        (2, "evil.example"),
        (4, "evil.example"),
        (6, "evil.example"),
    ]


def test_records_of_another_table_are_not_left_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """What names its table is of that table, however much it looks like the first."""
    path = tmp_path / "log.json"
    named = {"TimeGenerated": ZULU, "Name": "good.example", "Type": "DnsEvents"}
    other = {"TimeGenerated": ZULU, "DnsQuery": "x.example", "Type": "ASimDnsActivityLogs"}
    path.write_text("".join(json.dumps(one) + "\n" for one in [named] * 3 + [other]), "ascii")
    parts = list(
        LogReader(con, [str(path)], needed=lambda _: {"Name": lambda: with_evil}, sift_from=1)
    )
    assert [part.table for part in parts] == ["DnsEvents", "ASimDnsActivityLogs"]


def test_columns_that_only_reading_tells_leave_a_file_whole(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    path.write_bytes(csv_bytes([(ZULU, "good.example", "A", "x", "3")], []))
    (part,) = LogReader(con, [str(path)], needed=lambda _: {"Name": None}, sift_from=1)
    assert part.clean is None


def test_small_logs_are_not_sifted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(csv_bytes([(ZULU, "good.example", "A", "x", "3")], []))
    (part,) = LogReader(con, [str(path)], needed=lambda _: {"Name": lambda: with_evil})
    assert part.clean is None


def test_many_small_blocks_are_told_like_one(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of records, first and last times come from all blocks, whatever core saw them."""
    monkeypatch.setattr(streams, "_CHUNK_BYTES", 64)
    path = tmp_path / "log"
    rows = [
        (
            f"2026-06-{day:02}T10:00:00Z",
            "evil.example" if day % 7 == 0 else "a.example",
            "A",
            "x",
            "3",
        )
        for day in (*range(20, 31), *range(1, 20))
    ]
    path.write_bytes(csv_bytes(rows, []))
    part = sifted(con, path, {"Name": with_evil})
    assert part.clean == Clean(26, "2026-06-01T10:00:00Z", "2026-06-30T10:00:00Z")
    numbers = [number for number, row in enumerate(rows, 1) if "evil" in row[1]]
    assert [row for (row,) in rows_of(con, str(part.staged), ["_row"])] == numbers


def test_where_most_lines_have_to_be_read_none_is_left_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_sieve, "_TRIED_ROWS", 10)
    path = tmp_path / "log"
    path.write_bytes(csv_bytes([(ZULU, "evil.example", "A", "x", "3")] * 20, []))
    assert sifted(con, path, {"Name": with_evil}).clean is None


def test_a_time_that_comes_first_counts_even_if_the_first_records_lack_it(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Defender's Timestamp is the event's time where there is one, else TimeGenerated is."""
    path = tmp_path / "log.json"
    records = [
        {"TimeGenerated": ZULU, "DeviceName": "ws-1", "RemoteIP": "10.0.0.1", "RemotePort": 443}
        for _ in range(30)
    ]
    records[25]["Timestamp"] = "2024-01-01T10:00:00Z"
    path.write_text("".join(json.dumps(one) + "\n" for one in records), "ascii")
    none = {"RemoteIP": _nothing}
    part = sifted(con, path, none)
    assert part.table == "DeviceNetworkEvents"
    assert part.clean == Clean(29, ZULU, ZULU)
    report = load_report(con, part, str(part.staged))
    assert (report.rows, str(report.first_time)) == (30, "2024-01-01 10:00:00+00:00")


def _nothing(texts: pa.Array) -> pa.Array:
    return pa.array([], pa.int64())


def test_forms_of_a_record_that_are_told_and_those_that_are_not(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "log.json"
    base = f'{{"TimeGenerated":"{ZULU}","Name":"a.example","QueryType":"A"'
    told = [
        "}",
        ',"X":-1}',
        ',"X":1e5}',
        ',"X":[1,2.5]}',
        ',"X":1}',
        ',"X":0.25}',
        ',"X":true}',
        ',"X":null}',
        ',"X":[]}',
        ',"X":{"y":"z"}}',
    ]
    read = [',"X":01}', ',"X":1.}', ',"X":+1}', ',"X":1e}', ',"X":NaN}', ',"X":[1,,2]}']
    read += [',"X":"\\u0041"}', ',"Name":"a.example"}', ',"X":{"y":1,}}', ",\"X\":'a'}"]
    path.write_text("".join(f"{base}{end}\n" for end in told * 3 + read), "ascii")
    part = sifted(con, path, {"Name": with_evil})
    assert part.clean is not None
    assert part.clean.rows >= len(told)
    rows = rows_of(con, str(part.staged), ["_row"])
    assert set(range(len(told) * 3 + 1, len(told) * 3 + len(read) + 1)) <= {row for (row,) in rows}
