"""Which events are read for exclusions: as few as their values allow, none too few."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import duckdb
import pytest

from foxhunt.engines.judging import Asked, Batch
from foxhunt.errors import SourceSpan
from foxhunt.exclusions import AllOf, AnyOf, Condition, Exclusion, Predicate, Scope, parse_pattern
from foxhunt.tables import Fact
from tests import families

ANYWHERE = Scope(families=("*",), types=("*",), tables=("*",))
HOURS = "12:00-13:00 UTC"


def condition(fact: Fact, text: str) -> Condition:
    return Condition(fact, parse_pattern(fact, text))


def asked(*predicates: Predicate) -> list[Asked]:
    return [
        Asked.by(
            Exclusion(
                id=f"e-{number}",
                scenario="test",
                reason="test",
                owner="soc",
                expires=date(2099, 1, 1),
                scope=ANYWHERE,
                when=one,
                at=SourceSpan("test"),
            )
        )
        for number, one in enumerate(predicates)
    ]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Eight events: two hosts, four names, one of them null, hours 8 to 15."""
    with duckdb.connect() as made:
        made.execute(
            "CREATE TEMP TABLE events AS SELECT 0 AS part, i % 2 AS position, "
            f"TIMESTAMP '{datetime(2026, 6, 1, 8)}' + i * INTERVAL 1 HOUR AS time, "
            "'ws-' || i % 2 AS host, "
            "CASE WHEN i < 6 THEN ['a.org', 'b.org', 'c.org'][i // 2 + 1] END AS fact_domain "
            "FROM range(8) AS numbers(i)"
        )
        yield made


def read(
    con: duckdb.DuckDBPyConnection, *predicates: Predicate, rows: range = range(8)
) -> list[int]:
    """The events that are read for exclusions."""
    all_ = asked(*predicates)
    batch = Batch(con, rows, all_, families.unknown_rat())
    sought = [(one.window, batch.sought(one)) for one in all_]
    if any(some is None for _, some in sought):
        return sorted(batch.read(None)["event"].to_pylist())
    keys = {
        (window, fact): values for window, some in sought for fact, values in (some or {}).items()
    }
    return sorted(batch.read(keys)["event"].to_pylist())


def test_events_are_read_that_tell_a_value_that_is_asked_for(
    con: duckdb.DuckDBPyConnection,
) -> None:
    name = condition(Fact.DOMAIN, "b.org")

    assert read(con, name) == [2, 3]
    assert read(con, AllOf((name, condition(Fact.HOST, "ws-0")))) == [2, 3]
    assert read(con, AnyOf((name, condition(Fact.HOST, "ws-0")))) == [0, 2, 3, 4, 6]
    assert read(con, condition(Fact.HOURS, HOURS)) == [4]
    assert read(con, condition(Fact.DOMAIN, "no.org")) == []


def test_hours_are_left_to_what_narrows_more(con: duckdb.DuckDBPyConnection) -> None:
    both = AllOf((condition(Fact.HOURS, HOURS), condition(Fact.DOMAIN, "c.org")))

    assert read(con, both) == [4, 5]


def test_all_events_are_read_where_no_value_narrows(con: duckdb.DuckDBPyConnection) -> None:
    host, name = condition(Fact.HOST, "ws-0"), condition(Fact.DOMAIN, "b.org")
    either = AnyOf((host, name))

    assert read(con, AllOf((either, AnyOf((host, AllOf((name, host))))))) == list(range(8))


def test_only_a_ranges_own_events_are_read(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, condition(Fact.HOST, "ws-1"), rows=range(2, 6)) == [3, 5]


def test_the_values_of_other_facts_are_judged_of_events_that_were_read(
    con: duckdb.DuckDBPyConnection,
) -> None:
    indicators = families.unknown_rat()
    value = indicators[0].value
    host, name = condition(Fact.HOST, "ws-1"), condition(Fact.DOMAIN, "b.org")
    predicates = [AllOf((name, host)), AllOf((name, condition(Fact.INDICATOR, value)))]
    all_ = asked(*predicates)
    batch = Batch(con, range(8), all_, indicators)

    assert batch.judged[None].values.keys() == {Fact.DOMAIN}
    (wanted,) = (batch.sought(one) for one in all_[:1])
    assert wanted is not None
    rows = batch.read({(None, fact): values for fact, values in wanted.items()})
    events = batch.events(rows)[None]
    assert rows["event"].to_pylist() == [2, 3]
    found = [events.places(one).to_pylist() for one in predicates]
    assert [[rows["event"][at].as_py() for at in places] for places in found] == [[3], [2]]
