"""Random predicates and exclusions over few values, so that they meet generated rows."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from foxhunt.errors import SourceSpan
from foxhunt.exclusions import (
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    ExclusionSet,
    NotOf,
    Predicate,
    Scope,
    parse_pattern,
)
from foxhunt.tables import Fact

HASH = "cd34" * 16

# Values that conditions name; rows of tests/differential/test_exclusions.py spell them variously.
TEXTS: dict[Fact, tuple[str, ...]] = {
    Fact.DOMAIN: (
        "texornacu.com",
        "=texornacu.com",
        "c2.texornacu.com",
        "=duckdns.org",
        "xn--mnchen-3ya.de",
        "com",
    ),
    Fact.URL: (
        "http://texornacu.com/gate",
        "https://texornacu.com:8080/gate.php?id=1",
        "http://winupdateservice.com/a/",
        "duckdns.org/",
    ),
    Fact.REMOTE_IP: ("45.137.22.7", "45.137.16.0/20", "2a02:4780::/33", "10.0.0.0/8"),
    Fact.REMOTE_PORT: ("443", "8080"),
    Fact.SOURCE_IP: ("10.1.2.3", "10.1.0.0/16", "192.168.0.0/21", "fe80::/10"),
    Fact.HOST: ("ws-1", "ws-*", "SRV-2.corp.local", "*.corp.local", "10.1.2.3", "?s-1"),
    Fact.USER: ("svc-backup", "corp\\svc-*", "*@corp.local", "system"),
    Fact.PROCESS: ("psexec.exe", "*\\tools\\*.exe", "c:\\windows\\*", "power*.exe", "schtasks.exe"),
    Fact.PARENT_PROCESS: ("svchost.exe", "*service*"),
    Fact.COMMAND_LINE: ("-enc", "download", "/-e(nc)? [a-z0-9+]+/", "C:\\Tools\\x"),
    Fact.PATH: ("*\\temp\\*", "setup.exe", "c:\\program files\\*"),
    Fact.HASH: (HASH, "0123456789abcdef" * 2),
    Fact.INDICATOR: ("texornacu.com", "45.137.22.7:443", HASH),
    Fact.HOURS: (
        "Sat 22:00-Sun 04:00 UTC",
        "Mon-Fri 08:00-18:00 UTC",
        "23:00-01:30 UTC",
        "Sun 12:00-Mon 00:00 UTC",
    ),
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """One fact and one to three of its values."""
    fact = draw(st.sampled_from(list(Fact)))
    texts = draw(st.lists(st.sampled_from(TEXTS[fact]), min_size=1, max_size=3, unique=True))
    return Condition(fact, tuple(p for text in texts for p in parse_pattern(fact, text)))


def predicates() -> st.SearchStrategy[Predicate]:
    """Conditions, and nests of all, any and not over them."""
    return st.recursive(
        conditions(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
            inner.map(NotOf),
        ),
        max_leaves=5,
    )


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    """Everything, or something narrower."""
    return Scope(
        families=draw(st.sampled_from([("*",), ("win.0",), ("WIN.1", "win.2"), ("nobody",)])),
        types=draw(st.sampled_from([("*",), ("domain",), ("ip:port", "url")])),
        tables=draw(st.sampled_from([("*",), ("DnsEvents", "CommonSecurityLog")])),
    )


def generated(number: int, scope: Scope, when: Predicate) -> Exclusion:
    """An exclusion that does not expire."""
    return Exclusion(
        id=f"x{number}",
        scenario="test-environment",
        reason="generated",
        owner="tests@example.com",
        expires=date(2999, 1, 1),
        scope=scope,
        when=when,
        at=SourceSpan("generated.yaml", number + 1),
    )


@st.composite
def exclusion_sets(draw: st.DrawFn) -> ExclusionSet:
    """One to four exclusions, none of them expired."""
    chosen = draw(st.lists(st.tuples(predicates(), scopes()), min_size=1, max_size=4))
    return ExclusionSet(
        tuple(
            generated(number, scope, predicate) for number, (predicate, scope) in enumerate(chosen)
        )
    )
