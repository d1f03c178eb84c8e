"""Exclusions inside an emitted query: a block that names, for each row, the one that covers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from foxhunt.backends import Emission, TimeBound
from foxhunt.backends.kql_conditions import Expression, Row, all_of, host_of, truth
from foxhunt.backends.kql_scope import Scoped, split_by_scope
from foxhunt.backends.kql_text import comment, string_literal, timespan
from foxhunt.backends.kql_witnesses import Witnesses
from foxhunt.exclusions import CORRELATED, Exclusion, can_hold
from foxhunt.rules import Observes, Rule
from foxhunt.tables import Fact, Table


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
            rows nor witnesses can answer for are left out with a comment that says so.
        emission: How the query bounds its time.
        has_indicator: Whether rows say which indicator they met (`Row`).
        time: The column of the event's time.

    Raises:
        UnsupportedError: A text cannot be said in KQL.
    """
    if not exclusions:
        return NOTHING_EXCLUDED
    row = Row(table=table, observable=part.observable, time=time, has_indicator=has_indicator)
    witnesses = Witnesses(row, _witness_bound(emission))
    told = row.told() | (CORRELATED if host_of(row) else frozenset())
    comments: list[str] = []
    cases: list[str] = []
    for one, scoped in _applying(exclusions, rule, part, table):
        unanswered = _unanswered(one, scoped, row, told)
        comments += map(comment, _comments(one, scoped, unanswered))
        if not unanswered:
            cases.append(_case(one, scoped, row, witnesses))
    if not cases:
        return Excluding((), (), tuple(comments))
    return Excluding(
        tuple(f"| extend {name} = {expression}" for name, expression in row.made.items()),
        tuple(witnesses.lets()),
        (*comments, *_marking(witnesses, cases)),
    )


def _applying(
    exclusions: Sequence[Exclusion], rule: Rule, part: Observes, table: Table
) -> Iterator[tuple[Exclusion, Scoped]]:
    """Those whose scope has the table and some of the indicators, and which of these it has."""
    # Made once a scope: a thousand exclusions have few.
    scopes = {scope: split_by_scope(rule, part, scope) for scope in {e.scope for e in exclusions}}
    for one in exclusions:
        scoped = scopes[one.scope]
        if scoped.inside and one.scope.has_table(table.name):
            yield one, scoped


def _unanswered(exclusion: Exclusion, scoped: Scoped, row: Row, told: frozenset[Fact]) -> str:
    """Why rows cannot tell whether an exclusion covers them; empty when they can."""
    if not can_hold(exclusion.when, told):
        return f"{row.table.name} tells no {', '.join(sorted(exclusion.facts - told))}"
    if scoped.outside and not row.has_indicator:
        return "rows do not say which indicator they met, and its scope has some of them"
    return ""


def _comments(one: Exclusion, scoped: Scoped, unanswered: str) -> Iterator[str]:
    if unanswered:
        yield f"Exclusion {one.id} is left out: {unanswered}"
        return
    yield f"Exclusion {one.id} ({one.scenario}; {one.owner}; until {one.expires}): {one.reason}"
    if names := scoped.undecided():
        yield f"Exclusion {one.id} leaves open what several families called {names} share"


def _case(one: Exclusion, scoped: Scoped, row: Row, witnesses: Witnesses) -> str:
    """When it applies, and its id, as ``case`` takes them."""
    until = Expression(f"now() < datetime({one.expires})")
    condition = truth(one.when, row, witnesses.of(one.within)).true
    return f"{all_of([until, *scoped.conditions(), condition]).text}, {string_literal(one.id)}"


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
