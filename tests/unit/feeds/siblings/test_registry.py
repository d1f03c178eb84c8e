"""Which reader a file gets: by its beginning, never by its name."""

from __future__ import annotations

import json

import pytest

from foxhunt.feeds.siblings import get_sibling, sibling_for, sibling_names

from ..feed_samples import api_record, csv_export, csv_row, export, record
from ..sibling_samples import URLHAUS_JSON, indicator


def test_an_unknown_feed_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="known: stix, misp, urlhaus"):
        get_sibling("otx")
    assert all(get_sibling(name) for name in sibling_names())


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b" \n",
        b"<html>",
        b"{}",
        b"[]",
        b"[1, 2]",
        b"\x00\xff\xfe",
        b'{"a": {"b": [{"Event": 1}]}}',
        export(record()),
        json.dumps({"query_status": "ok", "data": [api_record()]}).encode(),
        csv_export(csv_row()),
        b"malware,ioc_type,ioc_value,timestamp\n",
    ],
)
def test_what_is_threatfox_or_nobodys_has_no_sibling(head: bytes) -> None:
    assert sibling_for(head) is None


def test_a_sample_of_a_threatfox_record_is_no_record_of_malwarebazaar() -> None:
    sample = {
        "time_stamp": "2026-05-24 06:12:33",
        "md5_hash": "0" * 32,
        "sha256_hash": "0" * 64,
        "sha1_hash": "0" * 40,
        "signature": "Fox",
    }

    assert sibling_for(json.dumps(api_record(malware_samples=[sample])).encode()) is None


@pytest.mark.parametrize("spacing", [None, 4])
def test_neither_spacing_nor_a_cut_head_matters(spacing: int | None) -> None:
    for document in (json.loads(URLHAUS_JSON), {"objects": [indicator("x")], "type": "bundle"}):
        text = "\n \t" + json.dumps(document, indent=spacing)
        assert sibling_for(text.encode()) is not None
    assert sibling_for(URLHAUS_JSON.encode()[:300]) is not None


def test_a_head_that_ends_within_a_character_is_read() -> None:
    data = ('{"type": "bundle", "name": "' + "ü" * 4000).encode()

    assert sibling_for(data[:4097]) is not None
