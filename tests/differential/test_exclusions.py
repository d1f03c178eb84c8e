"""Exclusions: plain evaluator = local engine = the rows that the emitted KQL leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.exclusions import ExclusionSet, holds
from foxhunt.indicators import IndicatorSet
from foxhunt.rules import MatchMode, build_rule, match
from foxhunt.tables import Fact, Observable, Table, catalog, get_table
from tests.exclusion_strategies import HASH, exclusion_sets

from .harness import POLICY, by_engine_with_exclusions, by_evaluator, by_exact_kql
from .reference import Row, read_events
from .test_agreement import ADDRESS_TEXT, NAMES, UNSHRUNK, indicator_sets, url_texts

# A Friday, so that a few steps of hours reach every border of the weekly spans.
START = datetime(2026, 6, 5, 17, 59)

VALUES: dict[str, st.SearchStrategy[object]] = {
    "host": st.sampled_from(["WS-1", "ws-1.corp.local", "SRV-2.corp.local", "10.1.2.3", "", None]),
    "user": st.sampled_from(["CORP\\svc-backup", "svc-x", "ann@corp.local", "SYSTEM", " ", None]),
    "process": st.sampled_from(
        ["C:\\Tools\\PsExec.exe", "psexec.exe", "/usr/bin/powershell.exe", "x", "", None]
    ),
    "command_line": st.sampled_from(
        ["powershell -ENC aGk=", "curl DOWNLOAD C:\\tools\\X", "a\nb -e q", "", None]
    ),
    "path": st.sampled_from(["C:\\Temp\\Setup.exe", "c:\\program files\\a b.exe", "", None]),
    "hash": st.sampled_from([HASH, HASH.upper(), "0123456789ABCDEF" * 2, "", None]),
}


def _strategy(table: Table, column: str) -> st.SearchStrategy[object]:
    shows = next((str(one.shows) for one in table.observables if one.column == column), "")
    if shows in ("name", "url"):
        return {"name": NAMES, "url": url_texts()}[shows]
    if shows in ("md5", "sha1", "sha256", "hash"):
        return VALUES["hash"]
    if table.columns.get(column) in ("int", "long"):
        return st.sampled_from([443, 8080, None])
    kinds = {
        str(fact)
        for one in table.observables
        for fact in Fact
        if column in table.fact_columns(fact, one)
    }
    if kinds & {"remote_ip", "source_ip"} or shows == "address":
        return ADDRESS_TEXT
    for kind in ("process", "parent_process", "command_line", "path", "user", "host"):
        if kind in kinds:
            return VALUES[kind.removeprefix("parent_")]
    return st.sampled_from(["x", "", None])


@st.composite
def tables_with_facts(draw: st.DrawFn) -> tuple[str, list[Row]]:
    """A table and rows of it that have every column a condition can be about."""
    table = get_table(draw(st.sampled_from(list(catalog()))))
    columns = {table.time} | {
        name
        for one in table.observables
        for name in (one.column, *one.host, *([one.port] if one.port else []))
    }
    for one in table.observables:
        for fact in Fact:
            # Only columns of the product's table: KQL cannot know what a sensor tells beyond it.
            columns |= {n for n in table.fact_columns(fact, one) if n in table.columns}
    strategies = {column: _strategy(table, column) for column in sorted(columns)}
    steps = draw(st.lists(st.fixed_dictionaries(strategies), min_size=1, max_size=20))
    rows: list[Row] = [
        {**values, table.time: START + timedelta(hours=7 * number, minutes=number)}
        for number, values in enumerate(steps)
    ]
    return table.name, rows


def facts_of(table: Table, observable: Observable, row: Row, value: str) -> dict[Fact, list[str]]:
    """What a row tells, in the plainest way."""
    facts: dict[Fact, list[str]] = {Fact.INDICATOR: [value]}
    time = row[table.time]
    assert isinstance(time, datetime)
    facts[Fact.HOURS] = [str(time.weekday() * 1440 + time.hour * 60 + time.minute)]
    for fact in Fact:
        columns = table.fact_columns(fact, observable)
        values = [str(row[c]) for c in columns if row.get(c) is not None and str(row[c]).strip()]
        if values:
            facts[fact] = values[:1] if fact is Fact.HOST else values
    return facts


def expected_suppressions(
    indicators: IndicatorSet, name: str, rows: Sequence[Row], exclusions: ExclusionSet
) -> dict[tuple[int, int], tuple[str, ...]]:
    """Row and indicator to the ids that cover the event, by the plain evaluator."""
    table = get_table(name)
    rule = build_rule("Fox", "*", indicators, MatchMode.EXACT)
    observables = {one.column: one for one in table.observables}
    return {
        (event.row, event.position): tuple(
            one.id
            for one in exclusions
            if one.scope.has_table(name)
            and one.scope.has_indicator(indicators[event.position])
            and holds(
                one.when,
                facts_of(
                    table,
                    observables[event.column],
                    rows[event.row - 1],
                    indicators[event.position].value,
                ),
            )
        )
        for event in read_events(rule, name, list(rows), POLICY)
    }


@given(indicator_sets(), tables_with_facts(), exclusion_sets())
@settings(max_examples=80, deadline=None)
def test_engine_suppresses_what_the_plain_evaluator_says(
    indicators: IndicatorSet, table: tuple[str, list[Row]], exclusions: ExclusionSet
) -> None:
    expected = expected_suppressions(indicators, *table, exclusions)

    assert by_engine_with_exclusions(indicators, *table, exclusions) == expected


@given(indicator_sets(), tables_with_facts(), exclusion_sets())
@settings(max_examples=10, deadline=None, phases=UNSHRUNK)
def test_emitted_kql_leaves_out_what_is_suppressed_and_nothing_else(
    indicators: IndicatorSet, table: tuple[str, list[Row]], exclusions: ExclusionSet
) -> None:
    """Each column has a query of its own, and facts of its own: compared one by one."""
    name, rows = table
    found = by_exact_kql(indicators, name, rows, exclusions)
    kept = {(time, value) for time, value, *_ in found}
    is_open = {
        (row[get_table(name).time], value): any(
            not _is_covered(indicators, name, observable, row, value, exclusions)
            for observable in _columns_that_match(indicators, name, row, value)
        )
        for event in by_evaluator(indicators, name, rows, MatchMode.EXACT)
        for row, value in [(rows[event.row - 1], indicators[event.position].value)]
    }
    assert kept == {key for key, one in is_open.items() if one}


def _columns_that_match(
    indicators: IndicatorSet, name: str, row: Row, value: str
) -> list[Observable]:
    """The table's columns in which the row meets some indicator of ``value``."""
    table = get_table(name)
    found = []
    for one in table.observables:
        observed, port = row.get(one.column), row.get(one.port) if one.port else None
        if isinstance(observed, str) and any(
            match(one.shows, observed, port if isinstance(port, int) else None, indicator)
            for indicator in indicators
            if indicator.value == value
        ):
            found.append(one)
    return found


def _is_covered(
    indicators: IndicatorSet,
    name: str,
    observable: Observable,
    row: Row,
    value: str,
    exclusions: ExclusionSet,
) -> bool:
    """Whether every indicator of ``value`` that the column shows is covered."""
    table = get_table(name)
    facts = facts_of(table, observable, row, value)
    return all(
        any(
            one.scope.has_table(name)
            and one.scope.has_indicator(indicator)
            and holds(one.when, facts)
            for one in exclusions
        )
        for indicator in indicators
        if indicator.value == value
    )
