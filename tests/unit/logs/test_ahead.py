"""Files read ahead: each one's own parts and faults, in order, and nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import duckdb
import pytest

from foxhunt.errors import LogError
from foxhunt.logs import connect
from foxhunt.logs.ahead import Ahead, Prepared, Stopped
from foxhunt.logs.model import LogFile, RawPart

BIG = 40 * 1024 * 1024  # such files are prepared alone


def files(*names: str, size_bytes: int = 1) -> list[LogFile]:
    return [LogFile(Path(name), name, "none", b"", size_bytes=size_bytes) for name in names]


@dataclass
class Fake:
    """A format whose part of a file is named like it, and whose file may be broken.

    Attributes:
        groups: The names of the files of each call, with the name of the thread.
        stops: Names of files at which DuckDB stops.
        waits: Wait at a file of this name until ``stopped``.
        entered: Set when it waits.
    """

    groups: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    stops: tuple[str, ...] = ()
    waits: str = ""
    entered: Event = field(default_factory=Event)

    def prepare(
        self, con: duckdb.DuckDBPyConnection, files: Sequence[LogFile], stopped: Stopped
    ) -> list[Prepared]:
        self.groups.append((tuple(file.name for file in files), threading.current_thread().name))
        for file in files:
            if file.name in self.stops:
                con.execute("SELECT error('no')")
            if file.name == self.waits:
                self.entered.set()
                while not stopped():
                    con.execute("SELECT sum(a.range * b.range) FROM range(99999) a, range(99999) b")
        return [self._prepared(file) for file in files]

    def _prepared(self, file: LogFile) -> Prepared:
        def parts(table: str | None) -> Iterator[RawPart]:
            if "broken" in file.name:
                raise LogError(file.name)
            yield RawPart(table=table or "any", select=file.name, columns=())

        return parts

    def choose(self, file: LogFile) -> Fake | None:
        """The format of files that are not text."""
        return None if file.name.endswith(".csv") else self


@pytest.fixture(params=[1, 2])
def con(request: pytest.FixtureRequest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with one core, or two."""
    with connect() as opened:
        opened.execute(f"SET threads = {request.param}")
        yield opened


def taken(con: duckdb.DuckDBPyConnection, fake: Fake, chosen: list[LogFile]) -> list[str | None]:
    """What each file gives: its part, what it raises, or None if it is to be read alone."""
    ahead = Ahead(con, chosen, fake.choose)
    answers: list[str | None] = []
    for position in range(len(chosen)):
        prepared = ahead.take(position)
        try:
            answers.append(None if prepared is None else next(iter(prepared(None))).select)
        except LogError as error:
            answers.append(error.message)
    ahead.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("foxhunt-ahead")]
    return answers


def test_small_files_are_prepared_together_and_each_gives_its_own(
    con: duckdb.DuckDBPyConnection,
) -> None:
    fake = Fake()
    assert taken(con, fake, files("a", "b.csv", "broken", "c")) == ["a", None, "broken", "c"]
    assert [names for names, _ in fake.groups] == [("a", "broken", "c")]


def test_files_that_come_later_are_prepared_while_others_are_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    fake = Fake()
    assert taken(con, fake, files("a.csv", "b.csv", "c", "d")) == [None, None, "c", "d"]
    assert [names for names, _ in fake.groups] == [("c", "d")]


def test_large_files_are_prepared_one_after_the_other_in_a_thread_if_there_is_a_core(
    con: duckdb.DuckDBPyConnection,
) -> None:
    fake = Fake()
    ((cores,),) = con.execute("SELECT current_setting('threads')").fetchall()
    answers = taken(con, fake, files("a", "b", "c", size_bytes=BIG))
    # The first one is waited for: its own reading does not have to be prepared.
    assert answers == ([None, "b", "c"] if cores > 1 else [None, None, None])
    assert [names for names, _ in fake.groups] == ([("b",), ("c",)] if cores > 1 else [])
    assert all(thread.startswith("foxhunt-ahead") for _, thread in fake.groups)


def test_a_compressed_file_counts_as_what_comes_out_of_it(con: duckdb.DuckDBPyConnection) -> None:
    fake = Fake()
    packed = [LogFile(Path(n), n, "gzip", b"", size_bytes=BIG // 10) for n in ("a", "b", "c")]
    taken(con, fake, packed)
    assert all(len(names) == 1 for names, _ in fake.groups)


def test_no_file_is_read_ahead_where_there_is_one(con: duckdb.DuckDBPyConnection) -> None:
    fake = Fake()
    assert taken(con, fake, files("a")) == [None]
    assert fake.groups == []


def test_what_stops_duckdb_stops_no_other_group(con: duckdb.DuckDBPyConnection) -> None:
    fake = Fake(stops=("b",))
    chosen = [*files("a", "b", "c"), *files("d", size_bytes=BIG), *files("e")]
    ((cores,),) = con.execute("SELECT current_setting('threads')").fetchall()
    last = ["d", "e"] if cores > 1 else [None, None]
    assert taken(con, fake, chosen) == [None, None, None, *last]


def test_close_ends_what_is_being_read() -> None:
    fake = Fake(waits="b")
    with connect() as opened:
        opened.execute("SET threads = 2")
        ahead = Ahead(opened, files("a", "b", "c", size_bytes=BIG), fake.choose)
        ahead.take(0)
        assert fake.entered.wait(10)
        ahead.close()
        assert [names for names, _ in fake.groups] == [("b",)]
        assert not [one for one in threading.enumerate() if one.name.startswith("foxhunt-ahead")]
