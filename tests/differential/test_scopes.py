"""Exclusions of one family, type or indicator in a rule over several: local engine = KQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.backends import Delivery, Emission, get_backend
from foxhunt.exclusions import Condition, Exclusion, ExclusionSet, NotOf, Scope, parse_pattern
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType
from foxhunt.lint.kusto import Kusto
from foxhunt.rules import MatchMode, build_rule
from foxhunt.tables import Fact, get_table
from tests.exclusion_strategies import generated
from tests.families import indicator

from .harness import EVER, by_engine_with_exclusions, by_evaluator, load, run_queries
from .reference import Row
from .test_agreement import UNSHRUNK
from .test_delivery import connection, create_lists, run

START = datetime(2026, 6, 1)
# Two families of one name, as Malpedia's elf.mirai and win.mirai are, and a hostile one.
FAMILIES = (
    ("win.fox", "Fox"),
    ("elf.fox", "Fox"),
    ("win.bear", "Bear"),
    ("win.crow", 'Crow "]); //'),
)
VALUES = (
    (IndicatorType.DOMAIN, "texornacu.com"),
    (IndicatorType.DOMAIN, "c2.texornacu.com"),
    (IndicatorType.URL, "http://texornacu.com/gate"),
    (IndicatorType.IP_PORT, "45.137.22.7:443"),
    (IndicatorType.IP_PORT, "45.137.22.7:8080"),
)
# Of these each type of indicator is looked up in one column: a hit is an event.
TABLES: dict[str, dict[str, tuple[str | None, ...]]] = {
    "DnsEvents": {
        "Name": ("texornacu.com", "a.c2.texornacu.com", "texornacu.com.", None),
        "IPAddresses": ("45.137.22.7", "8.8.8.8, 45.137.22.7", None),
        "ClientIP": ("10.1.2.3", "10.9.9.9", None),
        "Computer": ("dc1",),
    },
    "UrlClickEvents": {
        "Url": ("https://texornacu.com/gate", "http://c2.texornacu.com/", None),
        "AccountUpn": ("ann@corp.local", None),
    },
}


@st.composite
def shared_indicators(draw: st.DrawFn) -> IndicatorSet:
    """Values of which most are of several families, each told by a record of its own."""
    pairs = st.tuples(st.sampled_from(VALUES), st.sampled_from(FAMILIES))
    chosen = draw(st.lists(pairs, min_size=3, max_size=14, unique=True))
    return IndicatorSet.of(
        indicator(
            *typed,
            number,
            malware=label,
            malware_printable=name,
            confidence_level=60 + number,
            first_seen=datetime.fromisoformat("2026-05-24T08:11:02+00:00")
            - timedelta(days=draw(st.sampled_from([0, 300]))),
        )
        for number, (typed, (label, name)) in enumerate(chosen)
    )


def condition(fact: Fact, text: str) -> Condition:
    return Condition(fact, parse_pattern(fact, text))


WHENS = (
    condition(Fact.HOURS, "Mon-Sun 00:00-12:00 UTC"),
    condition(Fact.HOST, "10.1.*"),
    condition(Fact.INDICATOR, "texornacu.com"),
    NotOf(condition(Fact.INDICATOR, "45.137.22.7:443")),
    condition(Fact.DOMAIN, "texornacu.com"),
)


SCOPES = st.builds(
    Scope,
    families=st.sampled_from(
        [("*",), ("Fox",), ("win.fox",), ("elf.fox", "bear"), ("BEAR",), (FAMILIES[3][1],)]
    ),
    types=st.sampled_from([("*",), ("domain",), ("ip:port", "url")]),
    tables=st.sampled_from([("*",), ("DnsEvents",)]),
)
EXCLUSIONS = st.lists(
    st.builds(generated, st.just(0), SCOPES, st.sampled_from(WHENS)), min_size=1, max_size=3
).map(lambda some: ExclusionSet(tuple(replace(e, id=f"x{n}") for n, e in enumerate(some))))


@st.composite
def tables_with_rows(draw: st.DrawFn) -> tuple[str, list[Row]]:
    """A table and rows that meet most of the indicators, some hours apart."""
    name = draw(st.sampled_from(sorted(TABLES)))
    cells = st.fixed_dictionaries({c: st.sampled_from(v) for c, v in TABLES[name].items()})
    time = get_table(name).time
    return name, [
        {**values, time: START + timedelta(hours=7 * number)}
        for number, values in enumerate(draw(st.lists(cells, min_size=2, max_size=10)))
    ]


Said = tuple[object, str, str, str]


def said_of(time: object, one: Indicator) -> Said:
    return time, one.value, str(one.type), one.malware_printable


def open_events(
    indicators: IndicatorSet, name: str, rows: list[Row], exclusions: ExclusionSet
) -> set[tuple[Said, str]]:
    """What the local engine leaves, and its verdicts."""
    covered = by_engine_with_exclusions(indicators, name, rows, exclusions)
    return {
        (
            said_of(rows[event.row - 1][get_table(name).time], indicators[event.position]),
            str(event.verdict),
        )
        for event in by_evaluator(indicators, name, rows, MatchMode.EXACT)
        if not covered[event.row, event.position]
    }


def open_rows(
    indicators: IndicatorSet, name: str, rows: list[Row], exclusions: Iterable[Exclusion]
) -> set[tuple[Said, str]]:
    """What the emitted queries give."""
    columns = (get_table(name).time, "Indicator", "IndicatorType", "Malware")
    hits = run_queries(indicators, name, rows, MatchMode.EXACT, exclusions)
    return {
        ((hit[columns[0]], *(str(hit[c]) for c in columns[1:])), str(hit["Verdict"]))  # type: ignore[misc]  # four
        for found in hits
        for hit in found
    }


@given(shared_indicators(), tables_with_rows(), EXCLUSIONS)
@settings(max_examples=2, deadline=None, phases=UNSHRUNK)
def test_queries_leave_open_what_the_engine_leaves_open(
    indicators: IndicatorSet, table: tuple[str, list[Row]], exclusions: ExclusionSet
) -> None:
    expected = open_events(indicators, *table, exclusions)

    found = open_rows(indicators, *table, exclusions)

    assert expected <= found
    # Of two families with one name and one value a row says the same: where each is covered by an
    # exclusion of its own, the queries cannot tell and leave the rows open.
    left = {said for said, _ in found} - {said for said, _ in expected}
    assert {said[1:] for said in left} <= said_twice(indicators)


def said_twice(indicators: IndicatorSet) -> set[tuple[str, str, str]]:
    """Value, type and family's name of indicators that differ by the family's label alone."""
    counted = Counter((one.value, str(one.type), one.malware_printable) for one in indicators)
    return {said for said, times in counted.items() if times > 1}


def all_families(*values: tuple[IndicatorType, str]) -> IndicatorSet:
    """Each value of each family."""
    pairs = [(typed, family) for typed in values for family in FAMILIES]
    return IndicatorSet.of(
        indicator(*typed, number, malware=label, malware_printable=name)
        for number, (typed, (label, name)) in enumerate(pairs)
    )


def scoped(number: int, *families: str, types: tuple[str, ...] = ("*",)) -> Exclusion:
    scope = Scope(families=families, types=types, tables=("*",))
    return generated(number, scope, condition(Fact.HOST, "*"))


@pytest.mark.parametrize(
    "exclusions, families",
    [
        ([scoped(1, "Bear"), scoped(2, "win.crow")], {"Fox"}),
        # A row says Fox, of which family it does not.
        ([scoped(1, "win.fox", "bear")], {"Fox", FAMILIES[3][1]}),
    ],
)
def test_a_value_of_several_families_stays_open_for_those_that_nothing_covers(
    exclusions: list[Exclusion], families: set[str]
) -> None:
    rows: list[Row] = [{"TimeGenerated": START, "Name": "texornacu.com", "ClientIP": "10.1.2.3"}]
    found = open_rows(all_families(*VALUES[:3]), "DnsEvents", rows, exclusions)

    assert {said[3] for said, _ in found} == families


def test_a_scope_holds_in_a_query_that_reads_its_list() -> None:
    indicators = all_families(*VALUES[:3])
    rows: list[Row] = [{"TimeGenerated": START, "Name": "texornacu.com", "ClientIP": "10.1.2.3"}]
    load(connection(), "DnsEvents", rows, "DnsEvents")
    create_lists(indicators)
    rule = build_rule("Rats", "*", indicators)
    emission = Emission(delivery=Delivery.WATCHLIST, lookback=EVER)
    exclusions = [scoped(1, "bear"), scoped(2, FAMILIES[3][1], types=("domain",))]

    found = {
        (hit["IndicatorType"], hit["Malware"])
        for query in get_backend("kql").compile_rule(rule, exclusions, emission)
        if query.table == "DnsEvents"
        for hit in run(query)
    }

    assert found == {("domain", "Fox"), ("url", "Fox"), ("url", FAMILIES[3][1])}


def test_a_query_says_what_its_rows_cannot_tell(kusto: Kusto) -> None:
    rule = build_rule("Rats", "*", all_families(*VALUES[:3]))
    exclusions = [scoped(1, "win.fox", "bear"), scoped(2, "Crow"), scoped(3, FAMILIES[3][1])]
    queries = get_backend("kql").compile_rule(rule, exclusions)
    (query,) = [one for one in queries if one.table == "DnsEvents"]

    assert "// Exclusion x1 leaves open what several families called Fox share\n" in query.text
    assert "Exclusion x2" not in query.text  # of no family of the rule
    assert kusto.judge(query.text).errors == ()


def test_a_term_query_leaves_out_what_is_about_some_of_its_families(kusto: Kusto) -> None:
    """Its rows do not say which indicator they met: nothing is guessed, and it is said."""
    rule = build_rule("Rats", "*", all_families(*VALUES), MatchMode.TERM)
    queries = list(get_backend("kql").compile_rule(rule, [scoped(1, "bear"), scoped(2, "*")]))

    for query in queries:
        assert "// Exclusion x1 is left out: rows do not say which indicator they met" in query.text
        assert query.text.count('"x1"') == 0 and query.text.count('"x2"') == 1
        assert kusto.judge(query.text).errors == ()
    assert len(queries) == 4
