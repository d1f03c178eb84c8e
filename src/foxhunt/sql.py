"""Quoting for DuckDB's SQL: the one place where a name becomes SQL text.

Values never become text here or anywhere: they are bound (``?``) or joined from
an Arrow table. Only identifiers, and the file paths of views (DuckDB cannot
bind inside ``CREATE VIEW``), are quoted.
"""

from __future__ import annotations


def identifier(name: str) -> str:
    """Return ``name`` as a quoted SQL identifier.

    >>> identifier('TimeGenerated [UTC]')
    '"TimeGenerated [UTC]"'
    >>> identifier('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as a SQL string literal, for paths and field names in views.

    DuckDB reads no backslash escapes in a plain literal (DuckDB docs, literal types,
    2025-09), so the quote is the only character that can end one.

    >>> literal("it's")
    "'it''s'"
    """
    if "\0" in text:
        # A NUL ends the statement's text in the C API: what follows would be dropped silently.
        raise ValueError("a NUL cannot stand in SQL text")
    return "'" + text.replace("'", "''") + "'"
