"""Log files into typed views: each one recognised, read, and a failure of one kept to itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import duckdb

from foxhunt.errors import HuntError, LogError, MemoryLimitError, SourceSpan, UsageError
from foxhunt.logs.ahead import Ahead, Prepared
from foxhunt.logs.faults import MEMORY, IrregularError, fault_of
from foxhunt.logs.files import FileId, open_files
from foxhunt.logs.model import LogFailure, LogFile, LogPart, Logs
from foxhunt.logs.registry import format_names, get_format, get_one_pass, preparing_of, recognise
from foxhunt.logs.staging import WORTH_SIFTING_BYTES, Needed, Stage
from foxhunt.logs.views import typed_view
from foxhunt.tables import get_table

Progress = Callable[[str, int, int], None]

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
    reader = LogReader(con, paths, forced)
    parts = tuple(reader)
    return Logs(parts, reader.failures, reader.files)


class LogReader:
    """Log files, opened one after the other while their parts are asked for, once.

    Attributes:
        files: How many files are looked at.
        done: How many of them have been read.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        paths: Sequence[str],
        forced: Sequence[tuple[str, str]] = (),
        needed: Needed | None = None,
        progress: Progress | None = None,
        *,
        sift_from: int = WORTH_SIFTING_BYTES,
    ) -> None:
        """Look at the start of every file.

        Args:
            con: See `open_logs`.
            paths: See `open_logs`.
            forced: See `open_logs`.
            needed: What is read of each table while a part is at hand: regular text files are
                then copied once, with only that; see `LogPart.staged`. None copies nothing.
            progress: Is told each file before it is read, how many are done, and of how many.
            sift_from: From how many bytes of text on, in all files, lines are sifted.

        Raises:
            UsageError: A path that means no file, or no path at all.
            TableError: An unknown table in ``forced``.
        """
        if not paths and not forced:
            raise UsageError("no logs are named", hint="a file, a glob or a folder")
        self._con, self._progress = con, progress
        self._stage = None if needed is None else Stage(con, needed, sift_from)
        self._wanted: list[tuple[LogFile, str | None]] = []
        self._failures: list[LogFailure] = []
        told: set[FileId] = set()
        for table, path in forced:
            name = get_table(table).name
            files, failed, ids = open_files([path])
            self._wanted += [(file, name) for file in files]
            self._failures += failed
            told |= ids
        files, failed, _ = open_files(paths, told)
        self._wanted += [(file, None) for file in files]
        self._failures += failed
        self.files = len(self._wanted) + len(self._failures)
        self.done = len(self._failures)

    @property
    def failures(self) -> tuple[LogFailure, ...]:
        """What could not be recognised or read so far."""
        return tuple(self._failures)

    def __iter__(self) -> Iterator[LogPart]:
        """Yield the parts in the order of the files."""
        ahead = Ahead(self._con, [file for file, _ in self._wanted], preparing_of)
        try:
            for position, (file, table) in enumerate(self._wanted):
                if self._progress is not None:
                    self._progress(file.name, self.done, self.files)
                try:
                    # Parts that came before a failure stay: the failure is of the rest of the file.
                    prepared = ahead.take(position)
                    yield from _parts(self._con, file, table, self._stage, prepared)
                except HuntError as error:
                    self._failures.append(LogFailure(file.name, error))
                self.done += 1
                if self._stage is not None:
                    self._stage.drop()
        finally:
            ahead.close()


def _parts(
    con: duckdb.DuckDBPyConnection,
    file: LogFile,
    table: str | None,
    stage: Stage | None,
    prepared: Prepared | None,
) -> Iterator[LogPart]:
    """Yield the parts of one file, which was ``prepared`` or is read now.

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
        parts = None if stage is None else _staged_parts(con, file, table, name, stage)
        if parts is None:
            raws = prepared(table) if prepared else get_format(name).read(con, file, table)
            parts = (typed_view(con, raw, file, name) for raw in raws)
        yield from parts
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise MemoryLimitError(
            f"read as {name}, {MEMORY}",
            at=SourceSpan(file.name),
            hint="raise the limit (`ulimit -v`, the container's), or hunt it alone",
        ) from error
    except duckdb.Error as error:
        raise LogError(
            f"read as {name}, it breaks: {fault_of(error)}",
            at=SourceSpan(file.name),
            hint="is the file whole, and not changing?",
        ) from error
    except OSError as error:
        raise LogError(
            f"cannot be read: {error.strerror or error}", at=SourceSpan(file.name)
        ) from error


def _staged_parts(
    con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, name: str, stage: Stage
) -> Iterable[LogPart] | None:
    """The parts of a file that is regular, over a copy of it; None when it has to be read."""
    one_pass = get_one_pass(name)
    if one_pass is None:
        return None
    try:
        raws = one_pass.read_once(con, file, table, stage)
        if raws is not None:
            return [typed_view(con, raw, file, name, stage) for raw in raws]
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, IrregularError):
        # Which record it was, and what of the file can be read, the exact reading finds.
        pass
    stage.drop()
    return None


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
