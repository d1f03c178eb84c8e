"""The index of all entries says what reading every list entry by entry would say."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.exclusions.list_index import MATCHING_TYPES, ListIndex, Observed

ABOUT = frozenset({"name"})
LABELS = st.sampled_from(["a", "b", "ab", "com", "evil", "x1"])
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
PARTS = st.text(alphabet="ab.cevil", min_size=1, max_size=8).filter(lambda part: bool(part.strip()))
ADDRESSES = st.integers(0, 15).map(lambda low: str(ipaddress.IPv4Address((45 << 24) + low)))
RANGES = st.tuples(ADDRESSES, st.integers(28, 32)).map(lambda pair: f"{pair[0]}/{pair[1]}")
# The part of each expression that RE2 and Python's `re` read alike.
REGEXES = st.sampled_from(["^a", r"\.com$", "e.il", "(ab|x1)", "a{2}", "^$", "/^EVIL/i", "/b$/"])
ENTRIES = st.one_of(
    st.tuples(st.just("string"), NAMES),
    st.tuples(st.just("hostname"), NAMES | NAMES.map("*.{}".format) | NAMES.map(".{}".format)),
    st.tuples(st.just("substring"), PARTS),
    st.tuples(st.just("cidr"), RANGES),
    st.tuples(st.just("regex"), REGEXES),
)


def plain_match(matching: str, entry: str, text: str, is_address: bool) -> bool:
    """What an entry means, in the plainest words."""
    if matching == "string":
        return text == entry
    if matching == "hostname":
        apex = entry.lstrip("*").lstrip(".")
        return text == apex or (not is_address and text.endswith("." + apex))
    if matching == "substring":
        return entry in text
    if matching == "cidr":
        network = ipaddress.ip_network(entry, strict=False)
        return is_address and ipaddress.ip_address(text) in network
    body, _, flags = entry.removeprefix("/").rpartition("/") if entry[0] == "/" else (entry, "", "")
    return re.search(body, text, re.IGNORECASE if "i" in flags else 0) is not None


@given(
    st.lists(ENTRIES, max_size=10),
    st.lists(NAMES.map(lambda name: (name, False)) | ADDRESSES.map(lambda a: (a, True))),
)
def test_the_index_is_the_plain_reading(
    entries: list[tuple[str, str]], values: list[tuple[str, bool]]
) -> None:
    index = ListIndex()
    for owner, (matching, entry) in enumerate(entries):
        assert index.add(matching, entry, owner) is None
    index.freeze()

    observed = [
        Observed(ABOUT, text, text, is_name=not is_address, is_address=is_address)
        for text, is_address in values
    ]

    assert index.owners(observed) == [
        {n for n, (matching, entry) in enumerate(entries) if plain_match(matching, entry, *value)}
        for value in values
    ]


@pytest.mark.parametrize("matching", MATCHING_TYPES)
@given(entry=st.text(max_size=30) | st.sampled_from(["\ud800", "(a{1000}){1000}", "[", "\0", "/"]))
def test_whatever_strangers_write_is_taken_or_refused_with_a_reason(
    matching: str, entry: str
) -> None:
    index = ListIndex()

    reason = index.add(matching, entry, 0)
    index.freeze()

    assert reason is None or reason
    assert len(index.owners([Observed(ABOUT, "a.org", "a.org", is_name=True)])) == 1


def test_substrings_that_all_start_alike_are_told_apart() -> None:
    index = ListIndex()
    for owner in range(2000):
        assert index.add("substring", f"www.site{owner}.", owner) is None
    index.freeze()
    name = "www.site17.www.site1234.org"

    (found,) = index.owners([Observed(ABOUT, name, name, is_name=True)])

    assert found == {17, 1234}
