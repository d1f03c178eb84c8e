"""Exclusions inside emitted queries: the marked block, what it cannot say, hostile texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from foxhunt.backends import Delivery, Emission, Query, get_backend
from foxhunt.errors import SourceSpan
from foxhunt.exclusions import AllOf, Condition, Exclusion, Predicate, Scope, parse_pattern
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.lint.kusto import Kusto
from foxhunt.rules import build_rule
from foxhunt.tables import Fact
from tests.families import HOSTILE_TEXTS, indicator
from tests.golden_files import check

DOMAIN, IP_PORT = IndicatorType.DOMAIN, IndicatorType.IP_PORT
# Of two families, one value of both.
SHARED = IndicatorSet.of(
    [
        indicator(DOMAIN, "texornacu.com", 1),
        indicator(DOMAIN, "texornacu.com", 2, malware="win.bear", malware_printable="Bear"),
        indicator(IP_PORT, "45.137.22.7:443", 3, malware="win.bear", malware_printable="Bear"),
    ]
)
ALL = ("*",)


def exclusion(
    id_: str,
    when: Predicate,
    *,
    families: tuple[str, ...] = ALL,
    types: tuple[str, ...] = ALL,
    reason: str = "Because",
) -> Exclusion:
    return Exclusion(
        id=id_,
        scenario="test-environment",
        reason=reason,
        owner="soc@example.com",
        expires=date(2999, 1, 1),
        scope=Scope(families=families, types=types, tables=ALL),
        when=when,
        at=SourceSpan("x.yaml", 1),
    )


def condition(fact: Fact, *texts: str) -> Condition:
    return Condition(fact, tuple(p for text in texts for p in parse_pattern(fact, text)))


LAB = condition(Fact.HOST, "lab-*", "10.99.0.7")


def queries(
    exclusions: Sequence[Exclusion],
    table: str = "DnsEvents",
    emission: Emission = Emission(),  # noqa: B008 - frozen
) -> Iterator[Query]:
    rule = build_rule("Rats", "*", SHARED)
    for query in get_backend("kql").compile_rule(rule, exclusions, emission):
        if query.table == table:
            yield query


def test_golden_block() -> None:
    """A scope of its own, what the table tells, what witnesses tell, what nobody tells."""
    exclusions = [
        exclusion("lab", LAB),
        exclusion("bears", LAB, families=("Bear",)),
        exclusion("bears-domains", LAB, families=("bear",), types=("domain",)),
        exclusion("elsewhere", LAB, families=("Wolf",)),
        exclusion("roll-outs", AllOf((condition(Fact.PROCESS, "psexec.exe"), LAB))),
        exclusion("paths", condition(Fact.PATH, "*\\temp\\*")),
    ]

    text = "\n\n".join(query.text for query in queries(exclusions))

    check("kql/exclusions.exact.kql", text + "\n")


def test_hostile_texts_end_neither_comment_nor_literal(kusto: Kusto) -> None:
    exclusions = [
        exclusion(f"x{number}", condition(Fact.COMMAND_LINE, text), reason=f"{text}\r\n{text}*/")
        for number, text in enumerate((*HOSTILE_TEXTS, "\u202e", "x" * 500))
        if text.isprintable()
    ]

    (query, *_) = queries(exclusions, "DeviceNetworkEvents")
    judged = kusto.judge(query.text)

    assert judged.errors == ()
    # What broke out would add a statement, and columns.
    assert tuple(name for name, _ in judged.columns) == query.shown
    assert query.text.count("// Exclusion x") == len(exclusions) == 9


def test_hours_are_of_the_time_that_bounds_the_query() -> None:
    """Sentinel's TimeGenerated, Defender's Timestamp: both are columns of the table."""
    hours = [exclusion("nights", condition(Fact.HOURS, "22:00-04:00 UTC"))]
    for time in ("TimeGenerated", "Timestamp"):
        emission = Emission(lookback=timedelta(days=1), time_column=time)

        for query in queries(hours, "DeviceNetworkEvents", emission):
            assert f"dayofweek({time})" in query.text
            assert f"| where {time} > ago(1d)" in query.text


def test_an_exclusion_of_another_family_leaves_no_trace() -> None:
    with_it = [query.text for query in queries([exclusion("x", LAB, families=("Wolf",))])]

    assert with_it == [query.text for query in queries([])]


def test_an_exclusion_of_a_former_name_covers_no_more_where_rows_do_not_tell_it() -> None:
    old = indicator(DOMAIN, "old.org", 1, malware="win.x", malware_printable="Old")
    new = indicator(DOMAIN, "new.org", 2, malware="win.x", malware_printable="New")
    emission = Emission(delivery=Delivery.TI_TABLE)
    excluded = [exclusion("of-new", LAB, families=("New",))]
    for indicators, name in (([old, new], "win.x"), ([new], "New")):
        rule = build_rule("New", "win.x", IndicatorSet.of(indicators))

        texts = [one.text for one in get_backend("kql").compile_rule(rule, excluded, emission)]

        assert texts
        assert all(f'Malware = "{name}"' in text for text in texts)
