"""Which tables the objects of a JSON export are of, and which members fill their columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.recognise import canonical_columns
from foxhunt.sql import identifier, literal
from foxhunt.tables import Fact, Table, catalog, get_table

PREFIX = "AdvancedHunting-"
# The column in which records name their table (Azure Monitor, standard columns, as of 2026-07).
TYPE = "Type"
KIND = f"coalesce({identifier(TYPE)}, '') AS _kind"


def is_streaming(objects: Sequence[Mapping[str, object]]) -> bool:
    # One is enough: a strange record among the first must not hide the rest.
    return any(
        isinstance(one.get("category"), str) and isinstance(one.get("properties"), dict)
        for one in objects
    )


def named_parts(
    select: str,
    tables: Sequence[Table],
    names: Sequence[str],
    *,
    is_told: bool,
    held: Callable[[str, Collection[str]], Sequence[str]] | None = None,
) -> Iterator[RawPart]:
    """A part a table: what names the table, and with the first what names none or is broken.

    ``held`` says which of a table's columns ``select`` has, if it has not all.
    """
    for position, table in enumerate(tables):
        columns = table_columns(table, names)
        if held is not None:
            columns = {name: columns[name] for name in held(table.name, columns)}
        values = ", ".join(f"{identifier(own)} AS {identifier(n)}" for n, own in columns.items())
        where = f" WHERE {is_of(table, is_first=position == 0)}" if is_told else ""
        yield RawPart(
            table=table.name,
            select=f"SELECT _row, _broken, {values} FROM ({select}){where}",
            columns=tuple(columns),
        )


def is_of(table: Table, *, is_first: bool) -> str:
    """SQL: whether a record is of a table; what names none, or is broken, is of the first."""
    condition = f"_kind = {literal(table.name)}"
    return f"{condition} OR _kind = '' OR _broken IS NOT NULL" if is_first else condition


def table_columns(table: Table, names: Sequence[str]) -> dict[str, str]:
    """Column to member; those that are hunted also if the first records lack them."""
    return {name: name for name in _hunted(table)} | dict(canonical_columns(table, names))


def table_members(tables: Sequence[Table], names: Sequence[str]) -> tuple[str, ...]:
    """The members that the columns of ``tables`` need, and the one that names the table."""
    needed = [own for table in tables for own in table_columns(table, names).values()]
    # SQL tells no "type" from "Type".
    return tuple(dict.fromkeys([TYPE, *(n for n in needed if n.casefold() != TYPE.casefold())]))


def told_table(objects: Sequence[Mapping[str, object]]) -> Table | None:
    """The first table of the catalog that a record names itself."""
    told = (one.get(TYPE) for one in objects)
    return next((get_table(one) for one in told if isinstance(one, str) and one in catalog()), None)


def other_tables(table: Table, names: Iterable[str]) -> list[Table]:
    return [get_table(name) for name in names if name in catalog() and name != table.name]


def _hunted(table: Table) -> list[str]:
    """Columns that matching, judging and excluding read, even if the first records lack them."""
    # Not those that only sensors tell: no product exports them.
    names: dict[str | None, None] = dict.fromkeys([table.time, table.other_time, *table.process])
    for one in table.observables:
        names |= dict.fromkeys([one.column, one.port, *one.host, *one.user])
        for fact in Fact:
            names |= dict.fromkeys(table.fact_columns(fact, one))
    if table.direction:
        names |= dict.fromkeys([table.direction.column, *(table.direction.sides or ())])
    if table.action:
        names |= dict.fromkeys([table.action.column, table.action.allowed_if])
    return [name for name in names if name in table.columns]


def streamed_parts(
    select: str, kinds: Iterable[str], file: LogFile, table: str | None
) -> Iterator[RawPart]:
    present = [name for name in catalog() if name in set(kinds) and table in (None, name)]
    if not present:
        other = ", ".join(sorted(kinds)[:8]) or "none"
        raise LogError(
            f"a Defender stream without a record of {table or 'a known table'}",
            at=SourceSpan(file.name),
            hint=f"its categories: {other}",
        )
    for position, name in enumerate(present):
        columns = tuple(get_table(name).columns)
        values = ", ".join(
            f"json_extract_string(properties, {literal('$.' + json.dumps(column))}) "
            f"AS {identifier(column)}"
            for column in columns
        )
        broken = " OR _broken IS NOT NULL" if position == 0 else ""
        yield RawPart(
            table=name,
            select=f"SELECT _row, _broken, {values} FROM ({select}) "
            f"WHERE _kind = {literal(name)}{broken}",
            columns=columns,
        )
