"""How often a feed is asked: as its publisher wants it, and a mirror as its owner does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.fairness import FAIR_INTERVALS, fair_interval
from foxhunt.feeds.ledger import THREATFOX
from foxhunt.feeds.sibling_files import SIBLING_FILES

NONE = timedelta()


def test_each_feed_that_is_fetched_has_its_interval() -> None:
    assert FAIR_INTERVALS.keys() == {THREATFOX, *SIBLING_FILES}
    assert all(interval >= timedelta(minutes=1) for interval in FAIR_INTERVALS.values())


@pytest.mark.parametrize("feed", SIBLING_FILES)
def test_the_publishers_own_address_is_asked_no_more_often(feed: str) -> None:
    assert fair_interval(feed, [SIBLING_FILES[feed]]) == FAIR_INTERVALS[feed]
    assert fair_interval(feed, ["http://127.0.0.1:8080/x.csv"]) == NONE


def test_one_address_at_abuse_ch_is_enough() -> None:
    asked = ["https://mirror.example/", Endpoints().api]

    assert fair_interval(THREATFOX, asked) == FAIR_INTERVALS[THREATFOX]


def test_a_host_that_only_looks_like_abuse_ch_is_another() -> None:
    assert fair_interval("sslbl", ["https://notabuse.ch/", "https://abuse.ch.evil.org/"]) == NONE
