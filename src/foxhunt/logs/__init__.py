"""Logs: how a file becomes rows of a table."""

from foxhunt.logs.excerpts import check_unchanged, keep_rows
from foxhunt.logs.faults import changed, fault_of
from foxhunt.logs.files import Stamp, stamp_of
from foxhunt.logs.model import LoadReport, LogFailure, LogFile, LogPart, Logs
from foxhunt.logs.opening import LogReader, open_logs
from foxhunt.logs.registry import format_names
from foxhunt.logs.staging import Sift
from foxhunt.logs.views import DUCKDB_TYPES, connect, load_report

__all__ = [
    "DUCKDB_TYPES",
    "LoadReport",
    "LogFailure",
    "LogFile",
    "LogPart",
    "LogReader",
    "Logs",
    "Sift",
    "Stamp",
    "changed",
    "check_unchanged",
    "connect",
    "fault_of",
    "format_names",
    "keep_rows",
    "load_report",
    "open_logs",
    "stamp_of",
]
