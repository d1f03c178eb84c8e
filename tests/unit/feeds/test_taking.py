"""Runs read together: every record once, in its order, whatever stands between them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from foxhunt.feeds.columns import read_columns
from foxhunt.feeds.csv_runs import CsvRun
from foxhunt.feeds.raw import RawRecord
from foxhunt.feeds.taking import Taken, take_parts
from foxhunt.feeds.threatfox import read_record

from .feed_samples import csv_row


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("foxhunt.feeds.taking._GROUP", 5)
    yield


def row(number: int, **fields: str) -> dict[str, str]:
    return csv_row(ioc_id=str(number), ioc_value=f"a{number}.org", **fields)


def run(*rows: dict[str, str]) -> CsvRun:
    return CsvRun(pa.Table.from_pylist(list(rows)))


def take(*parts: RawRecord | CsvRun) -> Taken:
    return take_parts(parts, read_record, read_columns)


def ids(taken: Taken) -> list[str]:
    return [name for table in taken.tables for name in table["source_id"].to_pylist()]


def test_runs_and_single_records_stay_in_their_order() -> None:
    taken = take(
        run(row(1), row(2)),
        run(row(3)),
        (None, row(4)),
        run(row(5), row(6), row(7)),
        run(row(8), row(9)),
        run(row(10)),
        (None, row(11)),
    )

    assert ids(taken) == [str(number) for number in range(1, 12)]
    assert (taken.read, taken.recognised, taken.found) == (11, 11, 11)


def test_an_odd_record_is_found_in_its_own_run() -> None:
    """The wrong one would be an indicator twice, and another one lost."""
    odd = row(3, first_seen_utc="2024-02-29T12:00:00.5+02:00")
    refused = row(5, ioc_type="ipv6")

    taken = take(run(row(1), row(2)), run(odd, row(4)), run(refused, row(6)))

    assert ids(taken) == ["1", "2", "3", "4", "6"]
    assert [one.source_id for one in taken.quarantined] == ["5"]


def test_runs_of_other_columns_are_read_apart() -> None:
    more = row(3) | {"severity": "9"}

    taken = take(run(row(1), row(2)), run(more), run(row(4)))

    assert ids(taken) == ["1", "2", "3", "4"]
    assert taken.unknown == {"severity"}
