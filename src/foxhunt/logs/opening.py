"""Log files into typed views: each one recognised, read, and a failure of one kept to itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from foxhunt.errors import HuntError, LogError, SourceSpan, UsageError
from foxhunt.logs.files import open_files
from foxhunt.logs.model import LogFailure, LogFile, LogPart, Logs
from foxhunt.logs.registry import format_names, get_format, recognise
from foxhunt.logs.views import typed_view
from foxhunt.tables import get_table


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
    for table, path in forced:
        name = get_table(table).name
        files, failed = open_files([path])
        wanted += [(file, name) for file in files]
        failures += failed
    told = {file.path.resolve() for file, _ in wanted}
    files, failed = open_files(paths)
    wanted += [(file, None) for file in files if file.path.resolve() not in told]
    failures += failed
    parts: list[LogPart] = []
    for file, table_name in wanted:
        try:
            parts += _parts(con, file, table_name)
        except HuntError as error:
            failures.append(LogFailure(file.name, error))
    return Logs(tuple(parts), tuple(failures), len(wanted) + len(failures))


def _parts(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> list[LogPart]:
    """The parts of one file.

    Raises:
        HuntError: It is of no known format, or cannot be read.
    """
    name = recognise(file)
    if name is None and table is not None:
        # Told what it is, a file of values without a telling header is CSV or nothing.
        name = "export_csv"
    if name is None:
        raise LogError(
            "no format recognises it",
            at=SourceSpan(file.name),
            hint=f"known: {', '.join(format_names())}; --table NAME=PATH says which table it is",
        )
    try:
        return list(_typed(con, file, name, table))
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


def _typed(
    con: duckdb.DuckDBPyConnection, file: LogFile, name: str, table: str | None
) -> Iterator[LogPart]:
    for raw in get_format(name).read(con, file, table):
        yield typed_view(con, raw, file, name)
