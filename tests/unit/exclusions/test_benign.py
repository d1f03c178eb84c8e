"""Labels: what is known by itself, and MISP's warning lists in their five ways of matching."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import UsageError
from foxhunt.exclusions import builtin_labels, label_indicators, load_warninglists
from foxhunt.exclusions.benign import RESERVED_NAME_LABEL, SHARED_LABEL
from foxhunt.feeds import read_indicators
from foxhunt.indicators import IndicatorSet, IndicatorType
from tests import families


@pytest.mark.parametrize(
    ("type_", "value", "label"),
    [
        ("domain", "duckdns.org", SHARED_LABEL),
        ("domain", "co.uk", SHARED_LABEL),
        ("domain", "evil.duckdns.org", None),
        ("url", "https://drive.google.com/uc?id=x", SHARED_LABEL),
        ("ip:port", "10.0.0.7:443", "private address"),
        ("ip:port", "[2001:db8::1]:443", "address for documentation"),
        ("ip:port", "45.137.22.7:443", None),
        ("md5_hash", "d41d8cd98f00b204e9800998ecf8427e", "hash of an empty file"),
        ("md5_hash", "44d88612fea8a8f36de82e1278abb02f", "hash of the EICAR test file"),
        ("sha256_hash", families.SHA256, None),
    ],
)
def test_what_is_known_without_a_list(type_: str, value: str, label: str | None) -> None:
    assert builtin_labels(type_, value) == (() if label is None else (label,))


@given(st.ip_addresses())
def test_every_address_that_nobody_can_reach_is_labelled(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    mapped = isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped
    if not mapped and (not address.is_global or address.is_multicast):
        assert len(builtin_labels("ip:port", str(address))) == 1


@pytest.mark.parametrize("name", ["printer.local", "www.example.com", "x.test"])
def test_a_reserved_name_is_labelled(name: str) -> None:
    assert builtin_labels("domain", name) == (RESERVED_NAME_LABEL,)


def write_list(folder: Path, name: str, **fields: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"name": name, **fields}))


@pytest.mark.parametrize(
    ("matching", "entry", "known", "unknown"),
    [
        ("string", "a.org", [("domain", "a.org")], [("domain", "b.a.org"), ("domain", "xa.org")]),
        (
            "hostname",
            "a.org",
            [("domain", "a.org"), ("domain", "b.a.org"), ("url", "http://b.a.org/x")],
            [("domain", "xa.org"), ("domain", "a.org.evil.com")],
        ),
        ("hostname", ".a.org", [("domain", "b.a.org")], [("domain", "xa.org")]),
        ("substring", "good", [("domain", "very-good.org")], [("domain", "bad.org")]),
        (
            "cidr",
            "45.137.0.0/16",
            [("ip:port", "45.137.22.7:443"), ("url", "http://45.137.1.1/x")],
            [("ip:port", "45.138.0.1:443"), ("domain", "a.org")],
        ),
        ("regex", "/^a+\\.org$/i", [("domain", "aaa.org")], [("domain", "b.org")]),
    ],
)
def test_each_way_of_matching(
    tmp_path: Path,
    matching: str,
    entry: str,
    known: list[tuple[str, str]],
    unknown: list[tuple[str, str]],
) -> None:
    write_list(tmp_path, "known", type=matching, list=[entry])
    lists = load_warninglists(tmp_path)

    assert lists.labels_of(known) == [("known",)] * len(known)
    assert lists.labels_of(unknown) == [()] * len(unknown)


def test_a_list_is_only_about_what_it_says(tmp_path: Path) -> None:
    write_list(tmp_path, "urls", type="string", list=["a.org"], matching_attributes=["md5"])

    assert load_warninglists(tmp_path).labels("domain", "a.org") == ()


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"list": "x"}', '{"list": [1]}', '{"list": [], "type": "magic"}']
)
def test_a_broken_list_stops_everything(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.json").write_text(content)

    with pytest.raises(UsageError, match=r"bad\.json"):
        load_warninglists(tmp_path)


def test_entries_that_can_match_nothing_are_counted(tmp_path: Path) -> None:
    write_list(tmp_path, "mixed", type="cidr", list=["10.0.0.0/8", "no range", "10.0.0.0/99"])

    lists = load_warninglists(tmp_path)

    assert [(one.entry, one.at.record) for one in lists.unused] == [
        ("no range", 2),
        ("10.0.0.0/99", 3),
    ]
    assert lists.labels("ip:port", "10.1.2.3:80") == ("mixed",)


def test_a_folder_without_lists_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no warning list"):
        load_warninglists(tmp_path)


def test_indicators_are_labelled_by_position(tmp_path: Path) -> None:
    write_list(tmp_path, "top sites", type="hostname", list=["licdn.com"])
    indicators = IndicatorSet.of(
        families.indicator(IndicatorType.DOMAIN, name, number)
        for number, name in enumerate(("duckdns.org", "evil.org", "snap.licdn.com"))
    )

    labels = label_indicators(indicators, load_warninglists(tmp_path))

    assert {indicators[at].value: found for at, found in labels.items()} == {
        "duckdns.org": (SHARED_LABEL,),
        "snap.licdn.com": ("top sites",),
    }


def test_labels_of_a_set_are_those_of_its_values() -> None:
    indicators = families.every_type()

    labels = label_indicators(indicators)

    one_by_one = {at: builtin_labels(one.type, one.value) for at, one in enumerate(indicators)}
    assert labels == {at: found for at, found in one_by_one.items() if found}
    assert len(labels) == 2
    assert label_indicators(indicators, builtin=False) == {}


def test_labels_of_a_real_feed_are_those_of_its_values(shared_data: Path) -> None:
    lists = load_warninglists(shared_data / "fp" / "warninglists")
    feed = next((shared_data / "threatfox" / "recent").glob("*.json.gz"))
    indicators, _ = read_indicators([str(feed)])

    labels = label_indicators(indicators, lists)

    assert len(labels) > 100
    for at, one in enumerate(indicators):
        known = (*builtin_labels(one.type, one.value), *lists.labels(one.type, one.value))
        assert labels.get(at, ()) == known


def test_real_lists_know_a_top_site_and_two_in_five_listed_addresses(shared_data: Path) -> None:
    lists = load_warninglists(shared_data / "fp" / "warninglists")
    feeds = sorted((shared_data / "threatfox" / "recent").glob("*.json.gz"))
    indicators, _ = read_indicators([str(feed) for feed in feeds])
    addresses = {
        one.value.rpartition(":")[0]
        for one in indicators
        if one.type is IndicatorType.IP_PORT and not one.value.startswith("[")
    }
    raw = json.loads((shared_data / "fp/warninglists/vpn-ipv4.json").read_text("utf-8"))
    networks = sorted(
        (int(net.network_address), int(net.broadcast_address))
        for net in (ipaddress.ip_network(entry, strict=False) for entry in raw["list"])
    )
    numbers = {address: int(ipaddress.ip_address(address)) for address in addresses}
    expected = {
        address
        for address, number in numbers.items()
        if any(first <= number <= last for first, last in networks)
    }

    found = {
        address
        for address, labels in zip(
            addresses, lists.labels_of([("ip:port", f"{a}:1") for a in addresses]), strict=True
        )
        if raw["name"] in labels
    }

    assert "Top 10K most-used sites from Tranco" in lists.labels("domain", "snap.licdn.com")
    # 963 of 2,473: no reason to suppress anything.
    assert len(expected) / len(addresses) == pytest.approx(0.39, abs=0.01)
    assert found == expected
