"""What an event tells beside its match, as SQL over a part's columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from foxhunt.exclusions import Exclusion
from foxhunt.sql import identifier
from foxhunt.tables import Fact, Observable, Table

# Neither is a column: one is the indicator's, the other the time's.
NO_COLUMN = (Fact.INDICATOR, Fact.HOURS)
# Whose machine it is (a DNS row's Computer is the server) each event says by itself.
_KEPT_ANYWAY = {Fact.HOST: "host"}


def fact_columns(exclusions: Iterable[Exclusion]) -> tuple[Fact, ...]:
    """The facts that have to be collected with each event beside what it says anyway, in order."""
    wanted = {fact for exclusion in exclusions for fact in exclusion.facts}
    return tuple(
        fact
        for fact in Fact
        if fact in wanted and fact not in NO_COLUMN and fact not in _KEPT_ANYWAY
    )


def column_of(fact: Fact) -> str:
    """The column of the events table that holds a fact."""
    return _KEPT_ANYWAY.get(fact, f"fact_{fact}")


def fact_sql(fact: Fact, table: Table, observable: Observable, columns: Collection[str]) -> str:
    """SQL: the values of a fact, joined by `bulk.SEPARATOR`, or NULL."""
    return values_sql([name for name in table.fact_columns(fact, observable) if name in columns])


def values_sql(columns: Collection[str]) -> str:
    """SQL: the values of ``columns`` joined by `bulk.SEPARATOR`; NULL when there is none."""
    if not columns:
        return "CAST(NULL AS VARCHAR)"
    # The separator is no text of a log: one who writes it there could forge a second value.
    values = [
        f"nullif(replace(CAST({identifier(name)} AS VARCHAR), chr(31), ' '), '')"
        for name in columns
    ]
    return values[0] if len(values) == 1 else f"nullif(concat_ws(chr(31), {', '.join(values)}), '')"


def told_facts(
    table: Table, observables: Iterable[Observable], columns: Collection[str]
) -> frozenset[Fact]:
    """The facts that rows with ``columns`` can tell."""
    told = {
        fact
        for observable in observables
        for fact in Fact
        if any(name in columns for name in table.fact_columns(fact, observable))
    }
    return frozenset(told | set(NO_COLUMN))
