"""Which comparisons with lists are taken, and which are left as they are."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from foxhunt.engines.accelerate import _listed
from foxhunt.engines.kql_lists import ListPredicate, list_predicates

VALUES = tuple(f"m{number}.com" for number in range(8))
LISTED = ", ".join(f'"{value}"' for value in VALUES)
LET = f"let bad = dynamic([{LISTED}]);\n"


def taken(text: str) -> tuple[ListPredicate, ...]:
    return list_predicates(text, {"DnsEvents", "DeviceNetworkEvents"}, evaluated)


def evaluated(query: str) -> tuple[str, ...] | None:
    """What duckdb-kql says, as `accelerate` asks it."""
    return _listed(duckdb.connect(), query, datetime(2026, 6, 1))


def test_the_query_of_a_published_page_is_taken() -> None:
    text = LET + "// Größe\nDnsEvents\n| where Name has_any (bad)\n| project Name"

    (found,) = taken(text)

    assert (found.column, found.operator, found.values) == ("Name", "has_any", VALUES)
    assert found.list_name == "bad"
    assert text[found.start : found.end] == "Name has_any (bad)"
    assert text[found.pipeline : found.stage] == "DnsEvents"
    assert text[: found.statement].strip().startswith("let bad")


@pytest.mark.parametrize("operator", ["has_any", "in", "!in", "in~", "!in~"])
@pytest.mark.parametrize(
    "listed", ["bad", LISTED, LISTED.replace('"', "'"), f"dynamic([{LISTED}])"]
)
def test_each_operator_is_taken_with_each_way_to_write_a_list(operator: str, listed: str) -> None:
    (found,) = taken(f"{LET}DnsEvents | where Name {operator} ({listed})")

    assert (found.operator, found.values) == (operator, VALUES)


@pytest.mark.parametrize(
    ("query", "stages"),
    [
        ("DnsEvents | where not(Name in (bad))", ["DnsEvents"]),
        ("DnsEvents | where a == 1 and (Name in (bad) or b == 2)", ["DnsEvents"]),
        (
            "DnsEvents | where T > ago(1d) | extend x = tolower(Name) | where Name in (bad)",
            ["DnsEvents | where T > ago(1d) | extend x = tolower(Name)"],
        ),
        ("let x = DnsEvents | where Name in (bad); x | where Name in (bad)", ["DnsEvents"]),
        ("let x = materialize(DnsEvents | where Name in (bad)); x", ["DnsEvents"]),
        (
            "DnsEvents | where Name in (bad) | join (DeviceNetworkEvents "
            "| where RemoteUrl has_any (bad)) on $left.Name == $right.RemoteUrl",
            ["DnsEvents", "DeviceNetworkEvents"],
        ),
        (
            "union (DnsEvents | where Name in (bad)), DeviceNetworkEvents | where Url in (bad)",
            ["DnsEvents"],
        ),
        ("DnsEvents | where Name in (bad) | take 5 | where Name in (bad)", ["DnsEvents"]),
    ],
)
def test_what_stands_around_a_comparison(query: str, stages: list[str]) -> None:
    text = LET + query

    assert [text[one.pipeline : one.stage] for one in taken(text)] == stages


def test_a_list_that_the_query_works_out_is_taken_however_short() -> None:
    """So emitted queries make theirs."""
    lets = (
        'let indicators = datatable(Indicator: string) ["a.com", "b\\"c.com"]\n'
        "| extend Lookup = tolower(Indicator);\n"
        "let lookups = toscalar(indicators | summarize make_set(Lookup));\n"
    )

    (found,) = taken(f"{lets}DnsEvents | where Name has_any (lookups)")

    assert sorted(found.values) == ["a.com", 'b"c.com']
    assert found.list_name == "lookups"


@pytest.mark.parametrize(
    "query",
    [
        'DnsEvents | where Name in ("a", "b")',
        "DnsEvents | where tolower(Name) in (bad)",
        "DnsEvents | where ['Name'] in (bad)",
        "DnsEvents | where bad in (bad)",
        "DnsEvents | where iff(Name in (bad), true, false)",
        "DnsEvents | where (Name in (bad)) == true",
        "DnsEvents | extend x = Name in (bad)",
        "DnsEvents | where Name has_all (bad)",
        "DnsEvents | take 5 | where Name in (bad)",
        "DnsEvents | extend x = rand() | where Name in (bad)",
        "DnsEvents | where a in (DnsEvents | take 1 | project a) | where Name in (bad)",
        "DnsEvents | where a > toscalar(DnsEvents | count) | where Name in (bad)",
        "let r = rand(); DnsEvents | where a > r | where Name in (bad)",
        "let DnsEvents = DeviceNetworkEvents; DnsEvents | where Name in (bad)",
        "let f = (bad: dynamic) { DnsEvents | where Name in (bad) }; f(bad)",
        "let f = view () { DnsEvents | where Name in (bad) }; f()",
        "let Bad = 1; DnsEvents | where Name in (bad)",
        "let l = toscalar(print rand()); DnsEvents | where Name in (l)",
        "let l = toscalar(print 1); DnsEvents | where Name in (l)",
        "let l = toscalar(datatable(a: long) [1] | summarize make_set(a)); "
        "DnsEvents | where Name in (l)",
        "let x = print a = tostring(rand()); let l = toscalar(x | summarize make_set(a)); "
        "DnsEvents | where Name has_any (l)",
        "declare query_parameters(p: string = 'x'); DnsEvents | where Name in (bad)",
        "union * | where Name in (bad)",
        "DnsEvents | where Name in (bad) | union Dns*",
        "search in (DnsEvents) 'x' | where Name in (bad)",
        "SecurityEvent | where Name in (bad)",
        "database('x').DnsEvents | where Name in (bad)",
        "DnsEvents | where Name in (other)",
        f"DnsEvents | where Name in ({LISTED}, Computer)",
        f"DnsEvents | where Name in ({LISTED}, 1)",
        f'DnsEvents | where Name in ({LISTED}, h"x")',
        f'DnsEvents | where Name in ({LISTED}, @"x")',
        rf'DnsEvents | where Name in ({LISTED}, "a\\b")',
        f"DnsEvents | where Name in ({LISTED}, 'a\"b')",
        f"DnsEvents | where Name in (dynamic([{LISTED}, null]))",
        f"DnsEvents | where Name in (dynamic([{LISTED}, 1]))",
        f'DnsEvents | where Name in (dynamic([{LISTED}, ["x"]]))',
    ],
)
def test_what_is_in_doubt_is_left_alone(query: str) -> None:
    assert taken(LET + query) == ()


@pytest.mark.parametrize("text", [".show tables", "DnsEvents", "print 1", "// nothing\nDnsEvents"])
def test_a_query_without_lists_has_none(text: str) -> None:
    assert taken(text) == ()
