"""Parsers as judges: Microsoft's own, when its package is installed, else duckdb-kql's.

The first binds names as well. `make kusto` installs it here; elsewhere FOXHUNT_KUSTO names
the folder of the npm package ``@kusto/language-service-next``, and mini-racer is needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb_kql

from foxhunt.errors import EngineError
from foxhunt.lint.checks import Remark
from foxhunt.lint.columns import lacking_columns
from foxhunt.lint.known_tables import RETIRED, known_tables
from foxhunt.lint.model import Level, Query
from foxhunt.lint.outline import outline, parts
from foxhunt.lint.statements import deepest, sources

if TYPE_CHECKING:
    from foxhunt.lint.kusto import Judgement, Kusto

_PACKAGE = Path(".tools/node_modules/@kusto/language-service-next")
_MOST_DIAGNOSTICS = 5
# duckdb-kql's parser needs some 0.01 s a thousand characters. Both recurse, and 20,000 brackets
# kept Microsoft's busy for a minute.
_MOST_CHARACTERS = 1_000_000
_MOST_BRACKETS = 250
_TOO_DEEP = "brackets within brackets, deeper than the parser goes"
# What is remembered of outlines is some megabytes.
_MOST_REMEMBERED = 2_000
_MOST_OUTLINE = 12_000
# Microsoft's code for that.
_DEPTH = "KS245"
# Of names that the parser cannot know: a workspace has tables and functions of its own.
_UNKNOWN_NAMES = {"KS204", "KS211", "KS207"}


def microsoft() -> Kusto | None:
    """Microsoft's parser over the known tables, or None if it is not installed."""
    return _loaded(Path(os.environ.get("FOXHUNT_KUSTO") or _PACKAGE))


@cache
def _loaded(package: Path) -> Kusto | None:
    if not package.is_dir():
        return None
    try:
        from foxhunt.lint.kusto import Kusto
    except ImportError:
        return None
    return Kusto(known_tables(), package)


def judges() -> tuple[str, ...]:
    """Names of the parsers that judge here."""
    return ("duckdb-kql", "Microsoft's") if microsoft() else ("duckdb-kql",)


def judged(query: Query) -> Judgement | EngineError | None:
    """What Microsoft's parser says of a query, why it says nothing, or None without it."""
    judge = microsoft()
    if judge is None:
        return None
    short = outline(query.text, query.comments_and_tokens)
    if short != query.text and len(short) <= _MOST_OUTLINE:
        found = _judged_outline(judge, short)
        if not isinstance(found, EngineError) and not found.errors:
            return found
    return _judged(judge, query.text)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _judged_outline(judge: Kusto, short: str) -> Judgement | EngineError:
    return _judged(judge, short)


@lru_cache(maxsize=16)
def _judged(judge: Kusto, text: str) -> Judgement | EngineError:
    try:
        return judge.judge(text)
    except EngineError as error:
        return error


def syntax(query: Query) -> Iterator[Remark]:
    """Yield what the parsers say of a query."""
    if not query.tokens:
        yield Remark("L101", Level.ERROR, 0, "the query is empty", "write one, or delete it")
        return
    if len(query.text) > _MOST_CHARACTERS:
        yield _not_read(query, f"{len(query.text):,} characters: longer than the parsers are given")
        return
    if deepest(query.tokens) > _MOST_BRACKETS:
        yield _not_read(query, _TOO_DEEP)
        return
    found = judged(query)
    if found is None:
        yield from _offline(query)
    elif isinstance(found, EngineError):
        yield _not_read(query, found.message)
    else:
        yield from _diagnosed(query, found)


def _diagnosed(query: Query, found: Judgement) -> Iterator[Remark]:
    for error in found.errors:
        if error.code == _DEPTH:
            yield _not_read(query, _TOO_DEEP)
            continue
        unknown = error.code in _UNKNOWN_NAMES
        offset = _offset(query.text, error.line, error.column, is_utf16=True)
        if unknown and query.text.startswith(RETIRED, offset):
            continue  # it is known too well: L110
        yield Remark(
            code="L103" if unknown else "L102",
            level=Level.NOT_JUDGED if unknown else Level.ERROR,
            offset=offset,
            message=f"{error.code}: {error.message}",
            fix="a table or function of your workspace?" if unknown else "see the Kusto docs",
        )


def _is_syntax(query: Query) -> bool:
    """Whether duckdb-kql's parser takes all parts of a query, which is then right as a whole."""
    short = outline(query.text, query.comments_and_tokens)
    return len(short) <= _MOST_OUTLINE and _parses_all(short)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _parses_all(short: str) -> bool:
    return all(map(_parses, parts(short)))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _parses(part: str) -> bool:
    """Whether duckdb-kql's parser takes a part of a query."""
    try:
        duckdb_kql.parse(part)
    except (duckdb_kql.KqlError, RecursionError):
        return False
    return True


def _offline(query: Query) -> Iterator[Remark]:
    try:
        if not _is_syntax(query):
            duckdb_kql.parse(query.text)
    except duckdb_kql.KqlSyntaxError as error:
        for diagnostic in error.diagnostics[:_MOST_DIAGNOSTICS]:
            offset = _offset(query.text, diagnostic.span.line, diagnostic.span.column + 1)
            yield Remark(
                code="L101",
                level=Level.ERROR,
                offset=offset,
                message=f"not KQL: {diagnostic.message.partition(' expecting ')[0][:200]}",
                fix="see the Kusto docs",
            )
    except duckdb_kql.KqlError as error:
        yield _not_read(query, f"duckdb-kql does not read it: {str(error)[:200]}")
    except RecursionError:
        yield _not_read(query, _TOO_DEEP)
    yield from _tables(query)


def _not_read(query: Query, message: str) -> Remark:
    return Remark(
        code="L104",
        level=Level.NOT_JUDGED,
        offset=query.tokens[0].offset if query.tokens else 0,
        message=message,
        fix="its syntax was not judged: ask the service's own editor",
    )


def _tables(query: Query) -> Iterator[Remark]:
    """Where Microsoft's parser is missing: tables by name, columns as far as the pipe tells."""
    known = known_tables()
    for token in sources(query.tokens):
        if token.text not in known and token.text != RETIRED:
            yield Remark(
                code="L103",
                level=Level.NOT_JUDGED,
                offset=token.offset,
                message=f"{token.text[:80]} is no table that is known here; its columns were not "
                "judged",
                fix="a table or function of your workspace?",
            )
    for token, table in lacking_columns(query.tokens):
        near = _other_case(token.text, known[table])
        yield Remark(
            code="L105",
            level=Level.ERROR,
            offset=token.offset,
            message=f"{table} has no column {token.text[:80]}",
            fix=f"the case counts: {near}" if near else "see the columns of the table",
        )


def _other_case(name: str, columns: Mapping[str, str]) -> str | None:
    return next((one for one in columns if one.casefold() == name.casefold()), None)


def _offset(text: str, line: int, column: int, *, is_utf16: bool = False) -> int:
    """The offset of a line and column, both from 1; of UTF-16 units where Microsoft counts."""
    lines = text.split("\n")
    before = lines[line - 1] if line <= len(lines) else ""
    if is_utf16:
        units = before.encode("utf-16-le", "surrogatepass")[: 2 * (column - 1)]
        column = len(units.decode("utf-16-le", "ignore")) + 1
    return sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
