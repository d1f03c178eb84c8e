"""Files that are replaced whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from foxhunt import atomic
from foxhunt.errors import UsageError


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    with pytest.raises(RuntimeError), atomic.replacing(path) as out:
        out.write("half of the ne")
        raise RuntimeError

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_new_file_takes_the_place_and_the_mode_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    path.chmod(0o640)

    atomic.write(path, "new\r\n")

    assert path.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["missing/report.json", "."])
def test_what_cannot_be_written_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        atomic.write(tmp_path / name, "x")


def test_a_device_is_written_to_not_replaced() -> None:
    atomic.write(Path("/dev/null"), "x")

    assert not Path("/dev/null").is_file()
