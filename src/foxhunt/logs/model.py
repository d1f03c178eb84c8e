"""What the readers hand on: which rows of which table a file holds, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb

from foxhunt.errors import HuntError

if TYPE_CHECKING:
    from foxhunt.logs.staging import Stage


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read.

    Attributes:
        path: Where it is.
        name: As the user reached it (argument, or folder plus the path below it); what
            reports print.
        compression: ``"gzip"``, ``"zstd"`` or ``"none"``, by content.
        head: The first 64 KiB of its decompressed bytes; fewer if the file is shorter.
        torn: The compressed stream ends before its end mark, and so nothing faster than
            reading it in order can be used.
        inode: Which file it was when opened, or None when nobody asked.
        size_bytes: How long it was then.
    """

    path: Path
    name: str
    compression: str
    head: bytes
    torn: bool = False
    inode: int | None = None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class LogLines:
    """How lines that are cut out of a file are read; see `foxhunt.logs.excerpts`.

    Attributes:
        header: How many lines come before the first record.
        select: From a file of the header and some lines, not compressed, to the same SELECT over
            it as over the file that they are of.
        trailer: How many lines at the end of the file are no records.
    """

    header: int
    select: Callable[[LogFile], str]
    trailer: int = 0


@dataclass(frozen=True, slots=True)
class Clean:
    """Records that nothing is wrong with and that meet nothing: they were only counted.

    Attributes:
        rows: How many.
        first: The text of the earliest time, or None without rows.
        last: Of the latest.
    """

    rows: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPart:
    """What a format says about one table in one file, before types are applied.

    Attributes:
        table: A table of the catalog.
        select: A SELECT over the connection the format was given. Its columns are
            ``_row`` (BIGINT, number of the record in its file, from 1, a header not
            counted, unreadable records counted), optionally ``_broken`` (VARCHAR: why the
            record cannot be read, NULL when it can), and ``columns``, as text or typed.
        columns: Columns of the table, or of ``EXTRA_COLUMNS``, that the file fills.
        columnar: Whether reading one column costs only that column (Parquet).
        parquet: Of Parquet the name in the file of each column; ``select`` then has ``_place`` too
            (the record's number from 0, by which a scan skips what is not asked for).
        staged: The same rows from the copy of a `foxhunt.logs.staging.Stage`, with the columns
            that it holds; None when there is no copy. With one, ``select`` has ``_broken``, and
            all columns are text.
        lines: How single lines are read, if the file's records may be told by lines.
        clean: The records that the copy leaves out; what it has of others it has whole. None when
            it has all records.
    """

    table: str
    select: str
    columns: tuple[str, ...]
    columnar: bool = False
    parquet: Mapping[str, str] | None = None
    staged: str | None = None
    lines: LogLines | None = None
    clean: Clean | None = None


class Format(Protocol):
    """What a module that reads one format provides; see `foxhunt.logs.registry`."""

    def recognises(self, file: LogFile) -> bool:
        """Whether ``file`` is of this format, by its content alone. Must not raise."""
        ...

    def read(
        self, con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None
    ) -> Iterable[RawPart]:
        """Describe the rows of ``file``, staging them in ``con`` where SQL cannot read them.

        Args:
            con: Where views and temporary tables go.
            file: The file.
            table: The table the user forced with ``--table``, or None to go by content.

        Returns:
            One part for each table that the format can show and the file may hold; rows
            that belong to no table are in none of them.

        Raises:
            LogError: The file cannot be read, or not as ``table``.
        """
        ...


class OnePass(Protocol):
    """What a module of a text format may provide beside `Format`: a regular file read once."""

    def read_once(
        self, con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None, stage: Stage
    ) -> tuple[RawPart, ...] | None:
        """Copy the records of a regular file; what it gives is what `Format.read` gives.

        Returns:
            The parts, each with ``staged``; None when the file is to be read by `Format.read`.

        Raises:
            duckdb.Error: So it is, since some record stops DuckDB.
            LogError: See `Format.read`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """The rows of one table in one file, typed, as a view of the connection.

    The view's columns: ``_row`` as in `RawPart`; ``_refused`` (VARCHAR, why the record is
    not hunted: unreadable, or its time is; NULL for a good row); ``_nulled`` (VARCHAR,
    columns whose value had the wrong type and reads as NULL, comma-separated, or NULL);
    then ``columns`` in DuckDB's types for their Kusto types (datetime is TIMESTAMP in UTC).

    Attributes:
        table: Its table.
        file: Its file.
        format: Name of the format in the registry.
        view: Name of the view.
        columns: The columns of the view beyond the three above.
        columnar: See `RawPart`.
        parquet: See `RawPart`; the view then has ``_place`` as well.
        staged: Name of a view of the same rows over their copy, with the columns that were asked
            for: what to read while the part is at hand. Gone when the next part is asked for;
            None when there is no copy.
        lines: See `RawPart`; its SELECT is that of the view.
        clean: See `RawPart`.
        told_by_footer: A query of how many rows, how many with a time, the earliest and the
            latest, which a columnar file answers from its footer; None where rows have to be
            read to know which can be.
    """

    table: str
    file: LogFile
    format: str
    view: str
    columns: tuple[str, ...]
    columnar: bool
    parquet: Mapping[str, str] | None = None
    staged: str | None = None
    lines: LogLines | None = None
    told_by_footer: str | None = None
    clean: Clean | None = None


@dataclass(frozen=True, slots=True)
class LogFailure:
    """A file, or the rest of a file, that was not read: it makes a hunt incomplete."""

    name: str
    error: HuntError


@dataclass(frozen=True, slots=True)
class Logs:
    """All that was opened.

    Attributes:
        parts: In the order of the files; a file with several tables has several.
        failures: What could not be recognised or read.
        files: How many files were looked at.
    """

    parts: tuple[LogPart, ...]
    failures: tuple[LogFailure, ...]
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What one part held.

    Attributes:
        table: Its table.
        file: Name of its file.
        format: Its format.
        rows: Readable rows.
        rows_refused: Records that are not hunted.
        refused_samples: Up to three of them: record number and reason.
        nulled: Column to the number of values of a wrong type, read as null.
        first_time: Earliest time of a readable row (aware, UTC), None without rows.
        last_time: Latest.
    """

    table: str
    file: str
    format: str
    rows: int
    rows_refused: int
    refused_samples: tuple[tuple[int, str], ...]
    nulled: dict[str, int]
    first_time: datetime | None
    last_time: datetime | None
