"""Ranges: what is read as one, and that the search finds what `ipaddress` finds."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.exclusions.ranges import Ranges, parse_range
from foxhunt.indicators import canonical_address

# A few high bits and long prefixes, so that ranges overlap and addresses fall into them.
V4 = st.integers(0, 63).map(lambda low: ipaddress.IPv4Address((45 << 24) + low))
V6 = st.integers(0, 63).map(lambda low: ipaddress.IPv6Address((0x2A02 << 112) + low))
V4_RANGES = st.tuples(V4, st.integers(26, 32)).map(lambda pair: f"{pair[0]}/{pair[1]}")
V6_RANGES = st.tuples(V6, st.integers(122, 128)).map(lambda pair: f"{pair[0]}/{pair[1]}")


@given(
    st.lists(V4_RANGES | V6_RANGES | st.sampled_from(["0.0.0.0/0", "::/0"]), max_size=8), V4 | V6
)
def test_the_owners_are_all_ranges_that_hold_the_address(
    texts: list[str], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    parsed = [parse_range(text) for text in texts]
    ranges = Ranges((*row, owner) for owner, row in enumerate(parsed) if row is not None)

    expected = [
        owner
        for owner, text in enumerate(texts)
        if address in ipaddress.ip_network(text, strict=False)
    ]
    assert list(ranges.owners(str(address))) == expected


@given(st.text(alphabet="0123456789abcdef.:/%[]²٣\n\0\ud800", max_size=24))
def test_nothing_is_a_range_that_ipaddress_does_not_read(text: str) -> None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        network = None

    parsed = parse_range(text)

    if parsed is not None:
        assert network is not None
        assert parsed[2] - parsed[1] == network.num_addresses


@pytest.mark.parametrize(
    "text",
    (
        *("", "a.org", "10.0.0", "010.0.0.1", "fe80::1%eth0", "\ud800", "1.2.3.4/\u0663"),
        *("10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/0008", "10.0.0.0/255.0.0.0"),
    ),
)
def test_what_is_no_range(text: str) -> None:
    assert parse_range(text) is None


def test_the_end_of_the_address_space_is_searched() -> None:
    row = parse_range("255.255.255.255")
    assert row is not None
    ranges = Ranges([(*row, 7)])

    assert ranges.owners("255.255.255.255") == (7,)
    assert ranges.owners("255.255.255.254") == ()
    assert ranges.owners("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == ()


def test_a_mapped_range_holds_the_ipv4_addresses_it_maps() -> None:
    row = parse_range("::ffff:45.137.22.0/120")
    assert row == parse_range("45.137.22.0/24")
    assert canonical_address("::ffff:45.137.22.9") == "45.137.22.9"

    # The whole of IPv6 is no range of IPv4, although it holds the mapped block.
    everything = parse_range("::/0")
    assert everything is not None
    assert Ranges([(*everything, 1)]).owners("45.137.22.9") == ()
