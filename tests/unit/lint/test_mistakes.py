"""The known mistakes: each has a query that has it and one that has not."""

from __future__ import annotations

import pytest

from foxhunt.backends import Emission, TimeBound, get_backend
from foxhunt.lint.mistakes import mistakes
from foxhunt.lint.model import Level, Query
from foxhunt.rules import MatchMode, build_rule
from tests import families

NAMES = ", ".join(f'"d{n}.org"' for n in range(129))
HASH = "ABCDEF0123456789" * 4

# code, a query with the mistake, the same without it
CASES = [
    (
        "L110",
        "ThreatIntelligenceIndicator | where TimeGenerated > ago(1d)",
        "T | where TimeGenerated > ago(1d) // ThreatIntelligenceIndicator",
    ),
    (
        "L113",
        f"T | where TimeGenerated > ago(1d) | where X has_any ({NAMES})",
        'T | where TimeGenerated > ago(1d) | where X has_any ("a", "b")',
    ),
    (
        "L113",
        f"let l = dynamic([{NAMES}]); T | where TimeGenerated > ago(1d) | where X in~ (l)",
        'let l = dynamic(["a"]); T | where TimeGenerated > ago(1d) | where X in~ (l)',
    ),
    (
        "L120",
        f'DeviceFileEvents | where Timestamp > ago(1d) | where SHA256 in ("{HASH}")',
        f'DeviceFileEvents | where Timestamp > ago(1d) | where SHA256 in~ ("{HASH}")',
    ),
    (
        "L120",
        f'DeviceFileEvents | where Timestamp > ago(1d) | where MD5 == "{HASH[:32]}"',
        'DeviceFileEvents | where Timestamp > ago(1d) | where tolower(MD5) == "abcdef"',
    ),
    (
        "L121",
        'DnsEvents | where TimeGenerated > ago(1d) | where Name has_any ("evil.com")',
        'DnsEvents | where TimeGenerated > ago(1d) | where Name has_any ("evil.com")'
        ' | where Name =~ "evil.com" or Name endswith ".evil.com"',
    ),
    (
        "L122",
        "T | where TimeGenerated > ago(1d) | extend h = parse_url(RemoteUrl).Host",
        "T | where TimeGenerated > ago(1d) | extend h = parse_url(Url).Host",
    ),
    (
        "L123",
        'T | where TimeGenerated > ago(1d) | where RemoteIP in ("1.2.3.4:443")',
        'T | where TimeGenerated > ago(1d) | where RemoteIP == "1.2.3.4" and RemotePort == 443',
    ),
    (
        "L124",
        "T | where TimeGenerated > ago(1d) | join (U) on X",
        "T | where TimeGenerated > ago(1d) | join kind=inner (U) on X",
    ),
    (
        "L124",
        "T | where TimeGenerated > ago(1d) | join kind=innerunique (U) on X",
        "T | where TimeGenerated > ago(1d) | join kind = leftouter (U) on X",
    ),
    (
        "L125",
        "T | where TimeGenerated > ago(1d) | where ValidUntil > now()",
        "T | where TimeGenerated > ago(1d) | where isnull(ValidUntil) or ValidUntil > now()",
    ),
    ("L126", "T | where X == 1", "T | where TimeGenerated > ago(1d) | where X == 1"),
    (
        "L127",
        "ThreatIntelIndicators | where TimeGenerated > ago(14d) | where IsActive"
        " | summarize arg_max(TimeGenerated, *) by Id",
        "ThreatIntelIndicators | where TimeGenerated > ago(14d)"
        " | summarize arg_max(TimeGenerated, *) by Id | where IsActive",
    ),
    (
        "L128",
        "search * | where TimeGenerated > ago(1d)",
        "union T, U | where TimeGenerated > ago(1d)",
    ),
]


def codes(text: str, *, period_bounded: bool = False) -> list[str]:
    lines = tuple((n + 1, 1) for n in range(text.count("\n") + 1))
    query = Query(text, "hunt.kql", lines, period_bounded=period_bounded)
    return [one.code for one in mistakes(query)]


@pytest.mark.parametrize(("code", "wrong", "right"), CASES)
def test_a_mistake_is_named_and_its_absence_is_not(code: str, wrong: str, right: str) -> None:
    assert code in codes(wrong)
    assert codes(right) == []


def test_nothing_in_a_comment_or_string_is_code() -> None:
    bounded = "T | where TimeGenerated > ago(1d)"

    assert codes(f'{bounded} and X == "search * | join (U) on SHA256 =="') == []
    assert codes(f"{bounded} // join (U) on X\n") == []


def test_over_ten_thousand_values_are_an_error() -> None:
    values = ", ".join(f'"v{n}"' for n in range(10_001))
    text = f"T | where TimeGenerated > ago(1d) | where X has_any ({values})"
    (found,) = mistakes(Query(text, "hunt.kql", ((1, 1),)))

    assert (found.code, found.level) == ("L112", Level.ERROR)


def test_whoever_bounds_the_time_need_not_be_told() -> None:
    assert codes("T | where X == 1", period_bounded=True) == []


def test_the_pages_own_queries_make_the_mistakes() -> None:
    rule = build_rule("Unknown RAT", "win.x", families.every_type(), MatchMode.TERM)
    found = {query.table: set(codes(query.text)) for query in get_backend("kql").compile_rule(rule)}

    assert found["DnsEvents"] == {"L121", "L126"}
    assert {"L120", "L126"} <= found["DeviceFileEvents"]


@pytest.mark.parametrize("bound", [TimeBound.AGO, TimeBound.PORTAL])
def test_exact_queries_make_none(bound: TimeBound) -> None:
    rule = build_rule("Unknown RAT", "win.x", families.every_type())
    queries = list(get_backend("kql").compile_rule(rule, (), Emission(bound=bound)))

    assert len(queries) > 10
    assert {query.key: codes(query.text) for query in queries if codes(query.text)} == {}
