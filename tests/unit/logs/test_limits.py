"""DuckDB takes its share of a limit, and a file that needs more is named, not the hunt's end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from foxhunt.logs import limits
from foxhunt.logs.limits import _group_share, memory_limit_bytes
from foxhunt.logs.views import connect


def group(folder: Path, lines: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A process's control groups, as Linux shows them, below ``folder``."""
    groups, mount = folder / "cgroup", folder / "mount"
    groups.write_text(lines, "utf-8")
    for name, text in files.items():
        path = mount / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")
    return groups, mount


@pytest.mark.parametrize(
    ("lines", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "2147483648\n"}, 2147483648),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "1073741824\n"}, 1073741824),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "536870912\n"}, 536870912),
        ("4:memory:/not-seen\n", {"memory/memory.limit_in_bytes": "536870912\n"}, 536870912),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ("3:cpu,cpuacct:/a\n", {"memory/memory.limit_in_bytes": "1\n"}, None),
        ("nonsense\n", {}, None),
    ],
)
def test_the_tightest_limit_of_the_groups_counts(
    tmp_path: Path, lines: str, files: dict[str, str], limit: int | None
) -> None:
    """Version 1 and 2, the group's own and those above it, and where there is none."""
    share = _group_share(*group(tmp_path, lines, files))
    assert share == (None if limit is None else int(limit * 0.6))


def test_a_system_without_groups_has_no_limit(tmp_path: Path) -> None:
    assert _group_share(tmp_path / "no", tmp_path / "such") is None


@pytest.fixture
def limited_addresses() -> Iterator[int]:
    """``ulimit -v`` some way above what the process has."""
    if sys.platform != "linux":
        pytest.skip("only Linux limits addresses so")
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = limits._addresses_bytes() + (4 << 30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    yield limit
    resource.setrlimit(resource.RLIMIT_AS, before)


def test_duckdb_follows_ulimit(limited_addresses: int) -> None:
    """Else its default, a share of the machine's memory, would meet the limit first."""
    share = memory_limit_bytes()
    assert share is not None
    assert 64 << 20 <= share < 4 << 30
    with connect() as con:
        ((told,),) = con.execute("SELECT current_setting('memory_limit')").fetchall()
    number, unit = told.split()
    assert float(number) * {"MiB": 1 << 20, "GiB": 1 << 30}[unit] < limited_addresses / 2


def test_a_limit_above_what_the_machine_has_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB's default must not grow by it: the system would end the process."""
    if sys.platform != "linux":
        pytest.skip("only Linux limits addresses so")
    import resource

    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits_of = (machine * 8, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits_of)
    share = memory_limit_bytes()
    assert share is not None
    assert share <= machine * 0.8


def test_what_does_not_fit_goes_to_the_folder_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not beside the logs, and nothing of it stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with connect() as con:
        con.execute("SET memory_limit = '40MB'")
        con.execute("SET threads = 1")
        con.execute("CREATE TEMP TABLE t AS SELECT md5(i::VARCHAR) AS a FROM range(1500000) r(i)")
        assert [path for path in tmp_path.iterdir() if path.name.startswith("foxhunt-")]
        ((count,),) = con.execute("SELECT count(DISTINCT a[1:2]) FROM t").fetchall()
        assert count == 256
    assert not list(tmp_path.iterdir())


def test_more_than_the_limit_is_an_error_of_duckdb() -> None:
    """Which engines and readers take for a file that was not evaluated."""
    with connect() as con:
        con.execute("SET memory_limit = '16MB'")
        con.execute("SET max_temp_directory_size = '0B'")
        with pytest.raises(duckdb.OutOfMemoryException):
            con.execute("SELECT list(i) FROM range(10000000) r(i)").fetchall()
