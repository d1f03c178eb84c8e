"""From arguments to parts: files, globs, folders, forced tables; one bad file costs itself."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
import zstandard

from foxhunt.errors import TableError, UsageError
from foxhunt.logs import Logs, connect, load_report, open_logs
from foxhunt.sql import identifier

HEADER = "TimeGenerated,Computer,Name,QueryType\n"
ROW = "2026-06-01T10:00:00Z,DC1,texornacu.com,A\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def csv(path: str, rows: int = 1) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(HEADER + ROW * rows)


def opened(*paths: str, forced: Sequence[tuple[str, str]] = ()) -> tuple[Logs, dict[str, int]]:
    """What was opened, and the readable rows of each file."""
    with connect() as con:
        logs = open_logs(con, paths, forced)
        rows = {
            part.file.name: load_report(con, part, identifier(part.view)).rows
            for part in logs.parts
        }
    return logs, rows


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["a.csv"], ["a.csv"]),
        (["."], ["a.csv", "sub/b.csv", "sub/deep/c.csv"]),
        (["sub"], ["sub/b.csv", "sub/deep/c.csv"]),
        (["*.csv"], ["a.csv"]),
        (["**/*.csv"], ["a.csv", "sub/b.csv", "sub/deep/c.csv"]),
        (["su*"], ["sub/b.csv", "sub/deep/c.csv"]),
        (["a.csv", ".", "*.csv"], ["a.csv", "sub/b.csv", "sub/deep/c.csv"]),
        (["sub/../a.csv", "a.csv"], ["sub/../a.csv"]),
    ],
)
def test_files_are_found_once_under_the_name_they_were_reached_by(
    arguments: list[str], names: list[str]
) -> None:
    for path in ("a.csv", "sub/b.csv", "sub/deep/c.csv", ".hidden.csv", ".git/d.csv"):
        csv(path)

    logs, rows = opened(*arguments)

    assert sorted(rows) == sorted(names)
    assert logs.failures == ()


def test_links_to_the_same_file_and_to_folders_that_lead_back_end() -> None:
    csv("sub/a.csv")
    Path("sub/b.csv").symlink_to("a.csv")
    Path("sub/loop").symlink_to("..")

    assert list(opened(".")[1]) == ["sub/a.csv"]


@pytest.mark.parametrize("argument", ["missing.csv", "missing/", "*.parquet", "empty"])
def test_an_argument_that_means_no_file_is_a_usage_error(argument: str) -> None:
    Path("empty").mkdir()

    with pytest.raises(UsageError):
        opened(argument)


def test_no_argument_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no logs are named"):
        opened()


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Name to content, and what the failure says."""
    good = (HEADER + ROW).encode()
    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return {
        "empty": (b"", "the file is empty"),
        "zip.zip": (b"PK\x03\x04" + b"\0" * 60, "zip"),
        "capture.pcap": (capture + b"\0" * 60, "capture"),
        "binary.bin": (bytes(range(256)) * 10, "a binary file of no known format"),
        "text.txt": (b"Jun  1 10:00:00 host dnsmasq[1]: query[A] a.org\n" * 9, "no format"),
        "utf16.csv": (good.decode().encode("utf-16"), "UTF-16"),
        "other.csv": (b"a,b,c\n1,2,3\n", "its columns are of no known table: a, b, c"),
        "timeless.csv": (b"Computer,Name,QueryType\nDC1,a.org,A\n", "has no TimeGenerated"),
        "object.json": (b'{\n "a": 1\n}\n', "JSON"),
        "torn.parquet": (b"PAR1" + b"\0" * 60, "Parquet"),
        "inside.gz": (gzip.compress(b"PAR1" + b"\0" * 60), "Parquet"),
        "broken.gz": (b"\x1f\x8b" + b"\xff" * 60, "compressed, and broken"),
        "nothing.gz": (gzip.compress(b""), "empty inside"),
    }


@pytest.mark.parametrize("name", bad_files())
def test_a_bad_file_is_named_with_its_reason_and_the_rest_is_read(name: str) -> None:
    content, reason = bad_files()[name]
    csv("good.csv", rows=2)
    Path(name).write_bytes(content)

    logs, rows = opened(".")

    assert rows == {"good.csv": 2}
    (failure,) = logs.failures
    assert failure.name == name
    assert reason in str(failure.error)
    assert failure.error.code == "H301"
    assert logs.files == 2


def test_what_is_no_regular_file_is_named_not_waited_for() -> None:
    csv("good.csv")
    os.mkfifo("pipe")

    logs, rows = opened(".")

    assert rows == {"good.csv": 1}
    assert [failure.name for failure in logs.failures] == ["pipe"]


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("zst", zstandard.compress)])
def test_compression_is_told_by_content_not_by_name(suffix: str, pack: object) -> None:
    assert callable(pack)
    Path("packed").write_bytes(pack((HEADER + ROW * 3).encode()))
    Path(f"plain.{suffix}").write_text(HEADER + ROW)

    assert opened(".")[1] == {"packed": 3, f"plain.{suffix}": 1}


def test_a_forced_table_is_read_as_it_and_not_twice() -> None:
    Path("x.csv").write_text("TimeGenerated,SourceIP,Name\n2026-06-01T10:00:00Z,10.0.0.1,a.org\n")

    logs, rows = opened(".", forced=[("dnsevents", "x.csv")])

    assert [part.table for part in logs.parts] == ["DnsEvents"]
    assert rows == {"x.csv": 1}
    assert logs.failures == ()


def test_a_forced_table_that_the_file_cannot_be_is_a_failure() -> None:
    Path("x.csv").write_text("a,b,c\n1,2,3\n")
    Path("dns.log").write_text("#separator \\x09\n#path\tdns\n#fields\tts\tquery\n1\ta.org\n")

    logs, rows = opened(forced=[("UrlClickEvents", "x.csv"), ("UrlClickEvents", "dns.log")])

    assert rows == {}
    assert [str(failure.error).partition(" (")[0] for failure in logs.failures] == [
        "x.csv: H301: it has no Timestamp, so it cannot be UrlClickEvents",
        "dns.log: H301: this format has no rows for UrlClickEvents",
    ]


def test_an_unknown_forced_table_is_an_error() -> None:
    csv("x.csv")

    with pytest.raises(TableError, match="unknown table 'Dns'"):
        opened(forced=[("Dns", "x.csv")])


def test_a_file_that_changed_after_it_was_opened_is_an_error_not_an_empty_one() -> None:
    csv("x.csv", rows=50_000)
    with connect() as con:
        (part,) = open_logs(con, ["x.csv"]).parts
        Path("x.csv").unlink()

        with pytest.raises(duckdb.Error):
            load_report(con, part, identifier(part.view))
