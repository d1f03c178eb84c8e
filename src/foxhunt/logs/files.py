"""From arguments to files: paths, globs and folders, and what a file starts with."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from foxhunt.errors import HuntError, LogError, SourceSpan, UsageError
from foxhunt.logs.model import LogFailure, LogFile
from foxhunt.logs.streams import chunks

HEAD_BYTES = 64 * 1024
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def find_files(argument: str) -> list[tuple[Path, str]]:
    """The files that an argument means, each with the name reports use, in sorted order.

    A folder means everything below it; files and folders whose name starts with a dot are
    left out, and so are links to folders, which may lead back.

    Raises:
        UsageError: There is none.
    """
    path = Path(argument)
    if path.is_dir():
        inside = [(below, str(below)) for below in _below(path)]
        if not inside:
            raise UsageError(f"no file in the folder {argument}")
        return inside
    if path.exists():
        return [(path, argument)]
    is_pattern = glob.has_magic(argument)
    # Path.glob takes no absolute pattern.
    found = glob.glob(argument, recursive=True) if is_pattern else []  # noqa: PTH207  # as said
    matches = sorted(found)
    files = [(Path(one), one) for one in matches if not Path(one).is_dir()]
    if files:
        return files
    if matches:
        return [file for one in matches for file in find_files(one)]
    what = "no file matches" if is_pattern else "no such file or folder:"
    raise UsageError(f"{what} {argument}")


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def open_files(arguments: Sequence[str]) -> tuple[list[LogFile], list[LogFailure]]:
    """Look at the start of every file that the arguments mean, each file once.

    Raises:
        UsageError: An argument that means no file.
    """
    files: list[LogFile] = []
    failures: list[LogFailure] = []
    seen: set[tuple[int, int]] = set()
    for path, name in (found for argument in arguments for found in find_files(argument)):
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            files.append(look_at(path, name))
        except HuntError as error:
            failures.append(LogFailure(name, error))
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            failures.append(LogFailure(name, LogError(message, at=SourceSpan(name))))
    return files, failures


def look_at(path: Path, name: str) -> LogFile:
    """Read the start of a file.

    Raises:
        LogError: It is empty, no regular file, or its compression is broken from the start.
        OSError: It cannot be read.
    """
    at = SourceSpan(name)
    if not path.is_file():
        raise LogError("not a regular file", at=at)
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        raise LogError("the file is empty", at=at)
    kinds = (kind for magic, kind in _MAGIC.items() if start.startswith(magic))
    file = LogFile(path, name, next(kinds, "none"), b"")
    head, torn = b"", False
    for chunk in chunks(file):
        torn = chunk is None
        head += chunk or b""
        if torn or len(head) >= HEAD_BYTES:
            break
    if not head:
        what = "compressed, and broken from its start" if torn else "compressed, and empty inside"
        raise LogError(f"the file is {what}", at=at)
    return replace(file, head=head[:HEAD_BYTES], torn=torn or _is_torn(file))


def _is_torn(file: LogFile) -> bool:
    """Whether a compressed stream ends before its end mark.

    DuckDB ends such a file without a word, so it has to be known before. It costs one
    decompression, which is a fraction of the parsing that follows.
    """
    return file.compression != "none" and any(chunk is None for chunk in chunks(file))
