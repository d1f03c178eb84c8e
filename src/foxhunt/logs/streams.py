"""The bytes of a log file in order, decompressed, with bounded memory and a visible torn end."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import pyarrow as pa

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.model import LogFile

# One record longer than this is refused, so that a file of one endless line costs no memory.
MAX_LINE_BYTES = 16 * 1024 * 1024
TOO_LONG = f"the line is longer than {MAX_LINE_BYTES // (1024 * 1024)} MiB"
TORN = "the compressed file is torn: what follows is missing"
_CHUNK_BYTES = 1024 * 1024
# What a decompressor gives in the call that meets a torn end is lost, so calls are kept small.
_UNPACKED_BYTES = 64 * 1024


class Line(NamedTuple):
    """One line without its line feed.

    Attributes:
        text: Its bytes; what is there of it when ``problem`` is set.
        problem: Why it cannot be read, or None.
    """

    text: bytes
    problem: str | None


def chunks(file: LogFile) -> Iterator[bytes | None]:
    """Yield the decompressed bytes in pieces, and None where a torn stream breaks off.

    Raises:
        LogError: The file cannot be read.
    """
    try:
        with file.path.open("rb") as stream:
            if file.compression == "gzip":
                yield from _inflated(stream)
            elif file.compression == "zstd":
                yield from _zstd(stream)
            else:
                while chunk := stream.read(_CHUNK_BYTES):
                    yield chunk
    except OSError as exc:
        raise LogError(f"cannot be read: {exc.strerror or exc}", at=SourceSpan(file.name)) from exc


def _inflated(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Gzip members, one after the other.

    `gzip.open` would drop all that it had decompressed in the call that meets the torn end.
    """
    inflate: Any = zlib.decompressobj(wbits=31)
    packed = stream.read(_CHUNK_BYTES)
    while packed:
        try:
            chunk = inflate.decompress(packed, _UNPACKED_BYTES)
        except zlib.error:
            yield None
            return
        if chunk:
            yield chunk
        packed = inflate.unconsumed_tail
        if inflate.eof:
            # Zeros may pad a member (tapes, block devices); anything else begins the next one.
            packed = inflate.unused_data.lstrip(b"\0") or stream.read(_CHUNK_BYTES).lstrip(b"\0")
            if packed:
                inflate = zlib.decompressobj(wbits=31)
        elif not packed:
            packed = stream.read(_CHUNK_BYTES)
    if not inflate.eof:
        yield None


def _zstd(stream: IO[bytes]) -> Iterator[bytes | None]:
    unpacked = pa.CompressedInputStream(stream, "zstd")
    while True:
        try:
            chunk = unpacked.read(_UNPACKED_BYTES)
        except OSError:
            yield None
            return
        if not chunk:
            return
        yield chunk


def lines(file: LogFile) -> Iterator[Line]:
    """Yield every line, empty ones included; a torn end is a last line with a problem."""
    held: list[bytes] = []
    held_bytes = 0
    for chunk in chunks(file):
        if chunk is None:
            yield Line(b"".join(held), TORN)
            return
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            if held_bytes + len(piece) > MAX_LINE_BYTES:
                yield Line(b"", TOO_LONG)
            else:
                yield Line(b"".join([*held, piece]), None)
            held, held_bytes = [], 0
        held_bytes += len(rest)
        # Past the limit only the length is kept: the line is refused when it ends.
        held = [] if held_bytes > MAX_LINE_BYTES else [*held, rest]
    if held_bytes:
        too_long = held_bytes > MAX_LINE_BYTES
        yield Line(b"".join(held), TOO_LONG if too_long else None)


@contextmanager
def plain_text(file: LogFile, without: bytes = b"\0") -> Iterator[Callable[[], bool]]:
    """Look at every byte of a file, while the block does something else with it.

    DuckDB checks text only in the columns that are read; of plain text all can be read.

    Args:
        file: The file.
        without: Bytes that plain text does not have.

    Yields:
        What waits for the answer: whether the file is valid UTF-8 without those bytes, and no
        stream that is torn. It raises `LogError` if the file cannot be read.
    """
    banned = [bytes([byte]) for byte in without]
    if file.size_bytes <= _CHUNK_BYTES:
        is_plain = _is_plain_text(file, banned)
        yield lambda: is_plain
        return
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(_is_plain_text, file, banned).result


def _is_plain_text(file: LogFile, banned: Sequence[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_between = True  # no character is cut by the end of the last piece
    try:
        for chunk in chunks(file):
            if chunk is None or any(byte in chunk for byte in banned):
                return False
            if not is_between or not chunk.isascii():
                decoder.decode(chunk)
                is_between = not decoder.getstate()[0]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def scan_path(file: LogFile) -> str:
    """The file's path for DuckDB's readers, in which ``*``, ``?`` and ``[`` are no wildcards."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(file.path))
