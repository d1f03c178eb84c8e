"""Why a log could not be read to its end, in one line for a person."""

from __future__ import annotations

import duckdb

from foxhunt.errors import LogError, SourceSpan

MEMORY = "it needs more memory than the process may take"


class IrregularError(Exception):
    """A text file that a fast way cannot tell the records of: it has to be read whole."""


def fault_of(error: duckdb.Error | LogError | MemoryError) -> str:
    """What went wrong: DuckDB's first line, cut to 300 characters, or our own message."""
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return MEMORY
    if isinstance(error, LogError):
        return error.message
    return str(error).strip().splitlines()[0][:300]


def changed(name: str) -> LogError:
    """Of a file that is no longer what was read of it: what it held then is not known whole."""
    return LogError("it changed while it was read", at=SourceSpan(name))
