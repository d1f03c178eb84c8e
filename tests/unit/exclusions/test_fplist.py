"""abuse.ch's false-positive list: both forms, and what an entry is about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    "content",
    ["", "a,b\n1,2\n", "{", '{"query_status": "unknown_auth_key", "data": "no"}', "\xff"],
)
def test_what_is_no_list_is_a_usage_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fp"
    path.write_bytes(content.encode("latin-1"))

    with pytest.raises(UsageError, match="fp"):
        read_fplist([path])
