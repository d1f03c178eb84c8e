"""state.db: whole after whatever happens, and never a traceback."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from foxhunt import state
from foxhunt.errors import StoreError
from foxhunt.state import MIGRATIONS, State

ADD = "INSERT INTO syncs VALUES (?, 'f', 'o', 'o', 0, 'b', 'e', NULL, '{}', '[]', NULL, NULL)"
COUNT = "SELECT count(*) FROM syncs"
WRITER = f"""
import sys
from pathlib import Path
from foxhunt.state import State
for _ in range(10):
    with State(Path(sys.argv[1])).writing() as connection:
        connection.execute({ADD!r}, [None])
    print("x", flush=True)
"""


def count(home: Path) -> int:
    with State(home).reading() as connection:
        assert connection is not None
        return int(connection.execute(COUNT).fetchone()[0])


def test_before_anything_was_written_there_is_nothing_and_reading_makes_no_file(
    tmp_path: Path,
) -> None:
    with State(tmp_path / "home").reading() as connection:
        assert connection is None
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with State(tmp_path / "home").writing() as connection:
        connection.execute(ADD, [7])

    assert count(tmp_path / "home") == 1


def test_a_block_that_fails_writes_nothing(tmp_path: Path) -> None:
    with State(tmp_path).writing() as connection:
        connection.execute(ADD, [1])
    with pytest.raises(KeyboardInterrupt), State(tmp_path).writing() as connection:
        connection.execute(ADD, [2])
        raise KeyboardInterrupt

    assert count(tmp_path) == 1


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with State(tmp_path).writing():
        pass

    with (
        pytest.raises(StoreError, match="readonly"),
        State(tmp_path).reading() as connection,
    ):
        assert connection is not None
        connection.execute(ADD, [1])


@pytest.mark.parametrize(
    "content", [b"not a database " * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_said_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.db").write_bytes(content)

    with pytest.raises(StoreError, match="move it away"), State(tmp_path).reading():
        pass
    with pytest.raises(StoreError, match="move it away"), State(tmp_path).writing():
        pass
    assert (tmp_path / "state.db").read_bytes() == content


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()

    with pytest.raises(StoreError, match=r"state\.db"), State(tmp_path).reading():
        pass


def test_a_file_of_a_later_foxhunt_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
        connection.execute("PRAGMA user_version = 9999")

    with pytest.raises(StoreError, match="upgrade"), State(tmp_path).reading():
        pass
    with pytest.raises(StoreError, match="upgrade"), State(tmp_path).writing():
        pass


def test_a_table_of_a_later_version_is_added_to_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with State(tmp_path).writing() as connection:
        connection.execute(ADD, [1])
    more = ("CREATE TABLE more (x)", "INSERT INTO more VALUES (1)")
    monkeypatch.setattr(state, "MIGRATIONS", (*MIGRATIONS, more))

    with State(tmp_path).reading() as reader:
        assert reader is not None
        assert reader.execute("SELECT x FROM more").fetchall() == [(1,)]
    assert count(tmp_path) == 1


def test_a_migration_that_fails_leaves_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with State(tmp_path).writing():
        pass
    broken = ("CREATE TABLE more (x)", "CREATE TABLE syncs (x)")
    monkeypatch.setattr(state, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(StoreError, match="already exists"), State(tmp_path).writing():
        pass
    monkeypatch.undo()

    assert count(tmp_path) == 0


def test_several_processes_write_at_once_from_the_very_first(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "home")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        process.communicate()

    assert {process.returncode for process in processes} == {0}
    assert count(tmp_path / "home") == 30


def test_what_a_killed_process_committed_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(6)
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
    said = 3 + rest.count(b"x")

    assert said <= count(tmp_path) <= said + 1
