"""What is near a value, the nearest first, and never the value itself."""

from __future__ import annotations

import pytest

from foxhunt.indicators.asked import understood
from foxhunt.indicators.lookup import Reader, SetReader
from foxhunt.indicators.related import Relation, related

from .lookup_samples import HASH, every_kind, reader

READERS = [SetReader(every_kind()), reader(every_kind())]
SAME, ABOVE, BELOW = Relation


@pytest.mark.parametrize("looked", READERS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "c2.evil.org",
            [
                (SAME, "http://c2.evil.org/gate"),
                (SAME, "https://c2.evil.org:8443/gate"),
                (ABOVE, "evil.org"),
                (BELOW, "a.c2.evil.org"),
            ],
        ),
        (
            "http://c2.evil.org/gate",
            [
                (SAME, "c2.evil.org"),
                (SAME, "https://c2.evil.org:8443/gate"),
                (ABOVE, "evil.org"),
                (BELOW, "a.c2.evil.org"),
            ],
        ),
        ("45.137.22.7:443", [(SAME, "45.137.22.7:8080"), (SAME, "http://45.137.22.7/a")]),
        ("45.137.22.7", [(SAME, "http://45.137.22.7/a")]),
        # A shared service's apex covers nobody below it (R1).
        ("you.duckdns.org", []),
        ("evil.org.safe.net", [(SAME, "http://evil.org.safe.net/")]),
        (HASH, []),
        ("spam@evil.org", []),
    ],
)
def test_the_nearest_come_first(
    looked: Reader, text: str, expected: list[tuple[Relation, str]]
) -> None:
    found = related(looked, understood(text), 100)

    assert [(relation, one.value) for relation, one in found.shown] == expected
    assert found.total == len(expected)


@pytest.mark.parametrize("looked", READERS)
def test_what_is_not_shown_is_counted(looked: Reader) -> None:
    found = related(looked, understood("evil.org"), 1)

    assert [one.value for _, one in found.shown] == ["a.c2.evil.org"]
    assert found.totals == {BELOW: 4}
    assert related(looked, understood("evil.org"), 0).total == 4
