"""Bytes of a feed's file: plain, gzip, zip or zstd, told apart by content.

The publisher's full dumps are zips and a stranger may have made the file, so nothing is
extracted to a path and every decompressed byte is counted: an archive that would fill the
memory is refused.
"""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from foxhunt.errors import FeedError, SourceSpan

# A full dump of every indicator ThreatFox ever had is about 1 GB of JSON.
MAX_BYTES = 4 * 1024**3
# Real exports shrink to about a twentieth; DEFLATE alone can go to 1:1032, zstd far beyond.
MAX_RATIO = 200
# Below this a ratio says nothing: a short file of white space is no bomb.
_RATIO_COUNTS_FROM = 64 * 1024**2

_GZIP, _ZSTD, _ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may grow to.

    Attributes:
        size_bytes: Decompressed size, inclusive.
        ratio: Decompressed to compressed size, judged from 64 MiB on.
    """

    size_bytes: int = MAX_BYTES
    ratio: int = MAX_RATIO


class _Readable(Protocol):
    """What `_Guard` needs of a stream: zipfile, gzip and Arrow share no narrower type."""

    def read(self, size: int = -1, /) -> bytes: ...


@contextmanager
def open_feed(path: Path, name: str, limits: Limits | None = None) -> Iterator[io.BufferedReader]:
    """Open the decompressed bytes of a feed's file, to be read once and in order.

    Args:
        path: A regular file, or a pipe (a pipe may not be a zip).
        name: As the user wrote it, for messages.
        limits: None for `Limits`'s defaults.

    Raises:
        FeedError: Now or while reading: the file is missing, torn, damaged, too large, or
            an archive of anything but one file.
    """
    at = SourceSpan(name)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise FeedError("a folder, not a file", at=at)
        with path.open("rb") as file:
            size = path.stat().st_size if stat.S_ISREG(mode) else None
            with open_stream(file, name, size, limits) as stream:
                yield stream
    except OSError as error:
        raise FeedError(f"cannot be read: {error.strerror or error}", at=at) from error


@contextmanager
def open_stream(
    file: io.BufferedReader, name: str, size_bytes: int | None, limits: Limits | None = None
) -> Iterator[io.BufferedReader]:
    """Open the decompressed bytes of ``file``; see `open_feed`.

    This is also where the bytes of a download come in.

    Args:
        file: Bytes as published.
        name: What messages call it.
        size_bytes: How many bytes ``file`` has, or None (no ratio is judged then).
        limits: None for `Limits`'s defaults.
    """
    at, limits = SourceSpan(name), limits or Limits()
    head = file.peek(4)[:4]
    if head.startswith(_ZIP):
        with _zip_member(file, at) as (zipped, told_bytes):
            # The zip itself says how large its member is: not believed beyond the file's size.
            packed_bytes = told_bytes if size_bytes is None else min(told_bytes, size_bytes)
            yield _guarded(zipped, at, packed_bytes, limits)
    elif head.startswith(_GZIP):
        with gzip.GzipFile(fileobj=file) as unzipped:
            yield _guarded(unzipped, at, size_bytes, limits)
    elif head == _ZSTD:
        with pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd") as inflated:
            yield _guarded(inflated, at, size_bytes, limits)
    else:
        yield _guarded(file, at, None, limits)


@contextmanager
def _zip_member(file: io.BufferedReader, at: SourceSpan) -> Iterator[tuple[_Readable, int]]:
    """The only file of a zip and its compressed size; its name is never used."""
    if not file.seekable():
        raise FeedError("a zip cannot be read from a pipe", at=at, hint="save it to a file first")
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FeedError(f"damaged zip: {error}", at=at) from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise FeedError(f"a zip of {len(members)} files; an export has one", at=at)
        if members[0].flag_bits & 1:
            raise FeedError("the zip is encrypted", at=at, hint="unpack it first")
        if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FeedError("the zip is neither stored nor deflated", at=at, hint="unpack it first")
        try:
            member = archive.open(members[0])
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise FeedError(f"damaged zip: {error}", at=at) from error
        with member:
            yield member, members[0].compress_size


def _guarded(
    stream: _Readable, at: SourceSpan, packed_bytes: int | None, limits: Limits
) -> io.BufferedReader:
    return io.BufferedReader(_Guard(stream, at, packed_bytes, limits), 1024 * 1024)


class _Guard(io.RawIOBase):
    """Counts decompressed bytes, and says in our words what is wrong with compressed ones."""

    def __init__(
        self, stream: _Readable, at: SourceSpan, packed_bytes: int | None, limits: Limits
    ) -> None:
        super().__init__()
        self._stream, self._at, self._read_bytes = stream, at, 0
        self._limit_bytes = limits.size_bytes
        if packed_bytes is not None:
            by_ratio = max(_RATIO_COUNTS_FROM, packed_bytes * limits.ratio)
            self._limit_bytes = min(self._limit_bytes, by_ratio)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # what BufferedReader passes
        try:
            data = self._stream.read(len(buffer))
        except EOFError as error:
            raise FeedError("the compressed file is cut off", at=self._at) from error
        except (OSError, zlib.error, zipfile.BadZipFile) as error:
            raise FeedError(f"damaged: {error}", at=self._at) from error
        self._read_bytes += len(data)
        if self._read_bytes > self._limit_bytes:
            mebibytes = self._limit_bytes // 1024**2
            raise FeedError(f"more than the {mebibytes} MiB it may decompress to", at=self._at)
        buffer[: len(data)] = data
        return len(data)
