"""abuse.ch's false-positive list: both forms, and what an entry is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import UsageError
from foxhunt.exclusions import read_fplist
from foxhunt.indicators import IndicatorSet, IndicatorType
from tests import families

JSON = json.dumps(
    {
        "1": {
            "time_stamp": "2026-06-04 07:46:14 UTC",
            "platform": "ThreatFox",
            "entry_type": "domain",
            "entry_value": "texornacu[.]com",
            "removed_by": "x",
            "removal_notes": "sinkholed\n<script>",
        },
        "2": {"entry_type": "ip", "entry_value": "45.137.22.7"},
        "3": {"entry_type": "ip:port", "entry_value": "185.220.101.4:80"},
        "4": {"entry_type": "domain", "entry_value": "not a domain"},
        "5": {"entry_type": "sha256_hash", "entry_value": families.SHA256.upper()},
        "6": "nothing",
    }
)
CSV = (
    '# banner\n# "time_stamp","removal_id","platform","entry_type","entry_value"\n'
    '"2026-06-04 07:46:14","1","ThreatFox","domain","texornacu.com"\n'
    '"2026-06-04 07:46:14","2","ThreatFox"\n'
)


@pytest.mark.parametrize(
    ("type_", "value", "is_covered"),
    [
        (IndicatorType.DOMAIN, "texornacu.com", True),
        (IndicatorType.DOMAIN, "c2.texornacu.com", False),
        (IndicatorType.URL, "http://texornacu.com/x", False),
        (IndicatorType.IP_PORT, "45.137.22.7:443", True),
        (IndicatorType.IP_PORT, "45.137.22.7:8080", True),
        (IndicatorType.IP_PORT, "185.220.101.4:80", True),
        (IndicatorType.IP_PORT, "185.220.101.4:81", False),
        (IndicatorType.SHA256, families.SHA256, True),
    ],
)
def test_an_entry_is_about_its_value(
    tmp_path: Path, type_: IndicatorType, value: str, is_covered: bool
) -> None:
    path = tmp_path / "fp.json"
    path.write_text(JSON)
    indicator = families.indicator(type_, value)

    taken = read_fplist([path])

    assert (taken.covers(indicator) is not None) is is_covered
    assert bool(taken.covered(IndicatorSet.of([indicator]))) is is_covered


def test_entries_that_cannot_be_read_are_counted_with_reasons(tmp_path: Path) -> None:
    path = tmp_path / "fp.json"
    path.write_text(JSON)

    taken = read_fplist([path])

    assert len(taken.entries) == 4
    assert [(one.at.record, bool(one.reason)) for one in taken.unread] == [(4, True), (6, True)]
    assert taken.entries[0].notes == "sinkholed <script>"


def test_csv_reads_like_json(tmp_path: Path) -> None:
    path = tmp_path / "fp.csv"
    path.write_text(CSV)

    taken = read_fplist([path])

    assert [(one.value, one.removal_id) for one in taken.entries] == [("texornacu.com", "1")]
    assert [one.reason for one in taken.unread] == ["3 fields, the header has 5"]


def test_of_two_entries_about_a_value_the_later_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "fp.json"
    times = (
        *("2026-06-04 07:46:14 UTC", "2026-06-09T00:00:00+00:00", "2026-06-05", "never", None),
        *("0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"),
    )
    entries = [{"entry_value": "texornacu.com", "time_stamp": time} for time in times]
    path.write_text(json.dumps(entries))

    entry = read_fplist([path]).covers(families.indicator(IndicatorType.DOMAIN, "texornacu.com"))

    assert entry is not None
    assert entry.at.record == 2


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("hxxp://texornacu[.]com/gate", IndicatorType.URL),
        (families.SHA256, IndicatorType.SHA256),
        ("ab12" * 8, IndicatorType.MD5),
        ("texornacu.com", IndicatorType.DOMAIN),
        ("[2a02:4780::1]:8080", IndicatorType.IP_PORT),
        ("2a02:4780::1", None),
        ("45.137.22.7", None),
    ],
)
def test_an_entry_without_a_type_has_the_type_of_its_form(
    tmp_path: Path, value: str, type_: IndicatorType | None
) -> None:
    path = tmp_path / "fp.json"
    path.write_text(json.dumps({"1": {"entry_value": value}}))

    (entry,) = read_fplist([path]).entries

    assert entry.type is type_


def test_an_address_without_port_is_about_all_ports_of_ipv6_too(tmp_path: Path) -> None:
    path = tmp_path / "fp.json"
    path.write_text(json.dumps({"1": {"entry_type": "ip", "entry_value": "2A02:4780:0::1"}}))
    indicator = families.indicator(IndicatorType.IP_PORT, "[2a02:4780::1]:8080")

    taken = read_fplist([path])

    assert taken.covers(indicator) is not None
    assert list(taken.covered(IndicatorSet.of([indicator]))) == [0]


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.fixed_dictionaries(
            {},
            optional={
                "entry_value": st.text(max_size=20) | st.integers() | st.just("\ud800.org"),
                "entry_type": st.text(max_size=4) | st.sampled_from(["ip", "domain", "url"]),
                "time_stamp": st.text(max_size=12) | st.none() | st.lists(st.integers()),
                "removal_notes": st.text(max_size=12) | st.just("\x1b[2J\ud800"),
            },
        )
        | st.none(),
        max_size=4,
    )
)
def test_each_entry_is_read_or_counted_and_printable(
    tmp_path_factory: pytest.TempPathFactory, raw: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "fp-hostile.json"
    path.write_text(json.dumps(raw))

    taken = read_fplist([path])

    assert len(taken.entries) + len(taken.unread) == len(raw)
    assert all(one.notes.isprintable() and one.value.isprintable() for one in taken.entries)
    assert all(one.reason and one.value.isprintable() for one in taken.unread)


@pytest.mark.parametrize(
    "content",
    ["", "a,b\n1,2\n", "{", '{"query_status": "unknown_auth_key", "data": "no"}', "\xff"],
)
def test_what_is_no_list_is_a_usage_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fp"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(UsageError, match="fp"):
        read_fplist([path])
