"""A regular file is read once, and gives what reading it record by record gives."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import LogError, MemoryLimitError
from foxhunt.logs.excerpts import keep_rows
from foxhunt.logs.files import look_at
from foxhunt.logs.model import LogFile, LogPart
from foxhunt.logs.opening import LogReader, open_logs
from foxhunt.logs.registry import get_format, get_one_pass, recognise
from foxhunt.logs.staging import Stage
from foxhunt.logs.views import connect, load_report, typed_view
from foxhunt.sql import identifier

EXAMPLES = settings(deadline=None, max_examples=6)

ODD = ["", " ", '"', "'", "a,b", "\t", "é", "\\x41", "-", "(empty)", "#", "/", "null", "\r", "\\"]
TEXTS = st.sampled_from([*ODD, "evil.example", "10.0.0.1"]) | st.text(max_size=6)
TIMES = st.sampled_from(
    ["2026-06-01T10:00:00Z", "2026-06-01 10:00:00.5", "1780000000.123456", "", "soon", "16/07/2026"]
) | st.sampled_from(["6/1/2026, 10:00:00.000 AM", "2026-06-01T10: 0", "1780000000"])
NUMBERS = st.sampled_from(["0", "3", "", "x", "443.7", "1e3", "0x10", "1_0", "-0", "+5", " 7 "])
DIRT = st.sampled_from(
    [
        b"",
        b"\n",
        b"broken\n",
        b'"open\n',
        b"\xff\n",
        b"\0\n",
        b"#close\t1\n",
        b"\r\n",
        b"{}\n",
        b"#",
    ]
)

# Rows by column, and what is read of a part: (report, all rows).
Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


def csv_field(value: str) -> str:
    if any(char in value for char in ',"\n\r'):
        return '"' + value.replace('"', '""') + '"'
    return value


def csv_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    head = b"TimeGenerated,Name,QueryType,Computer,ResultCode\n"
    return head + woven([",".join(map(csv_field, row)) for row in rows], dirt)


def json_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    names = ("TimeGenerated", "Name", "QueryType", "Computer", "ResultCode")
    lines = [
        json.dumps({n: v for n, v in zip(names, row, strict=True) if v != "null"}) for row in rows
    ]
    first = json.dumps(dict.fromkeys(names, "1"))
    return f"{first}\n".encode() + woven(lines, dirt)


def zeek_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    head += "#path\tdns\n#fields\tts\tquery\tqtype_name\tid.orig_h\trcode\n"
    return head.encode() + woven(["\t".join(row) for row in rows], dirt)


def zeek_json_bytes(rows: Sequence[Sequence[str]], dirt: Sequence[bytes]) -> bytes:
    names = ("ts", "query", "answers", "uid", "rcode")
    lines = [
        json.dumps({n: v for n, v in zip(names, row, strict=True) if v != "null"}) for row in rows
    ]
    first = json.dumps({"ts": 1.5, "uid": "C1", "id.orig_h": "10.0.0.1", "query": "a.example"})
    return f"{first}\n".encode() + woven(lines, dirt)


def woven(lines: Sequence[str], dirt: Sequence[bytes]) -> bytes:
    """Lines, and after each a piece of ``dirt`` as long as there is some."""
    pieces: list[bytes] = []
    for number, line in enumerate(lines):
        pieces.append(line.encode("utf-8", "surrogatepass") + b"\n")
        pieces += dirt[number : number + 1]
    return b"".join(pieces)


def rows_of(con: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]) -> Rows:
    listed = ", ".join(map(identifier, names))
    return con.execute(f"SELECT {listed} FROM {identifier(relation)} ORDER BY _row").fetchall()


def read_exactly(con: duckdb.DuckDBPyConnection, file: LogFile, name: str) -> list[LogPart]:
    return [typed_view(con, raw, file, name) for raw in get_format(name).read(con, file, None)]


def read_once(
    con: duckdb.DuckDBPyConnection, file: LogFile, name: str, needed: frozenset[str]
) -> list[LogPart] | None:
    one_pass = get_one_pass(name)
    assert one_pass is not None
    try:
        stage = Stage(con, lambda _: dict.fromkeys(needed))
        raws = one_pass.read_once(con, file, None, stage)
        return None if raws is None else [typed_view(con, raw, file, name, stage) for raw in raws]
    except duckdb.Error:
        return None


def check_same(
    con: duckdb.DuckDBPyConnection, path: Path, needed: frozenset[str] = frozenset({"Name"})
) -> bool:
    """Read a file both ways and compare; say whether it was regular."""
    file = look_at(path, path.name)
    name = recognise(file)
    assert name is not None
    try:
        exact = read_exactly(con, file, name)
    except LogError as error:
        with pytest.raises(LogError, match=re.escape(str(error))):
            assert read_once(con, file, name, needed) is None
            raise
        return False
    quick = read_once(con, file, name, needed)
    if quick is None:
        return False
    assert [part.table for part in quick] == [part.table for part in exact]
    for one, other in zip(quick, exact, strict=True):
        compare(con, one, other, needed)
    return True


def compare(
    con: duckdb.DuckDBPyConnection, quick: LogPart, exact: LogPart, needed: frozenset[str]
) -> None:
    assert quick.columns == exact.columns
    assert quick.staged is not None
    expected = load_report(con, exact, exact.view)
    assert load_report(con, quick, quick.staged) == expected
    assert load_report(con, quick, quick.view) == expected
    whole = ["_row", "_refused", "_nulled", *exact.columns]
    rows = rows_of(con, exact.view, whole)
    assert rows_of(con, quick.view, whole) == rows
    held = ["_row", "_refused", "_nulled", *sorted(needed & set(exact.columns))]
    assert rows_of(con, quick.staged, held) == rows_of(con, exact.view, held)
    good: list[Any] = [row[0] for row in rows if row[1] is None][::2]
    keep_rows(con, quick, good, "kept rows")
    assert rows_of(con, "kept rows", whole) == [row for row in rows if row[0] in set(good)]


ROWS = st.lists(st.tuples(TIMES, TEXTS, TEXTS, TEXTS, NUMBERS), min_size=1, max_size=6)
GOOD_ROWS = st.lists(
    st.tuples(
        st.just("2026-06-01T10:00:00Z"),
        st.sampled_from(["evil.example", "", "é.example", "a b"]),
        st.sampled_from(["10.0.0.1", "", "x"]),
        st.sampled_from(["1.2.3.4,x", "", "y"]),
        NUMBERS,
    ),
    min_size=1,
    max_size=6,
)
DIRTS = st.lists(DIRT, max_size=4)


@pytest.mark.parametrize("write", [csv_bytes, json_bytes, zeek_bytes, zeek_json_bytes])
@EXAMPLES
@given(rows=ROWS | GOOD_ROWS, dirt=DIRTS)
def test_one_pass_gives_what_the_exact_reading_gives(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    write: Callable[[Sequence[Sequence[str]], Sequence[bytes]], bytes],
    rows: Sequence[Sequence[str]],
    dirt: Sequence[bytes],
) -> None:
    """Same rows, numbers, refusals and nulled values, or it is left to the exact reading."""
    path = folder / "log"
    path.write_bytes(write(rows, dirt))
    check_same(con, path)


@pytest.mark.parametrize("write", [csv_bytes, json_bytes, zeek_bytes, zeek_json_bytes])
def test_a_clean_file_is_read_once(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    write: Callable[[Sequence[Sequence[str]], Sequence[bytes]], bytes],
) -> None:
    """Else the property above would compare nothing."""
    path = tmp_path / "log"
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "é", "3")
    path.write_bytes(write([row] * 5, []))
    assert check_same(con, path)


def test_the_end_that_zeek_writes_is_no_record(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Nor does it keep the file from being read once, or its lines from being cut out."""
    path = tmp_path / "dns.log"
    row = ("1780000000.123456", "evil.example", "A", "10.0.0.1", "3")
    path.write_bytes(zeek_bytes([row] * 3, []) + b"#close\t2026-06-01-00-00-00\n")
    assert check_same(con, path)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_compressed_file_is_read_once(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log"
    row = ("6/1/2026, 10:00:00.000 AM", "evil.example", "A", "é", "3")
    path.write_bytes(compress(csv_bytes([row] * 5, [])))
    assert check_same(con, path)


def test_dates_written_day_first_are_turned_in_the_copy_too(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    days = ("16/07/2026 10:00:00", "05/06/2026 10:00:00")
    path.write_bytes(csv_bytes([(day, "evil.example", "A", "é", "3") for day in days], []))
    assert check_same(con, path)


def test_a_quoted_line_feed_does_not_shift_what_is_cut_out(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Then a record is no line, and its number no line's number."""
    path = tmp_path / "log"
    time = "2026-06-01T10:00:00Z"
    names = ("a\nb.example", "b.example", "c.example")
    path.write_bytes(csv_bytes([(time, name, "A", "", "3") for name in names], []))
    assert check_same(con, path)


def test_windows_lines_are_cut_out_whether_or_not_the_last_one_ends(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """DuckDB refuses lines that end in two ways, and a hit in the last line was an error."""
    path = tmp_path / "log"
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "x", "3")
    path.write_bytes(csv_bytes([row] * 3, []).replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert check_same(con, path)


def test_without_a_folder_for_temporary_files_rows_are_kept_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container that may write nowhere a hunt needs none."""
    path = tmp_path / "log"
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "x", "3")
    path.write_bytes(csv_bytes([row] * 3, []))

    def no_folder() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", no_folder)
    with connect() as con:
        assert check_same(con, path)


def test_records_of_other_members_keep_their_reason(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """What the copied members do not tell apart, the others do."""
    path = tmp_path / "log"
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "é", "3")
    path.write_bytes(json_bytes([row], []) + b'{"Computer": "dc1"}\n{"x": 1}\nbroken\n')
    assert check_same(con, path)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_many_threads_keep_the_order_of_records(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, form: str
) -> None:
    """Record numbers come from the order in which the copy was filled."""
    path = tmp_path / "log"
    con.execute(
        "COPY (SELECT TIMESTAMP '2026-06-01' AS TimeGenerated, 'n' || i AS \"Name\", "
        "'A' AS QueryType, repeat('x', (i % 97)::INTEGER) AS Computer, "
        f"i AS ResultCode FROM range(150000) r(i)) TO '{path}' (FORMAT {form})"
    )
    file = look_at(path, path.name)
    name = recognise(file)
    assert name is not None
    parts = read_once(con, file, name, frozenset({"Name"}))
    assert parts is not None
    (part,) = parts
    ((rows, last),) = con.execute(
        f"SELECT count(*) FILTER (\"Name\" = 'n' || (_row - 1)), max(_row) FROM {part.staged}"
    ).fetchall()
    assert (rows, last) == (150_000, 150_000)
    keep_rows(con, part, [1, 131_073, 150_000], "kept rows")
    assert rows_of(con, "kept rows", ["_row", "ResultCode"]) == [
        (1, 0),
        (131_073, 131_072),
        (150_000, 149_999),
    ]


def test_a_reader_gives_what_opening_gives(tmp_path: Path) -> None:
    """Clean files from their copies, dirty ones exactly, and what is none as a failure."""
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "é", "3")
    (tmp_path / "a.csv").write_bytes(csv_bytes([row] * 3, []))
    (tmp_path / "b.csv").write_bytes(csv_bytes([row] * 3, [b"1,2\n"]))
    (tmp_path / "c.ndjson").write_bytes(json_bytes([row] * 3, []))
    (tmp_path / "d.txt").write_bytes(b"no log")
    with connect() as con:
        expected = open_logs(con, [str(tmp_path)])
        reports = [load_report(con, part, part.view) for part in expected.parts]
        reader = LogReader(con, [str(tmp_path)], needed=lambda _: {"Name": None})
        found, parts = [], []
        for part in reader:
            parts.append(part)
            found.append(load_report(con, part, part.staged or part.view))
        assert found == reports
        assert [part.staged is not None for part in parts] == [True, False, True]
        assert [str(one.error) for one in reader.failures] == [
            str(one.error) for one in expected.failures
        ]
        assert (reader.files, reader.done) == (4, 4)
        # Copies are gone, views stay.
        assert [load_report(con, part, part.view) for part in parts] == reports
        with pytest.raises(duckdb.CatalogException):
            con.execute(f"FROM {parts[0].staged}")


@pytest.mark.parametrize(
    ("name", "value"),
    [("Name [\\u0000]", "a"), ("Name [\\ud800]", None)],  # DuckDB refuses the latter's record
)
def test_a_member_that_sql_cannot_name_ends_no_hunt(
    tmp_path: Path, name: str, value: str | None
) -> None:
    """A NUL or half a surrogate pair in brackets, where a time zone is left out."""
    row = f'{{"TimeGenerated":"2026-06-01T10:00:00Z","QueryType":"A","Name":"a","{name}":"b"}}\n'
    (tmp_path / "a.json").write_text(row.replace('"Name":"a",', "") + row, "ascii")
    with connect() as con:
        parts = iter(LogReader(con, [str(tmp_path)], needed=lambda _: {"Name": None}))
        found = [rows_of(con, part.staged or part.view, ["Name"]) for part in parts]
    assert found == [[(None,), (value,)]]


def test_a_copy_is_given_back_before_a_file_that_needs_none(tmp_path: Path) -> None:
    """Else a large file's copy takes memory from all that follow."""
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "x", "3")
    (tmp_path / "a.csv").write_bytes(csv_bytes([row] * 3, []))
    with connect() as con:
        con.execute(
            "COPY (SELECT TIMESTAMP '2026-06-01' AS TimeGenerated, 'a' AS \"Name\", "
            f"'A' AS QueryType) TO '{tmp_path}/b.parquet'"
        )
        parts = iter(LogReader(con, [str(tmp_path)], needed=lambda _: {"Name": None}))
        names = []
        for part in parts:
            tables = con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            names.append((part.file.path.name, ("staged records",) in tables))
    assert names == [("a.csv", True), ("b.parquet", False)]


def test_too_little_memory_names_the_file(tmp_path: Path) -> None:
    """The rest is hunted, and the hunt knows what it lacks."""
    row = ("2026-06-01T10:00:00Z", "evil.example", "A", "x" * 50_000, "3")
    (tmp_path / "a.csv").write_bytes(csv_bytes([row] * 400, []))
    (tmp_path / "b.csv").write_bytes(csv_bytes([row], []))
    with connect() as con:
        con.execute("SET threads = 1")
        con.execute("SET max_temp_directory_size = '0B'")
        con.execute("SET memory_limit = '8MB'")
        reader = LogReader(
            con, [str(tmp_path)], needed=lambda _: dict.fromkeys(("Name", "Computer"))
        )
        parts = list(reader)
    assert [part.file.path.name for part in parts] in (["b.csv"], [])
    assert isinstance(reader.failures[0].error, MemoryLimitError)
