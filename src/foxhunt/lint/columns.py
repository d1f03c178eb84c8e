"""Which columns a query reads and returns, as far as its pipe tells without a binder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from foxhunt.lint.known_tables import known_tables
from foxhunt.lint.statements import Statement, split, statements
from foxhunt.lint.tokens import Kind, Token

# Operators that let columns be as they are.
_FILTERS = {"where", "filter", "order", "sort", "take", "limit", "top"}
# What stands in an expression and is no column (Kusto docs, "Scalar operators" and "Scalar data
# types", 2025-08).
_WORDS = {
    *("and", "or", "not", "by", "asc", "desc", "nulls", "first", "last", "true", "false", "null"),
    *("between", "!between", "matches", "regex", "of", "in", "in~", "!in", "!in~", "has", "!has"),
    *("has_cs", "!has_cs", "has_all", "has_any", "hasprefix", "!hasprefix", "hasprefix_cs"),
    *("!hasprefix_cs", "hassuffix", "!hassuffix", "hassuffix_cs", "!hassuffix_cs", "contains"),
    *("!contains", "contains_cs", "!contains_cs", "startswith", "!startswith", "startswith_cs"),
    *("!startswith_cs", "endswith", "!endswith", "endswith_cs", "!endswith_cs", "typeof", "like"),
    *("notlike", "contains_all", "string", "long", "int", "real", "bool", "datetime", "timespan"),
    *("dynamic", "guid", "decimal", "where", "filter", "extend", "order", "sort", "top", "take"),
    *("limit", "project", "bool", "double", "date", "time"),
}


def lacking_columns(found: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """Yield each column that a known table lacks, and the table, while columns are the table's.

    After an operator that makes columns of its own nothing is said: nothing is guessed.
    """
    parts = tuple(statements(found))
    named = {part.name for part in parts if part.name}
    for part in parts:
        table = _table(part)
        if table is None or table in named:
            continue
        have = {*known_tables()[table], *named}
        for stage in part.stages[1:]:
            operator = str(stage[0]) if stage else ""
            if operator not in (*_FILTERS, "extend", "project") or not _is_flat(stage):
                break
            for token in _read(stage):
                if token.text not in have and not token.text.startswith(("_", "$")):
                    yield token, table
            made = list(_made(stage))
            if operator == "project" or not all(made):
                break
            have |= {name for name in made if name}


def returned_columns(found: Sequence[Token]) -> frozenset[str] | None:
    """Names of the columns of a query's result, or None where its pipe does not tell."""
    parts = tuple(statements(found))
    if not parts or parts[-1].name:
        return None
    last = parts[-1]
    table = _table(last)
    have = set(known_tables()[table]) if table else None
    for stage in last.stages[1:]:
        operator = str(stage[0]) if stage else ""
        if operator == "project":
            made = list(_made(stage))
            have = {name for name in made if name} if all(made) else None
        elif operator == "extend":
            made = list(_made(stage))
            is_known = have is not None and all(made)
            have = {*(have or ()), *(name for name in made if name)} if is_known else None
        elif operator not in _FILTERS:
            have = None
    return frozenset(have) if have is not None else None


def _table(part: Statement) -> str | None:
    """The known table that a statement's pipe begins with."""
    first = part.stages[0]
    is_one = len(first) == 1 and first[0].kind is Kind.NAME
    return first[0].text if is_one and first[0].text in known_tables() else None


def _is_flat(stage: Sequence[Token]) -> bool:
    """Whether no query of its own, with columns of its own, stands in a stage."""
    return not any(token.is_sign("|", "{", "[") for token in stage)


def _read(stage: Sequence[Token]) -> Iterator[Token]:
    """Names in a stage that can only be columns."""
    for place, token in enumerate(stage):
        if place == 0 or token.kind is not Kind.NAME or str(token) in _WORDS:
            continue
        after = stage[place + 1] if place + 1 < len(stage) else None
        is_called = after is not None and after.is_sign("(")
        is_made = after is not None and after.is_sign("=")
        if not is_called and not is_made and not stage[place - 1].is_sign(".", "$"):
            yield token


def _made(stage: Sequence[Token]) -> Iterator[str | None]:
    """Names of the columns that ``extend`` or ``project`` makes; None for one it names itself."""
    if str(stage[0]) not in ("extend", "project"):
        return
    for part in split(stage[1:], ","):
        is_named = len(part) > 1 and part[0].kind is Kind.NAME and part[1].is_sign("=")
        is_column = len(part) == 1 and part[0].kind is Kind.NAME
        yield part[0].text if is_named or is_column else None
