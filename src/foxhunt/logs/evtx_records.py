"""The records of one EVTX file, in order, with what could not be read of them.

The file is a header of 4 KiB and chunks of 64 KiB (libevtx documentation, 2023). The
``evtx`` package (Rust) reads them.
"""

from __future__ import annotations

import re
import struct
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import IO, Any

from evtx import PyEvtxParser

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.ahead import Stopped, never
from foxhunt.logs.model import LogFile
from foxhunt.logs.streams import chunks

_HEADER_BYTES = 4096
_CHUNK_BYTES = 65536
# A compressed file is unpacked beside the others' temporary files, up to this.
_MAX_UNPACKED_BYTES = 8 * 1024**3
_CHUNK_NUMBER = re.compile(r"chunk number ([0-9]+)")
_TORN = "the file ends inside a chunk: its records are lost"

# Why a record is broken, or None, and its JSON text, or None.
Record = tuple[str | None, str | None]


def records(file: LogFile, stopped: Stopped = never) -> Iterator[Record]:
    """Every record in order; a record or chunk that cannot be read is a broken one.

    Raises:
        LogError: The file is no EVTX file.
        OSError: It cannot be read.
        CancelledError: ``stopped`` while the file was looked at before its first record.
    """
    with _unpacked(file, stopped) as stream:
        unused, torn = _chunks_of(stream, stopped)
        stream.seek(0)
        try:
            # The package's own types say that a record may be None; it never is.
            found: Iterator[Any] = iter(PyEvtxParser(stream).records_json())
        except (OSError, RuntimeError, ValueError) as exc:
            raise LogError(f"not a readable EVTX file: {exc}", at=SourceSpan(file.name)) from exc
        while True:
            try:
                for record in found:
                    yield None, record["data"]
            except (OSError, RuntimeError, ValueError) as exc:
                number = _CHUNK_NUMBER.search(str(exc))
                if number is None or int(number.group(1)) not in unused:
                    yield str(exc)[:200], None
            else:
                break
        if torn is not None:
            yield torn, None


@contextmanager
def _unpacked(file: LogFile, stopped: Stopped) -> Iterator[IO[bytes]]:
    """The file's bytes as a stream that can seek."""
    if file.compression == "none":
        with file.path.open("rb") as plain:
            yield plain
        return
    with tempfile.TemporaryFile() as copy:
        for chunk in chunks(file):
            if chunk is None:
                break  # torn: the chunk that breaks off is seen to be missing its end
            copy.write(chunk)
            if copy.tell() > _MAX_UNPACKED_BYTES:
                raise LogError(
                    f"unpacks to more than {_MAX_UNPACKED_BYTES // 1024**3} GiB",
                    at=SourceSpan(file.name),
                    hint="unpack it first",
                )
            if stopped():
                raise CancelledError
        yield copy


def _chunks_of(stream: IO[bytes], stopped: Stopped) -> tuple[set[int], str | None]:
    """The chunks that were never used (zeros: Windows grows a log ahead), and what is missing."""
    stream.seek(0)
    header = stream.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return set(), None  # the parser says it better
    (told,) = struct.unpack_from("<H", header, 42)
    unused: set[int] = set()
    number = 0
    while chunk := stream.read(_CHUNK_BYTES):
        if len(chunk) < _CHUNK_BYTES:
            return unused, _TORN
        if not chunk.strip(b"\0"):
            unused.add(number)
        number += 1
        if stopped():
            raise CancelledError
    if number < told:
        return unused, f"the file ends after {number} of {told} chunks: their records are lost"
    return unused, None
