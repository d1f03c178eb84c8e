"""Bytes on their way to a file: beside it until they are whole, then in its place."""

from __future__ import annotations

import os
import secrets
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from foxhunt.errors import AnswerError, NetworkError, StoreError

_PART = ".part"
# No transfer lasts that long: what is older was left by a process that was killed.
_STALE_SECONDS = 24 * 60 * 60
_PIECE = 1024 * 1024
_GZIP = ("gzip", "x-gzip")
_NOT_ASKED_FOR = ("br", "compress", "deflate", "zstd")
_GZIP_WBITS = 31  # the largest window, and a gzip header (zlib manual, inflateInit2)


@contextmanager
def landing(target: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``target`` when the block ends well.

    On an exception ``target`` stays as it was and nothing else is left behind.

    Raises:
        StoreError: The folder or the file cannot be written.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_PART}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(target)
        with part.open("xb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except BaseException as error:
        with suppress(OSError):  # it was not made, or its folder is none
            part.unlink()
        if isinstance(error, OSError):
            raise StoreError(f"cannot write {target}: {error.strerror or error}") from error
        raise


def _remove_stale(target: Path) -> None:
    before = time.time() - _STALE_SECONDS
    prefix = f".{target.name}."
    for path in target.parent.iterdir():
        is_part = path.name.startswith(prefix) and path.name.endswith(_PART)
        with suppress(FileNotFoundError):  # another process tidies up, or ends well
            if is_part and path.stat().st_mtime < before:
                path.unlink()


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Undo a body's ``Content-Encoding``, in pieces of 1 MiB at most.

    Args:
        chunks: The body as it was sent.
        encoding: The header's value, ``""`` if there was none.

    Raises:
        AnswerError: An encoding that was not asked for.
        NetworkError: The compressed body is damaged, or ends too early.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from chunks
    elif encoding in _GZIP:
        yield from _inflated(chunks)
    else:
        # Named only if it is a word of the standard's: a server may say anything here.
        named = encoding if encoding in _NOT_ASKED_FOR else "something unknown"
        raise AnswerError(f"the answer is encoded as {named}, which was not asked for")


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # httpx inflates too, but takes a stream that was cut off for one that ended.
    inflater, is_begun = zlib.decompressobj(wbits=_GZIP_WBITS), False
    for chunk in chunks:
        data = chunk
        while data:
            if inflater.eof:  # gzip files may follow each other
                inflater = zlib.decompressobj(wbits=_GZIP_WBITS)
            is_begun = True
            try:
                # No more than a piece at once: 64 KiB of zeros take 64 MiB.
                yield inflater.decompress(data, _PIECE)
            except zlib.error as error:
                raise NetworkError(f"the compressed answer is damaged: {error}") from None
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    while is_begun and not inflater.eof:
        rest = inflater.decompress(b"", _PIECE)
        if not rest:
            raise NetworkError("the compressed answer is cut off")
        yield rest
