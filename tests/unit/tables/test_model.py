"""What a column can show, and who is who in a connection."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from foxhunt.rules.matching import TYPES_MET
from foxhunt.tables import Remote, Shows, catalog


def test_every_kind_of_column_meets_some_indicator() -> None:
    assert set(TYPES_MET) == set(Shows)
    assert all(TYPES_MET.values())


def test_every_kind_of_column_is_in_some_table() -> None:
    shown = {one.shows for table in catalog().values() for one in table.observables}
    sides = {one.remote for table in catalog().values() for one in table.observables}

    assert shown == set(Shows)
    assert sides == {*Remote, None}


def test_the_source_of_a_connection_names_the_destination_as_our_machine() -> None:
    """DESIGN 5: the inner side, which is the destination for an inbound connection."""
    table = catalog()["CommonSecurityLog"]
    (source,) = (one for one in table.observables if one.remote is Remote.SOURCE)
    (destination,) = (one for one in table.observables if one.remote is Remote.DESTINATION)

    assert source.host == ("DestinationHostName", "DestinationIP")
    assert destination.host == table.host == ("SourceHostName", "SourceIP")


def test_the_machine_of_a_dns_event_is_the_one_that_asked() -> None:
    """Computer is the DNS server (DESIGN 5)."""
    assert catalog()["DnsEvents"].host == ("ClientIP", "Computer")


def test_a_table_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        catalog()["DnsEvents"].time = "x"  # type: ignore[misc]  # the assignment under test
