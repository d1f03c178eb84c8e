"""Log files into typed views: each one recognised, read, and a failure of one kept to itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from foxhunt.errors import HuntError, LogError, SourceSpan, UsageError
from foxhunt.logs.files import FileId, open_files
from foxhunt.logs.model import LogFailure, LogFile, LogPart, Logs
from foxhunt.logs.registry import format_names, get_format, recognise
from foxhunt.logs.views import typed_view
from foxhunt.tables import get_table

_UNPACK = "unpack it first"
_CAPTURE = "let Zeek or Suricata make logs of it first"
# What people take for a log, by its first bytes.
_NO_LOGS = {
    b"PK\x03\x04": ("a zip archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"\xfd7zXZ\x00": ("compressed with xz", _UNPACK),
    b"BZh": ("compressed with bzip2", _UNPACK),
    b"\xd4\xc3\xb2\xa1": ("a packet capture", _CAPTURE),
    b"\xa1\xb2\xc3\xd4": ("a packet capture", _CAPTURE),
    b"\x4d\x3c\xb2\xa1": ("a packet capture", _CAPTURE),
    b"\x0a\x0d\x0d\x0a": ("a packet capture", _CAPTURE),
    b"\xff\xfe": ("text in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("text in UTF-16", "save it as UTF-8"),
}


def open_logs(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str],
    forced: Sequence[tuple[str, str]] = (),
) -> Logs:
    """Open what ``paths`` and ``forced`` name; nothing that fails stops the rest.

    Args:
        con: A connection of `foxhunt.logs.connect`; gets a view a part.
        paths: Files, globs and folders; each file once.
        forced: Table name and path of files that are read as that table, whatever they
            look like; a file named here is not read a second time by ``paths``.

    Raises:
        UsageError: A path that means no file, or no path at all.
        TableError: An unknown table in ``forced``.
    """
    if not paths and not forced:
        raise UsageError("no logs are named", hint="a file, a glob or a folder")
    wanted: list[tuple[LogFile, str | None]] = []
    failures: list[LogFailure] = []
    told: set[FileId] = set()
    for table, path in forced:
        name = get_table(table).name
        files, failed, ids = open_files([path])
        wanted += [(file, name) for file in files]
        failures += failed
        told |= ids
    files, failed, _ = open_files(paths, told)
    wanted += [(file, None) for file in files]
    failures += failed
    looked_at = len(wanted) + len(failures)
    parts: list[LogPart] = []
    for file, table_name in wanted:
        try:
            # Parts that came before a failure stay: the failure is of the rest of the file.
            for part in _parts(con, file, table_name):
                parts.append(part)
        except HuntError as error:
            failures.append(LogFailure(file.name, error))
    return Logs(tuple(parts), tuple(failures), looked_at)


def _parts(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[LogPart]:
    """Yield the parts of one file.

    Raises:
        HuntError: It, or what follows the parts so far, is of no known format, or cannot be read.
    """
    name = recognise(file)
    if name is None and table is not None:
        # Told what it is, a file of values without a telling header is CSV or nothing.
        name = "export_csv"
    if name is None:
        raise _unknown(file)
    try:
        for raw in get_format(name).read(con, file, table):
            yield typed_view(con, raw, file, name)
    except duckdb.Error as error:
        message = str(error).strip().splitlines()[0][:300]
        raise LogError(
            f"read as {name}, it breaks: {message}",
            at=SourceSpan(file.name),
            hint="is the file whole, and not changing?",
        ) from error
    except OSError as error:
        raise LogError(
            f"cannot be read: {error.strerror or error}", at=SourceSpan(file.name)
        ) from error


def _unknown(file: LogFile) -> LogError:
    """What to say about a file that no format recognises."""
    at = SourceSpan(file.name)
    for magic, (what, hint) in _NO_LOGS.items():
        if file.head.startswith(magic):
            return LogError(f"it is {what}, not a log as it stands", at=at, hint=hint)
    if b"\0" in file.head:
        return LogError("it is a binary file of no known format", at=at)
    return LogError(
        "no format recognises it",
        at=at,
        hint=f"known: {', '.join(format_names())}; --table NAME=PATH says which table it is",
    )
