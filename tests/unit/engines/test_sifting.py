"""A sifted column gives the rows that have to be compared, or leaves the column to DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foxhunt.engines import LocalEngine, TimeRange
from foxhunt.engines.keeping import Keeper, Sifted
from foxhunt.engines.sieve import Sieve
from foxhunt.engines.sifting import Sifter
from foxhunt.errors import LogError
from foxhunt.findings import ValidityPolicy
from foxhunt.indicators import IndicatorType
from foxhunt.logs import LogPart, connect, open_logs, stamp_of
from foxhunt.rules import Observes, build_rule
from tests.families import indicator_set

RULE = build_rule("all", "*", indicator_set((IndicatorType.DOMAIN, "texornacu.com")))
TIME = pa.scalar(1_780_300_800_000_000, pa.timestamp("us"))


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


def write(path: Path, names: list[str | None], type_: pa.DataType, group: int = 3) -> None:
    """A DnsEvents log with some rows a group."""
    times = pa.repeat(TIME, len(names))
    kinds = pa.repeat(pa.scalar("A"), len(names))
    texts = pa.array(names, pa.string()).cast(type_)
    columns = {"TimeGenerated": times, "QueryType": kinds, "Name": texts}
    pq.write_table(pa.table(columns), path, row_group_size=group)


def run(con: duckdb.DuckDBPyConnection, path: Path, *, sift_from: int = 1) -> list[int]:
    """Numbers of the rows that met something."""
    (part,) = open_logs(con, [str(path)]).parts
    engine = LocalEngine(con, RULE, policy=ValidityPolicy(), times=TimeRange(), sift_from=sift_from)
    assert engine.run(part).error is None
    return [row for (row,) in con.execute("SELECT row FROM events ORDER BY row").fetchall()]


def sifted(con: duckdb.DuckDBPyConnection) -> list[tuple[int, str]] | None:
    """What passed, if the column was sifted."""
    names = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "sifted_0" not in names:
        return None
    return con.execute("FROM sifted_0 ORDER BY _place").fetchall()


NAMES = [
    "a.example.org",
    None,
    "texornacu.com",
    "",
    "b.org",
    "x.texornacu.com",
    "texornacu.com.org",
]


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("group", [1, 3, 100])
def test_places_are_those_in_the_file_whatever_its_row_groups(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, type_: pa.DataType, group: int
) -> None:
    write(tmp_path / "dns.parquet", NAMES, type_, group)

    assert run(con, tmp_path / "dns.parquet") == [3, 6]
    assert sifted(con) == [(2, "texornacu.com"), (5, "x.texornacu.com")]


def test_small_logs_are_not_sifted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(tmp_path / "dns.parquet", NAMES, pa.string())

    assert run(con, tmp_path / "dns.parquet", sift_from=100) == [3, 6]
    assert sifted(con) is None


@pytest.mark.parametrize("type_", [pa.binary(), pa.dictionary(pa.int32(), pa.string())])
def test_what_is_no_plain_text_is_left_to_duckdb(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, type_: pa.DataType
) -> None:
    write(tmp_path / "dns.parquet", NAMES, type_)

    assert run(con, tmp_path / "dns.parquet") == [3, 6]
    assert sifted(con) is None


def test_a_column_in_which_most_passes_is_left_to_duckdb(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    names = ["texornacu.com", "a.org"] * 300_000
    write(tmp_path / "dns.parquet", list(names), pa.string(), 100_000)

    assert len(run(con, tmp_path / "dns.parquet")) == 300_000
    assert sifted(con) == []  # made, and given up before anything was handed over


@pytest.mark.parametrize("hit", [0, 4])
def test_a_file_that_was_written_anew_between_two_readings_is_no_answer(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, hit: int
) -> None:
    """The row that was sifted is no longer there, or another one is."""
    path = tmp_path / "dns.parquet"
    write(path, NAMES[:2], pa.string())
    (part,) = open_logs(con, [str(path)]).parts
    sifted = Sifted(frozenset({0}), stamp_of(part.file))
    con.execute(f"CREATE TEMP TABLE sifted_0 AS SELECT {hit}::BIGINT AS _place, 'x' AS Name")
    con.execute("CREATE TEMP TABLE hits_0 AS SELECT 'x' AS v, 1 AS n")
    if hit == 0:
        path.write_bytes(path.read_bytes())

    with pytest.raises(LogError, match="changed while it was read"):
        Keeper(con).keep_hits(
            part, 0, part.view, {0: "Name"}, sifted=sifted, restage=lambda: part.view
        )


def test_hits_of_a_sifted_and_another_column_are_no_answer_of_a_file_written_anew(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / "dns.parquet"
    write(path, NAMES, pa.string())
    (part,) = open_logs(con, [str(path)]).parts
    sifted = Sifted(frozenset({0}), stamp_of(part.file))
    for rank in (0, 1):
        con.execute(f"CREATE TEMP TABLE hits_{rank} AS SELECT 'texornacu.com' AS v, 1 AS n")
    hits = {0: "Name", 1: "QueryType"}
    path.write_bytes(path.read_bytes())

    with pytest.raises(LogError, match="changed while it was read"):
        Keeper(con).keep_hits(part, 0, part.view, hits, sifted=sifted, restage=lambda: part.view)


def test_a_file_that_was_written_anew_while_it_was_sifted_is_read_by_duckdb(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else row groups of the old file and of the new one would be taken for one file's."""
    path = tmp_path / "dns.parquet"
    write(path, ["a.org", "b.org"], pa.string(), 1)
    sift = Sifter.sift

    def sift_then_write(self: Sifter, part: LogPart, one: Observes, name: str) -> bool:
        is_sifted = sift(self, part, one, name)
        write(path, ["b.org", "texornacu.com"], pa.string(), 1)
        return is_sifted

    monkeypatch.setattr(Sifter, "sift", sift_then_write)
    assert run(con, path) == [2]


def test_where_memory_does_not_suffice_to_sift_duckdb_reads_the_column(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passing(self: Sieve, values: pa.Array) -> pa.Array:
        raise MemoryError

    monkeypatch.setattr(Sieve, "passing", passing)
    write(tmp_path / "dns.parquet", NAMES, pa.string())

    assert run(con, tmp_path / "dns.parquet") == [3, 6]
