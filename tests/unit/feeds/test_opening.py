"""Bytes of a feed's file: each packing is opened, and each way to harm us is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import random
import threading
import zipfile
from pathlib import Path

import pytest
import zstandard

from foxhunt.errors import FeedError
from foxhunt.feeds import Limits, open_feed

CONTENT = random.Random(1).randbytes(20_000)  # noqa: S311 # test data, no secret
MIB = 1024 * 1024


def opened(path: Path, limits: Limits | None = None) -> bytes:
    with open_feed(path, path.name, limits) as stream:
        return stream.read()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


PACKED = {
    "plain": CONTENT,
    "gzip": gzip.compress(CONTENT),
    "two gzips": gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:]),
    "zip": zipped(("full.json", CONTENT)),
    "stored zip": zipped(("full.json", CONTENT), method=zipfile.ZIP_STORED),
    "zip with a folder": zipped(("a/", b""), ("a/full.json", CONTENT)),
    "zstd": zstandard.compress(CONTENT),
    "two zstds": zstandard.compress(CONTENT[:99]) + zstandard.compress(CONTENT[99:]),
}


@pytest.mark.parametrize("packing", PACKED)
def test_every_packing_is_opened_whatever_the_file_is_called(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "feed.txt"
    path.write_bytes(PACKED[packing])

    assert opened(path) == CONTENT


@pytest.mark.parametrize("packing", ["gzip", "zip", "stored zip", "zstd"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_never_a_shorter_feed(tmp_path: Path, packing: str, kept: float) -> None:
    whole = PACKED[packing]
    path = tmp_path / "feed"
    path.write_bytes(whole[: int(len(whole) * kept)])

    with pytest.raises(FeedError, match=r"^feed: H201: (damaged|the compressed file is cut off)"):
        opened(path)


@pytest.mark.parametrize("packing", ["gzip", "zip", "stored zip"])
def test_a_changed_byte_is_found_out(tmp_path: Path, packing: str) -> None:
    damaged = bytearray(PACKED[packing])
    damaged[len(damaged) // 2] ^= 0xFF
    path = tmp_path / "feed"
    path.write_bytes(bytes(damaged))

    with pytest.raises(FeedError, match="H201: damaged"):
        opened(path)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_rubbish_after_the_compressed_data_is_said(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "feed"
    path.write_bytes(PACKED[packing] + b"rubbish")

    with pytest.raises(FeedError, match="H201: damaged"):
        opened(path)


ZEROS = bytes(70 * MIB)


@pytest.mark.parametrize(
    "bomb", [gzip.compress(ZEROS), zipped(("x", ZEROS)), zstandard.compress(ZEROS)]
)
def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path, bomb: bytes) -> None:
    path = tmp_path / "feed"
    path.write_bytes(bomb)

    with pytest.raises(FeedError, match="H201: more than the 64 MiB it may decompress to"):
        opened(path)


def test_a_zip_that_lies_about_its_size_to_evade_the_ratio_is_refused(tmp_path: Path) -> None:
    bomb = bytearray(zipped(("x", ZEROS)))
    directory = bomb.rindex(b"PK\x01\x02")
    bomb[directory + 20 : directory + 24] = (2**31).to_bytes(4, "little")  # compressed size
    path = tmp_path / "feed"
    path.write_bytes(bytes(bomb))

    with pytest.raises(FeedError, match="H201: the compressed file is cut off"):
        opened(path)


def test_a_file_above_the_size_limit_is_refused_even_when_plain(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_bytes(bytes(3 * MIB))

    assert len(opened(path, Limits(size_bytes=3 * MIB))) == 3 * MIB
    with pytest.raises(FeedError, match="more than the 2 MiB"):
        opened(path, Limits(size_bytes=2 * MIB))


@pytest.mark.parametrize("name", ["../../x.json", "/etc/passwd", "C:\\x", "a/b/c.json"])
def test_the_name_inside_a_zip_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "feed").write_bytes(zipped((name, CONTENT)))

    assert opened(folder / "feed") == CONTENT
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / "feed"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (zipped(("a", b"1"), ("b", b"2")), "a zip of 2 files"),
        (zipped(), "a zip of 0 files"),
        (zipped(("a/", b"")), "a zip of 0 files"),
        (zipped(("a", CONTENT), method=zipfile.ZIP_LZMA), "neither stored nor deflated"),
        (b"PK\x03\x04" + CONTENT, "damaged zip"),
    ],
)
def test_a_zip_that_is_no_export_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "feed"
    path.write_bytes(data)

    with pytest.raises(FeedError, match=f"^feed: H201: .*{expected}"):
        opened(path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped(("a", CONTENT)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path = tmp_path / "feed"
    path.write_bytes(bytes(data))

    with pytest.raises(FeedError, match=r"the zip is encrypted .unpack it first"):
        opened(path)


def test_what_is_not_unpacked_comes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_bytes(bz2.compress(CONTENT))

    assert opened(path) == path.read_bytes()


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"^nothing: H201: cannot be read: No such file"):
        opened(tmp_path / "nothing")
    with pytest.raises(FeedError, match="H201: a folder, not a file"):
        opened(tmp_path)


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_a_pipe_is_read_like_a_file(tmp_path: Path, packing: str) -> None:
    pipe = tmp_path / "feed"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PACKED[packing],))
    writer.start()

    assert opened(pipe) == CONTENT
    writer.join()


def test_a_zip_in_a_pipe_is_refused_with_what_to_do(tmp_path: Path) -> None:
    pipe = tmp_path / "feed"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(zipped(("a", b"1")),))
    writer.start()

    with pytest.raises(FeedError, match=r"cannot be read from a pipe .save it to a file first"):
        opened(pipe)
    writer.join()
