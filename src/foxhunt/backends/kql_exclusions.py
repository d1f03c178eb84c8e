"""Exclusions inside an emitted query: a block that names, for each row, the one that covers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from foxhunt.backends import Emission, TimeBound
from foxhunt.backends.kql_conditions import FALSE, Expression, Row, all_of, host_of, truth
from foxhunt.backends.kql_text import comment, string_list, string_literal, timespan
from foxhunt.backends.kql_witnesses import Witnesses
from foxhunt.exclusions import CORRELATED, Exclusion, can_hold
from foxhunt.rules import Observes, Rule
from foxhunt.tables import Table


@dataclass(frozen=True, slots=True)
class Excluding:
    """What a query does with exclusions, after it has found its rows.

    Attributes:
        made: Steps that add the columns conditions look at.
        lets: Statements over ``events``, the rows so far; none when rows tell everything.
        marking: The rest: lines with the comments that say which, and the filter.
    """

    made: tuple[str, ...]
    lets: tuple[str, ...]
    marking: tuple[str, ...]

    def after(self, source: Sequence[str], body: Sequence[str]) -> list[str]:
        """A query's lines: statements, then its pipeline up to here.

        Args:
            source: Statements that end with a semicolon.
            body: The pipeline, a table first.
        """
        if not self.lets:
            return [*source, *body, *self.made, *self.marking]
        events = [f"let events = materialize({body[0]}", *body[1:], *self.made, ");"]
        return [*source, *events, *self.lets, "events", *self.marking]


NOTHING_EXCLUDED = Excluding((), (), ())


def exclude(
    rule: Rule,
    table: Table,
    part: Observes,
    exclusions: Sequence[Exclusion],
    emission: Emission,
    *,
    has_indicator: bool,
    time: str,
) -> Excluding:
    """Compile the exclusions for the rows of one query.

    Args:
        rule: Whose indicators.
        table: The query's table.
        part: The column it looks in, and for which types.
        exclusions: All; those of another scope are passed over, and those that neither the
            table nor witnesses can answer for are left out with a comment that says so.
        emission: How the query bounds its time.
        has_indicator: Whether rows have the columns ``Indicator`` and ``IndicatorType``.
        time: The column of the event's time.

    Raises:
        UnsupportedError: A text cannot be said in KQL.
    """
    row = Row(table, part.observable, has_indicator)
    witnesses = Witnesses(row, time, _witness_bound(emission))
    told = row.told() | (CORRELATED if host_of(row) else frozenset())
    comments: list[str] = []
    cases: list[str] = []
    for one in exclusions:
        scope = _scope(rule, part, one, row)
        if scope is None:
            continue
        if not can_hold(one.when, told):
            lacking = ", ".join(sorted(one.facts - told))
            comments.append(
                comment(f"Exclusion {one.id} is left out: {table.name} tells no {lacking}")
            )
            continue
        comments.append(comment(_description(one)))
        until = Expression(f"now() < datetime({one.expires})")
        holds = all_of([until, *scope, truth(one.when, row, witnesses.of(one.within)).true])
        cases.append(f"{holds.text}, {string_literal(one.id)}")
    if not cases:
        return Excluding((), (), tuple(comments))
    lets = tuple(witnesses.lets())
    return Excluding(
        tuple(f"| extend {name} = {expression}" for name, expression in row.made.items()),
        lets,
        (*comments, *_marking(witnesses, cases)),
    )


def _description(one: Exclusion) -> str:
    return f"Exclusion {one.id} ({one.scenario}; {one.owner}; until {one.expires}): {one.reason}"


def _marking(witnesses: Witnesses, cases: Sequence[str]) -> Iterator[str]:
    yield from (f"| {step}" for step in witnesses.joins())
    listed = "".join(f"    {one},\n" for one in cases)
    yield f'| extend SuppressedBy = case(\n{listed}    "")'
    yield '| where SuppressedBy == ""'


def _witness_bound(emission: Emission) -> Callable[[str, timedelta], str]:
    def bound(time: str, window: timedelta) -> str:
        match emission.bound:
            case TimeBound.AGO:
                return f"{time} > ago({timespan(emission.lookback + window)})"
            case TimeBound.PORTAL:
                span = timespan(window)
                return f"{time} between ((starttime - {span}) .. (endtime + {span}))"
            case TimeBound.RUNNER:
                return ""

    return bound


def _scope(rule: Rule, part: Observes, exclusion: Exclusion, row: Row) -> list[Expression] | None:
    """What narrows the query's rows down to the scope; None when none of them is in it."""
    scope = exclusion.scope
    if not scope.has_table(row.table.name):
        return None
    about = [one for one in rule.indicators if one.type in part.types]
    inside = [one for one in about if scope.has_indicator(one)]
    if not inside:
        return None
    if len(inside) == len(about):
        return []
    if not row.has_indicator:
        # The rows do not say which indicator they met: not all of them are in the scope.
        return [FALSE]
    types = {one.type for one in inside}
    if inside == [one for one in about if one.type in types]:
        return [Expression(f"IndicatorType in ({string_list(sorted(types))})")]
    # A value that another family has too stays: its rows do not say of which family they are.
    others = {one.value for one in about if not scope.has_indicator(one)}
    values = dict.fromkeys(one.value for one in inside if one.value not in others)
    return [Expression(f"Indicator in ({string_list(values)})") if values else FALSE]
