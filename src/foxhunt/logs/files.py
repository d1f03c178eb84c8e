"""From arguments to files: paths, globs and folders, and what a file starts with."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from foxhunt.errors import HuntError, LogError, SourceSpan, UsageError
from foxhunt.logs.model import LogFailure, LogFile
from foxhunt.logs.streams import chunks

HEAD_BYTES = 64 * 1024
# Device and inode: one file, whatever names lead to it.
FileId = tuple[int, int]
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def find_files(argument: str) -> list[tuple[Path, str]]:
    """The files that an argument means, each with the name reports use, in sorted order.

    A folder means everything below it, also one that a glob matches; files and folders whose
    name starts with a dot are left out, and so are links to folders, which may lead back.
    A folder that cannot be listed stands for itself: `open_files` reports it.

    Raises:
        UsageError: There is none.
    """
    if not argument:
        # A shell variable that is not set; as a path it would be the folder one is in.
        raise UsageError("an empty path", hint="a file, a glob or a folder")
    path = Path(argument)
    if path.is_dir():
        inside = [(below, str(below)) for below in _below(path)]
        if not inside:
            raise UsageError(f"no file in the folder {argument}")
        return inside
    if path.exists():
        return [(path, argument)]
    if not glob.has_magic(argument):
        raise UsageError(f"no such file or folder: {argument}")
    matches = [file for match in _matches(argument) for file in _below(match)]
    if not matches:
        raise UsageError(f"no file matches {argument}")
    return [(file, str(file)) for file in dict.fromkeys(matches)]


def _matches(pattern: str) -> list[Path]:
    """What a glob matches; a name with a leading dot only where the pattern has one too."""
    # glob.glob would follow links to folders in "**", and two that lead back never end.
    start = Path(Path(pattern).anchor)
    told = [part for part in Path(pattern).parts if part.startswith(".")]
    relative = str(Path(pattern).relative_to(start))
    try:
        found = sorted(start.glob(relative))
    except ValueError as error:
        raise UsageError(f"not a pattern: {pattern} ({error})") from None
    return [
        path
        for path in found
        if all(
            any(fnmatch(part, one) for one in told) for part in path.parts if part.startswith(".")
        )
    ]


def _below(start: Path) -> Iterator[Path]:
    """The files below a folder, or the one that ``start`` is; sorted, folder by folder."""
    if not start.is_dir():
        yield start
        return
    failed: list[str] = []
    for parent, folders, names in os.walk(
        start, onerror=lambda error: failed.append(error.filename)
    ):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))
    yield from map(Path, failed)


def open_files(
    arguments: Sequence[str], known: Set[FileId] = frozenset()
) -> tuple[list[LogFile], list[LogFailure], set[FileId]]:
    """Look at the start of every file that the arguments mean, each file once.

    Args:
        arguments: Paths, globs and folders.
        known: Files to leave out.

    Returns:
        The files, those that cannot be read, and which they all are.

    Raises:
        UsageError: An argument that means no file.
    """
    files: list[LogFile] = []
    failures: list[LogFailure] = []
    seen: set[FileId] = set()
    for path, reached in (found for argument in arguments for found in find_files(argument)):
        # Bytes that are no text can neither be printed nor stand in a report.
        name = os.fsencode(reached).decode("utf-8", "backslashreplace")
        try:
            status = path.stat()
            own = (status.st_dev, status.st_ino)
            if own in seen or own in known:
                continue
            seen.add(own)
            files.append(look_at(path, name))
        except HuntError as error:
            failures.append(LogFailure(name, error))
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            failures.append(LogFailure(name, LogError(message, at=SourceSpan(name))))
    return files, failures, seen


def look_at(path: Path, name: str) -> LogFile:
    """Read the start of a file.

    Raises:
        LogError: It is empty, no regular file, has a name that is no text, or its compression
            is broken from the start.
        OSError: It cannot be read.
    """
    at = SourceSpan(name)
    if path.is_dir():
        raise LogError("the folder cannot be listed", at=at)
    if not path.is_file():
        raise LogError("not a regular file", at=at)
    if any("\ud800" <= char <= "\udfff" for char in str(path)):
        # DuckDB takes paths as UTF-8 only, and would end the whole hunt.
        raise LogError("its name is not valid UTF-8", at=at, hint="rename it")
    status = path.stat()
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        raise LogError("the file is empty", at=at)
    kinds = (kind for magic, kind in _MAGIC.items() if start.startswith(magic))
    file = LogFile(
        path,
        name,
        next(kinds, "none"),
        b"",
        inode=status.st_ino,
        size_bytes=status.st_size,
    )
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


def is_replaced(file: LogFile) -> bool:
    """Whether the file was cut, removed or replaced since it was opened.

    One that only grew is not: logs are hunted while they are written, and what is appended
    moves no record.
    """
    if file.inode is None:
        return False
    try:
        status = file.path.stat()
    except OSError:
        return True
    return status.st_ino != file.inode or status.st_size < file.size_bytes


# Inode, size in bytes, time of the last change in nanoseconds.
Stamp = tuple[int, int, int]


def stamp_of(file: LogFile) -> Stamp | None:
    """What tells whether a file was written to, None when it is gone."""
    try:
        status = file.path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_torn(file: LogFile) -> bool:
    """Whether a compressed stream ends before its end mark.

    DuckDB ends such a file without a word, so it has to be known before. It costs one
    decompression, which is a fraction of the parsing that follows.
    """
    return file.compression != "none" and any(chunk is None for chunk in chunks(file))
