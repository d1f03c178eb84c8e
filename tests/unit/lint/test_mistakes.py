"""The known mistakes: each has a query that has it and one that has not."""

from __future__ import annotations

import pytest

from foxhunt.backends import Emission, TimeBound, get_backend
from foxhunt.lint.mistakes import CHECKS, mistakes
from foxhunt.lint.model import Holder, Level, Query
from foxhunt.lint.source import whole
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
        "L120",
        f'let bad = dynamic(["{HASH}"]); T | where TimeGenerated > ago(1d) | where SHA1 in (bad)',
        f'let bad = dynamic(["{HASH}"]); T | where TimeGenerated > ago(1d) | where SHA1 in~ (bad)',
    ),
    (
        "L120",
        f'T | where TimeGenerated > ago(1d) | where "{HASH}" == SHA256',
        f'T | where TimeGenerated > ago(1d) | where "{HASH}" =~ SHA256',
    ),
    (
        "L121",
        'DnsEvents | where TimeGenerated > ago(1d) | where Name has "a.com" | where X == 0',
        'DnsEvents | where TimeGenerated > ago(1d) | where Name has "a.com"'
        ' | extend D0 = tolower(Name) | where D0 in ("a.com")',
    ),
    (
        "L123",
        'T | where TimeGenerated > ago(1d) // 1.2.3.4:443\n| where RemoteIP == "1.2.3.4"'
        " | project RemotePort",
        'T | where TimeGenerated > ago(1d) // 1.2.3.4:443\n| where RemoteIP == "1.2.3.4"'
        " and RemotePort == 443 | project RemotePort",
    ),
    (
        "L124",
        "T | where TimeGenerated > ago(1d) | join hint.strategy=broadcast (U) on kind",
        "T | where TimeGenerated > ago(1d) | join hint.strategy=broadcast kind=inner (U) on X",
    ),
    (
        "L125",
        "T | where TimeGenerated > ago(1d) | where ExpirationDateTime > now() | where isnull(X)",
        "T | where TimeGenerated > ago(1d) | where ValidUntil > now() or isnull(ValidUntil)",
    ),
    (
        "L127",
        "let i = ThreatIntelIndicators | where TimeGenerated > ago(14d);"
        " U | where TimeGenerated > ago(1d) | summarize arg_max(TimeGenerated, *) by Id",
        "let i = ThreatIntelIndicators | where TimeGenerated > ago(14d)"
        " | summarize arg_max(TimeGenerated, *) by Id; U | where TimeGenerated > ago(1d)",
    ),
    (
        "L128",
        "search * | where TimeGenerated > ago(1d)",
        "union T, U | where TimeGenerated > ago(1d)",
    ),
]


DEFENDER = [
    (
        "L114",
        "DeviceFileEvents | join kind=inner (DeviceInfo) on DeviceId",
        "DeviceFileEvents | where FileName == 'join'",
    ),
    (
        "L114",
        "let a = 1; DeviceFileEvents | where FileSize > a",
        "DeviceFileEvents | where FileSize > 1",
    ),
    ("L114", "DeviceFileEvents // all", "DeviceFileEvents"),
    ("L114", "DnsEvents | where Name == 'x' | project Timestamp, ReportId, DeviceId", "DeviceInfo"),
    (
        "L138",
        "DeviceFileEvents | where Timestamp > ago(1h)",
        "DeviceFileEvents | where ingestion_time() > ago(1h)",
    ),
    (
        "L139",
        "DeviceFileEvents | project Timestamp, FileName",
        "DeviceFileEvents | project Timestamp, DeviceId, ReportId",
    ),
]


def codes(text: str, holder: Holder = Holder.KQL, *, is_streamed: bool = False) -> list[str]:
    return [one.code for one in mistakes(Query(whole(text), holder, is_streamed))]


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
    (found,) = mistakes(Query(whole(text)))

    assert (found.code, found.level) == ("L112", Level.ERROR)


@pytest.mark.parametrize(("code", "wrong", "right"), DEFENDER)
def test_what_a_custom_detection_may_not_do(code: str, wrong: str, right: str) -> None:
    assert code in codes(wrong, Holder.DEFENDER, is_streamed=True)
    assert codes(right, Holder.DEFENDER, is_streamed=True) == []


def test_sentinels_own_streamed_rules_may_have_comments_and_let() -> None:
    text = "let a = 1; T | where X > a // all\n| join kind=inner (U) on X"

    assert codes(text, Holder.ANALYTICS, is_streamed=True) == ["L114"]


def test_the_same_value_twice_counts_once() -> None:
    text = f"T | where TimeGenerated > ago(1d) | where X has_any ({', '.join(['1'] * 200)})"

    assert codes(text) == []


def test_every_check_has_an_example() -> None:
    shown = {code for code, _, _ in (*CASES, *DEFENDER)}

    assert shown == {"L110", "L113", "L114", *(f"L{n}" for n in range(120, 129)), "L138", "L139"}
    assert len(CHECKS) == len(set(CHECKS)) == 14


def test_a_check_says_nothing_of_nothing() -> None:
    for text in ("", ";", "|", "| |", "(", "let", "join", "in", "T | in (", "parse_url("):
        for holder in Holder:
            list(mistakes(Query(whole(text), holder, is_streamed=True)))


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
