"""The bytes of a snapshot: everything comes back, and damage is found out."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foxhunt.errors import StoreError
from foxhunt.indicators import IndicatorSet
from foxhunt.indicators.snapshot import decode, encode
from foxhunt.snapshot_files import created_at, snapshot_name

from .indicator_samples import indicator, refused
from .test_collection import FULL

NOW = datetime(2026, 7, 14, 8, 24, 11, 120345, tzinfo=UTC)


def test_indicators_and_quarantine_come_back_exactly() -> None:
    odd = refused("q:1", "\"]); union * | '\\\x00\n<script>=cmd|")
    gone = replace(refused("3"), retracted_at=NOW)
    written = IndicatorSet.of([FULL, indicator("1")], [odd, refused("2"), odd, gone])
    data = encode(written)

    read = decode(data, snapshot_name(data, NOW))

    assert list(read) == list(written)
    assert read.table.equals(written.table)
    assert read.quarantined == written.quarantined


@pytest.mark.parametrize("quarantined", [(), (refused("1"),)])
def test_an_empty_set_comes_back_empty(quarantined: tuple[()]) -> None:
    data = encode(IndicatorSet.of((), quarantined))

    read = decode(data, snapshot_name(data, NOW))

    assert len(read) == 0
    assert read.quarantined == quarantined


def test_the_name_tells_the_time_and_sorts_by_it() -> None:
    name = snapshot_name(b"", NOW)

    assert name.startswith("20260714T082411.120345Z-")
    assert created_at(name) == NOW
    assert name < snapshot_name(b"", NOW.replace(microsecond=120346))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../x",
        "current",
        "20260714T082411.120345Z-xyz",
        "99999999T082411.000000Z-" + "a" * 16,
    ],
)
def test_what_is_no_name_has_no_time(name: str) -> None:
    assert created_at(name) is None


def test_every_changed_byte_and_every_cut_is_found_out() -> None:
    data = encode(IndicatorSet.of([FULL]))
    name = snapshot_name(data, NOW)

    for position in range(0, len(data), 97):
        damaged = bytearray(data)
        damaged[position] ^= 1
        with pytest.raises(StoreError, match=r"H202: snapshot 2026.* is damaged"):
            decode(bytes(damaged), name)
        with pytest.raises(StoreError, match="is damaged"):
            decode(data[:position], name)


def test_whole_bytes_of_something_else_are_refused() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), sink)

    for data in (b"no Parquet", sink.getvalue()):
        with pytest.raises(StoreError, match=r"H202: snapshot .* cannot be read"):
            decode(data, snapshot_name(data, NOW))
