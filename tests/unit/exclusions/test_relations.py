"""What is read off two conditions' structure holds for the events that they are about."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.exclusions import Condition, NotOf, Predicate, conditions, holds, parse_pattern
from foxhunt.exclusions.relations import SINGLE, constant, implies, may_imply
from foxhunt.tables import Fact
from tests.exclusion_strategies import TEXTS, predicates

LOGGED: dict[Fact, tuple[str, ...]] = {
    Fact.DOMAIN: ("texornacu.com", "a.c2.texornacu.com", "duckdns.org"),
    Fact.URL: ("http://texornacu.com/gate/x", "http://winupdateservice.com/a/b"),
    Fact.REMOTE_IP: ("45.137.22.7", "10.9.9.9", "::1"),
    Fact.REMOTE_PORT: ("443", "22"),
    Fact.SOURCE_IP: ("10.1.2.3", "192.168.1.1"),
    Fact.HOST: ("WS-1.corp.local", "srv-2", "10.1.2.3"),
    Fact.USER: ("CORP\\svc-backup", "ann@corp.local"),
    Fact.PROCESS: ("C:\\Tools\\PsExec.exe", "powershell.exe"),
    Fact.PARENT_PROCESS: ("C:\\Windows\\System32\\services.exe",),
    Fact.COMMAND_LINE: ("powershell -enc aGk=", "download"),
    Fact.PATH: ("C:\\Temp\\setup.exe",),
    Fact.HASH: TEXTS[Fact.HASH],
    Fact.INDICATOR: TEXTS[Fact.INDICATOR],
    Fact.HOURS: ("0", "600", "9000"),
}


@st.composite
def events(draw: st.DrawFn) -> dict[Fact, list[str]]:
    """What an event tells: none, one or, where it can be, two values of each fact."""
    return {
        fact: draw(st.lists(st.sampled_from(values), max_size=1 if fact in SINGLE else 2))
        for fact, values in LOGGED.items()
    }


def about(predicate: Predicate) -> frozenset[Fact]:
    return frozenset(one.fact for one in conditions(predicate))


@given(predicates(), predicates(), st.lists(events(), min_size=2, max_size=3))
@settings(max_examples=25, deadline=None)
def test_what_implies_another_holds_nowhere_else(
    a: Predicate, b: Predicate, some: list[dict[Fact, list[str]]]
) -> None:
    for one, other in ((a, b), (a, a), (NotOf(a), NotOf(b))):
        if implies(one, other):
            assert may_imply(about(one), other)
            assert all(holds(other, facts) for facts in some if holds(one, facts))


@given(predicates(), st.lists(events(), min_size=2, max_size=3))
@settings(max_examples=25, deadline=None)
def test_what_is_called_constant_is_never_the_other(
    predicate: Predicate, some: list[dict[Fact, list[str]]]
) -> None:
    always = constant(predicate, SINGLE.__contains__)

    if always is not None:
        assert {holds(predicate, facts) for facts in some} <= {always, None}


def test_a_glob_without_wildcards_takes_up_nothing_but_itself() -> None:
    one, other = (Condition(Fact.HOST, parse_pattern(Fact.HOST, text)) for text in ("a*", "ab"))

    assert not implies(one, other)
    assert not implies(other, Condition(Fact.HOST, parse_pattern(Fact.HOST, "abc")))
    assert implies(other, one)
