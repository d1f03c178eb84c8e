"""Log tables: columns, types, and which column holds what."""

from foxhunt.tables.catalog import EXTRA_COLUMNS, catalog, get_table
from foxhunt.tables.model import Action, Direction, Fact, Observable, Remote, Shows, Table

__all__ = [
    "EXTRA_COLUMNS",
    "Action",
    "Direction",
    "Fact",
    "Observable",
    "Remote",
    "Shows",
    "Table",
    "catalog",
    "get_table",
]
