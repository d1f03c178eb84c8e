"""Files that strangers made: refused whole with a reason, or every record accounted for.

The archives are in test_opening.py; here is what stands inside.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import FeedError
from foxhunt.feeds import sync_files
from foxhunt.indicators import IndicatorStore

from .feed_samples import (
    COLUMNS_2026,
    csv_export,
    csv_row,
    export,
    read_bytes,
    record,
    write,
)

HOSTILE = {
    "quotes": "a'b\"c`d''e\"\"",
    "backslashes": "\\",
    "newlines": "a\nb\r\nc",
    "kql": '"]); union *',
    "script": "<script>alert(1)</script>",
    "formula": "=cmd|' /C calc'!A0",
    "long": "x" * 100_000,
    "nul": "a\x00b",
    "escape": "\x1b[2J\x9b",
    "direction": "\u202eevil\u2066",
    "lone surrogate": "a\ud800b",
    "template": "{{7*7}}${7*7}%s%n",
    "separators": "\u2028\u2029\x1f\x85",
    "only space": " \t ",
    "percent": "%00%0a%2e%2e/",
}
FREE_TEXT = ("reference", "reporter")
LABELS = ("malware", "malware_printable", "threat_type")


@pytest.fixture
def store(tmp_path: Path) -> IndicatorStore:
    return IndicatorStore(tmp_path / "home")


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("type_", ["domain", "ip:port", "url", "sha256_hash", "body_from"])
def test_a_hostile_value_costs_no_other_record(kind: str, type_: str) -> None:
    bad = record(ioc_value=HOSTILE[kind], ioc_type=type_)

    read = read_bytes(export(record(), bad, record(ioc_value="b.org")))

    assert read.report.read == 3
    assert {"texornacu.com", "b.org"} <= {i.value for i in read.indicators}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_domain_is_quarantined_with_its_reason(kind: str) -> None:
    (refused,) = read_bytes(export(record(ioc_value=HOSTILE[kind]))).report.quarantined

    assert refused.reason.startswith("H101: ")
    shown = HOSTILE[kind][:200].encode("utf-8", "backslashreplace").decode()
    assert refused.value == shown


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("field", FREE_TEXT)
def test_hostile_free_text_goes_through_the_store_exactly(
    tmp_path: Path, store: IndicatorStore, kind: str, field: str
) -> None:
    sync_files(store, [write(tmp_path, "x.json", export(record(**{field: HOSTILE[kind]})))])

    (found,) = store.load()

    expected = HOSTILE[kind].replace("\ud800", "\ufffd")
    assert getattr(found, field) == expected


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("field", LABELS)
def test_a_hostile_label_is_kept_exactly_or_quarantined(kind: str, field: str) -> None:
    read = read_bytes(export(record(**{field: HOSTILE[kind]})))

    for found in read.indicators:
        assert getattr(found, field) == HOSTILE[kind]
    assert len(read.indicators) + len(read.report.quarantined) == 1


@pytest.mark.parametrize("kind", sorted(HOSTILE.keys() - {"lone surrogate"}))
@pytest.mark.parametrize("column", ["ioc_value", "tags", "reporter", "malware_alias", "ioc_id"])
def test_a_hostile_csv_field_costs_no_other_record(kind: str, column: str) -> None:
    rows = (csv_row(ioc_id="1"), csv_row(**{"ioc_id": "2", column: HOSTILE[kind]}), csv_row())

    read = read_bytes(csv_export(*rows))

    assert read.report.read == 3
    assert {"1", "1766774"} <= {i.source_id for i in read.indicators}
    assert read.report.notes == ()


def test_invalid_utf8_costs_the_record_or_only_the_character() -> None:
    good, bad_tag, bad_value = (
        json.dumps(record(**changes)).encode()
        for changes in ({}, {"tags": "@@"}, {"ioc_value": "@@.org"})
    )
    data = b'{"1": [%s], "2": [%s], "3": [%s]}' % (good, bad_tag, bad_value)

    read = read_bytes(data.replace(b"@@", b"\xff\xc3"))

    assert {i.source_id: i.tags for i in read.indicators} == {
        "1": ("rat", "c2"),
        "2": ("\ufffd\ufffd",),
    }
    (refused,) = read.report.quarantined
    assert (refused.source_id, refused.value) == ("3", "\\udcff\\udcc3.org")


def test_invalid_utf8_in_csv_costs_the_record_or_only_the_character() -> None:
    data = csv_export(csv_row(ioc_id="1", tags="@@"), csv_row(ioc_id="2", ioc_value="@@.org"))

    read = read_bytes(data.replace(b"@@", b"\xff\xc3"))

    assert [i.tags for i in read.indicators] == [("\ufffd\ufffd",)]
    assert [q.source_id for q in read.report.quarantined] == ["2"]


def test_deep_nesting_inside_a_record_is_refused_or_quarantined() -> None:
    for depth in (10, 500, 900, 950, 980, 990, 1000, 100_000):
        text = json.dumps({"1": [record(ioc_value="@@")]})
        data = text.replace('"@@"', "[" * depth + "]" * depth).encode()
        try:
            read = read_bytes(data)
        except FeedError as error:
            assert "nested too deeply" in str(error)  # either is right
        else:
            assert len(read.report.quarantined) == 1


TEXT = st.text() | st.sampled_from(sorted(HOSTILE.values()))


@given(st.lists(st.dictionaries(st.sampled_from(sorted(record())), TEXT), max_size=5))
def test_no_json_record_is_ever_lost(changes: list[dict[str, str]]) -> None:
    records = [record() | change for change in changes]

    read = read_bytes(export(*records))

    assert read.report.read == len(records)


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS_2026), TEXT.filter(str.isprintable))))
def test_no_csv_record_is_ever_lost(changes: list[dict[str, str]]) -> None:
    rows = [csv_row() | change for change in changes]

    read = read_bytes(csv_export(*rows))

    assert read.report.read == len(rows)
    assert read.report.notes == (() if rows else ("it holds no records",))


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:1a \n#\\').map(str.encode))
def test_any_bytes_are_a_feed_or_a_feed_error(data: bytes) -> None:
    try:
        read_bytes(data)
    except FeedError as error:
        assert error.code == "H201"  # either is right
