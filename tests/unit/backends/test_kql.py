"""The KQL backend: golden texts, and Microsoft's parser over every query it can emit."""

from __future__ import annotations

from pathlib import Path

import pytest

from foxhunt.backends import backend_names, get_backend
from foxhunt.feeds import read_indicators
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.lint.kusto import Kusto
from foxhunt.rules import MatchMode, build_rule, build_rules
from foxhunt.tables import catalog
from tests import families
from tests.golden_files import check
from tests.subjects import text_of

SETS = {
    "unknown_rat": families.unknown_rat,
    "every_type": families.every_type,
    "hostile": families.hostile,
}


def test_the_term_query_of_the_published_page_is_printed_byte_for_byte() -> None:
    rule = build_rule("Unknown RAT", "win.unknown_rat", families.unknown_rat(), MatchMode.TERM)

    assert text_of(rule, "kql") == (
        "// Hunt for DNS queries to known malicious domains\n"
        "// Source: ThreatFox - Unknown RAT\n"
        'let malicious_domains = dynamic(["texornacu.com", "winupdateservice.com"]);\n'
        "DnsEvents\n"
        "| where Name has_any (malicious_domains)\n"
        "| project TimeGenerated, Computer, Name, IPAddresses, QueryType\n"
        "| order by TimeGenerated desc\n"
    )


@pytest.mark.parametrize("mode", MatchMode)
@pytest.mark.parametrize("name", SETS)
def test_golden_queries(name: str, mode: MatchMode) -> None:
    rule = build_rule("Unknown RAT", "win.unknown_rat", SETS[name](), mode)

    check(f"kql/{name}.{mode}.kql", text_of(rule, "kql"))


@pytest.mark.parametrize("mode", MatchMode)
@pytest.mark.parametrize("name", SETS)
def test_microsofts_parser_accepts_every_query(name: str, mode: MatchMode, kusto: Kusto) -> None:
    rule = build_rule('Rat "]) //', "win.unknown_rat", SETS[name](), mode)
    queries = list(get_backend("kql").compile_rule(rule))

    judged = {query.heading: kusto.judge(query.text) for query in queries}

    assert queries
    assert {heading: found.errors for heading, found in judged.items() if found.errors} == {}
    # A value that broke out of its literal would add a statement, and columns.
    assert all(len(found.columns) >= 5 for found in judged.values())


def test_exact_mode_asks_every_column_that_can_show_a_type() -> None:
    rule = build_rule("Unknown RAT", "win.unknown_rat", families.every_type())

    asked = {(query.table, query.columns[0]) for query in get_backend("kql").compile_rule(rule)}

    assert asked == {
        (search.table, part.observable.column)
        for search in rule.searches
        for part in search.predicate.parts
    }


def test_more_values_than_has_any_takes_go_into_several_queries(kusto: Kusto) -> None:
    many = IndicatorSet.of(
        families.indicator(IndicatorType.DOMAIN, f"d{number}.texornacu.com", number)
        for number in range(10_001)
    )
    rule = build_rule("Unknown RAT", "win.unknown_rat", many)
    texts = [q for q in get_backend("kql").compile_rule(rule) if q.columns == ("Name",)]

    assert [q.heading for q in texts] == [
        "DnsEvents.Name: domain, part 0",
        "DnsEvents.Name: domain, part 1",
    ]
    assert ['"d10000.texornacu.com"' in q.text for q in texts].count(True) == 1
    assert sum(q.text.count('.texornacu.com"') for q in texts) == 10_001
    assert kusto.judge(texts[1].text).errors == ()


def test_no_column_of_ours_is_one_that_a_table_has() -> None:
    """Of two columns with one name a join keeps the table's: DnsEvents has a Confidence."""
    added = {
        *("Indicator", "IndicatorType", "Malware", "ConfidenceLevel", "Match", "Verdict"),
        *("Lookup", "IsShared", "IndicatorPort", "IndicatorPath", "ValidFrom", "ValidUntil"),
        *("Candidate", "Answer", "ObservedName", "ObservedAddress", "EventHost", "HashAlgorithm"),
    }

    assert {name: added & table.columns.keys() for name, table in catalog().items()} == {
        name: set() for name in catalog()
    }


def test_the_same_rule_gives_the_same_bytes_in_any_order_of_indicators() -> None:
    forward = list(families.every_type())
    rules = [
        build_rule("Unknown RAT", "x", IndicatorSet.of(order))
        for order in (forward, reversed(forward))
    ]

    assert text_of(rules[0], "kql") == text_of(rules[1], "kql")


def test_an_unknown_backend_is_named_with_the_known_ones() -> None:
    assert backend_names() == ("kql",)
    with pytest.raises(KeyError, match="unknown backend 'spl'; known: kql"):
        get_backend("spl")


def test_every_family_of_a_real_feed_is_accepted(shared_data: Path, kusto: Kusto) -> None:
    feeds = sorted((shared_data / "threatfox" / "recent").glob("*.json.gz"))
    indicators, _ = read_indicators([str(feeds[-1])])
    refused = {}
    judged = 0
    # Long lists differ from short ones in length alone: the parser takes minutes for them.
    for rule in build_rules(indicators):
        if len(rule.indicators) > 15:
            continue
        for query in get_backend("kql").compile_rule(rule):
            judged += 1
            if errors := kusto.judge(query.text).errors:
                refused[rule.name, query.heading] = errors

    assert judged > 100
    assert refused == {}
