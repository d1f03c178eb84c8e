"""What an argument means, and what is known of a file before a format is asked."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard

from foxhunt.errors import LogError, UsageError
from foxhunt.logs.files import HEAD_BYTES, find_files, is_replaced, look_at, open_files

PACKS = pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(path)


def found(argument: str) -> list[str]:
    return [name for _, name in find_files(argument)]


def test_a_folder_is_read_in_the_same_order_each_time() -> None:
    """Reports and --events follow it: files first, then folder by folder."""
    put("b", "a", "z/1", "c/2", "c/1", "c/d/x", "10", "9")

    assert found(".") == ["10", "9", "a", "b", "c/1", "c/2", "c/d/x", "z/1"]


def test_what_starts_with_a_dot_is_left_out_unless_it_is_named() -> None:
    put("logs/a", "logs/.a.swp", "logs/.git/a", ".hidden/a", ".hidden/.b")

    assert found("logs") == ["logs/a"]
    assert found("**/*") == ["logs/a"]
    assert found("logs/*") == ["logs/a"]
    assert found("logs/.a*") == ["logs/.a.swp"]
    assert found(".hidden") == [".hidden/a"]
    assert found(".hidden/*") == [".hidden/a"]
    assert found(".hidden/.b") == [".hidden/.b"]


def test_a_name_that_is_there_is_no_pattern() -> None:
    put("a[1].csv", "a1.csv", "b*", "bc")

    assert found("a[1].csv") == ["a[1].csv"]
    assert found("b*") == ["b*"]
    assert found("a[0-9].csv") == ["a1.csv"]


def test_an_absolute_pattern_gives_absolute_names(folder: Path) -> None:
    put("x/a.csv", "x/b.csv")

    assert found(f"{folder}/x/*.csv") == [f"{folder}/x/a.csv", f"{folder}/x/b.csv"]


@pytest.mark.parametrize("argument", ["", "x/**y*", "no*", "[", "a\0b"])
def test_what_means_no_file_is_a_usage_error(argument: str) -> None:
    put("x/z")
    with pytest.raises(UsageError):
        found(argument)


def test_a_link_to_a_file_is_followed_and_one_that_leads_nowhere_is_a_failure() -> None:
    put("real/a")
    Path("in").mkdir()
    Path("in/to_file").symlink_to("../real/a")
    Path("in/to_folder").symlink_to("../real")
    Path("in/to_nothing").symlink_to("gone")
    Path("in/to_itself").symlink_to("to_itself")

    files, failures, _ = open_files(["in"])

    assert [file.name for file in files] == ["in/to_file"]
    assert [failure.name for failure in failures] == ["in/to_itself", "in/to_nothing"]


def test_one_file_under_many_names_is_opened_once_under_the_first() -> None:
    put("a")
    os.link("a", "b")
    Path("c").symlink_to("a")

    files, _, seen = open_files(["c", ".", "b", str(Path("a").absolute())])

    assert [file.name for file in files] == ["c"]
    assert open_files(["."], seen) == ([], [], set())


def test_the_head_is_decompressed_and_bounded() -> None:
    data = bytes(range(256)) * 1024
    Path("plain").write_bytes(data)
    Path("gz").write_bytes(gzip.compress(data[:1000]) + gzip.compress(data[1000:]))
    Path("zst").write_bytes(zstandard.compress(data[:1000]) + zstandard.compress(data[1000:]))
    Path("short").write_bytes(b"x")

    for name, compression in (("plain", "none"), ("gz", "gzip"), ("zst", "zstd")):
        file = look_at(Path(name), f"the {name}")
        assert (file.name, file.compression, file.torn) == (f"the {name}", compression, False)
        assert file.head == data[:HEAD_BYTES]
    assert look_at(Path("short"), "short").head == b"x"


@PACKS
def test_a_torn_archive_is_known_before_anything_is_read(pack: Any) -> None:
    """DuckDB ends such a file without a word."""
    packed = pack(os.urandom(300_000))
    for kept in (len(packed) - 1, len(packed) - 9, len(packed) // 2, 200_000):
        Path("x").write_bytes(packed[:kept])
        assert look_at(Path("x"), "x").torn, kept
    Path("x").write_bytes(packed)
    assert not look_at(Path("x"), "x").torn
    Path("x").write_bytes(packed + packed[:-1])
    assert look_at(Path("x"), "x").torn


@pytest.mark.parametrize(
    "pack", [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress]
)
def test_a_damaged_archive_is_torn(pack: Any) -> None:
    """Where the archive has a checksum to tell: zstd has one only when asked for it."""
    packed = bytearray(pack(os.urandom(300_000)))
    packed[len(packed) // 2] ^= 0xFF
    Path("x").write_bytes(packed)

    assert look_at(Path("x"), "x").torn


def test_padding_after_an_archive_is_no_damage() -> None:
    """Tapes and block devices fill up with zeros."""
    Path("x").write_bytes(gzip.compress(b"text") + b"\0" * 512)

    file = look_at(Path("x"), "x")

    assert (file.head, file.torn) == (b"text", False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (gzip.compress(b""), "the file is compressed, and empty inside"),
        (zstandard.compress(b""), "the file is compressed, and empty inside"),
        (b"\x1f\x8b", "the file is compressed, and broken from its start"),
        (b"\x1f\x8b\x08" + b"\xff" * 99, "the file is compressed, and broken from its start"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 99, "the file is compressed, and broken from its start"),
    ],
    # Archives hold the time they were made at, which is no name for a test.
    ids=["empty", "gzip of nothing", "zstd of nothing", "cut gzip", "bad gzip", "bad zstd"],
)
def test_nothing_to_read_is_an_error_with_its_reason(content: bytes, message: str) -> None:
    Path("x").write_bytes(content)

    with pytest.raises(LogError) as caught:
        look_at(Path("x"), "the file")

    assert str(caught.value) == f"the file: H301: {message}"


def test_a_name_that_is_no_text_is_a_failure_not_the_end_of_the_hunt() -> None:
    """DuckDB takes no such path, and no terminal prints it."""
    put("x/good")
    Path(os.fsdecode(b"x/b\xff.csv")).write_text("text")

    files, failures, _ = open_files(["x"])

    assert [file.name for file in files] == ["x/good"]
    assert [str(failure.error) for failure in failures] == [
        "x/b\\xff.csv: H301: its name is not valid UTF-8 (rename it)"
    ]


def test_a_folder_that_cannot_be_listed_is_not_an_empty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("x/open/a", "x/closed/b")
    scandir = os.scandir

    # Permissions do not bind root, as which containers run the tests.
    def refusing(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    files, failures, _ = open_files(["x"])

    assert [file.name for file in files] == ["x/open/a"]
    assert [str(failure.error) for failure in failures] == [
        "x/closed: H301: the folder cannot be listed"
    ]


def test_a_file_is_replaced_when_it_is_cut_removed_or_another_but_not_when_it_grew() -> None:
    put("x")
    file = look_at(Path("x"), "x")
    assert not is_replaced(file)

    Path("x").write_text("x and more")
    assert not is_replaced(file)
    Path("x").write_text("")
    assert is_replaced(file)
    Path("x").rename("y")
    assert is_replaced(file)
    put("x")
    assert is_replaced(file)
