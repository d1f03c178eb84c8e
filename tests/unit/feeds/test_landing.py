"""A file appears whole or not at all, even if its writer is killed."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import NetworkError, StoreError
from foxhunt.feeds.landing import decoded, landing

from .http_play import only_file

_WRITER = """
import sys, time
from pathlib import Path
from foxhunt.feeds.landing import landing
with landing(Path(sys.argv[1])) as out:
    out.write(b"new" * 100_000)
    out.flush()
    print("half", flush=True)
    time.sleep(60)
"""


def test_the_file_is_replaced_at_the_end_and_not_before(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    with landing(target) as out:
        out.write(b"new")
        out.flush()
        assert target.read_bytes() == b"old"

    assert only_file(tmp_path).read_bytes() == b"new"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_breaks_the_block_leaves_the_old_file_alone(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    with pytest.raises(error), landing(target) as out:
        out.write(b"new")
        raise error

    assert only_file(tmp_path).read_bytes() == b"old"


def test_a_killed_writer_leaves_the_old_file_and_its_rest_is_removed_a_day_later(
    tmp_path: Path,
) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(target)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGKILL)

    assert target.read_bytes() == b"old"
    (rest,) = [path for path in tmp_path.iterdir() if path != target]
    with landing(target) as out:
        out.write(b"newer")
    assert rest.exists()  # it may be another process at work
    long_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(rest, (long_ago, long_ago))
    with landing(target) as out:
        out.write(b"newest")

    assert only_file(tmp_path).read_bytes() == b"newest"


def test_the_files_of_others_stay_however_old(tmp_path: Path) -> None:
    others = [tmp_path / name for name in (".other.0.part", ".file.state", "file.part")]
    for other in others:
        other.touch()
        os.utime(other, (0, 0))

    with landing(tmp_path / "file") as out:
        out.write(b"new")

    assert all(other.exists() for other in others)


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    full = pytest.raises(StoreError, match=r"cannot write .*file: No space left")
    with full, landing(tmp_path / "file"):
        raise OSError(28, "No space left on device")

    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=2000), st.integers(1, 50))
def test_gzip_in_any_pieces_gives_back_what_went_in(body: bytes, size: int) -> None:
    packed = gzip.compress(body)
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]

    assert b"".join(decoded(chunks, "gzip")) == body


@given(st.binary(max_size=200), st.data())
def test_no_part_of_gzip_is_taken_for_the_whole(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body)
    cut = data.draw(st.integers(1, len(packed) - 1))

    with pytest.raises(NetworkError):
        list(decoded([packed[:cut]], "gzip"))


def test_no_piece_is_larger_than_a_mebibyte_whatever_it_unpacks_to() -> None:
    packed = gzip.compress(b"\0" * 20_000_000)

    pieces = [len(piece) for piece in decoded([packed], " GZIP ")]

    assert sum(pieces) == 20_000_000
    assert max(pieces) <= 1024 * 1024
