"""Records of CSV: the exports of both widths, tables made of them, and broken lines."""

from __future__ import annotations

import io

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds.csv_records import csv_parts, csv_records
from foxhunt.feeds.raw import Broken, Reading, Run

from .feed_samples import csv_export, csv_row

TABLE = "malware,ioc_type,ioc_value,timestamp\n"


def taken(text: str) -> tuple[Reading, list[object]]:
    reading = Reading("feed.csv")
    records = list(csv_records(io.StringIO(text, newline=""), reading))
    assert all(source_id is None for source_id, _ in records)
    return reading, [raw for _, raw in records]


def test_an_export_is_read_by_its_commented_header() -> None:
    rows = [csv_row(), csv_row(ioc_id="2", tags='a "quoted" word, and more')]

    reading, records = taken(csv_export(*rows).decode())

    assert records == rows
    assert (reading.format, reading.notes) == ("CSV export", [])


def test_an_export_of_14_columns_is_read_too() -> None:
    text = csv_export(csv_row()).decode()
    text = text.replace('"is_compromised",', "").replace('"False", ', "")

    (row,) = taken(text)[1]

    assert row == {name: v for name, v in csv_row().items() if name != "is_compromised"}


def test_a_table_that_somebody_made_is_read_by_its_plain_header() -> None:
    reading, records = taken(TABLE + "win.fox,domain,x.evil.org,2023-12-01 17:36:15\n")

    assert reading.format == "CSV table"
    assert records == [
        {
            "malware": "win.fox",
            "ioc_type": "domain",
            "ioc_value": "x.evil.org",
            "timestamp": "2023-12-01 17:36:15",
        }
    ]


def test_a_row_of_a_table_may_begin_like_a_comment() -> None:
    _, records = taken(TABLE + "#1 fox,domain,x.evil.org,2023\n# only, a remark\n#\n")

    assert [row["malware"] for row in records if isinstance(row, dict)] == ["#1 fox"]
    assert len(records) == 1


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_blank_lines_and_line_endings_do_not_matter(ending: str) -> None:
    text = csv_export(csv_row(), csv_row(ioc_id="2")).decode().replace("\r\n", ending)

    assert taken(text + ending)[1] == [csv_row(), csv_row(ioc_id="2")]
    assert taken(ending + text)[1] == [csv_row(), csv_row(ioc_id="2")]


def test_a_missing_closing_line_is_said() -> None:
    text = csv_export(csv_row()).decode().partition("# Number")[0]

    assert taken(text)[0].notes == ["the closing line is missing: the file may be cut off"]


def test_another_number_of_entries_than_told_is_said() -> None:
    reading, _ = taken(csv_export(csv_row(), entries=3).decode())

    assert reading.notes == ["the file says it has 3 entries; 1 were read"]


def test_a_broken_line_takes_no_other_line_with_it() -> None:
    lines = csv_export(*(csv_row(ioc_id=str(n)) for n in range(6))).decode().split("\r\n")
    start = next(at for at, line in enumerate(lines) if line.startswith('"2026'))
    lines[start + 1] = lines[start + 1].removesuffix('"')  # an open quote
    lines[start + 3] += ', "one more"'
    lines[start + 4] = "x"

    _, records = taken("\r\n".join(lines))

    whole = [row["ioc_id"] for row in records if isinstance(row, dict)]
    assert whole == ["0", "2", "5"]
    assert [row.why for row in records if isinstance(row, Broken)] == [
        "not a line of CSV: unexpected end of data",
        "16 fields, the header has 15",
        "1 fields, the header has 15",
    ]


def test_a_field_longer_than_csv_takes_is_one_broken_record() -> None:
    text = csv_export(csv_row(), csv_row(tags="x" * 200_000), csv_row()).decode()

    _, records = taken(text)

    assert [type(row) for row in records] == [dict, Broken, dict]


def test_a_quoted_line_break_stays_inside_its_record() -> None:
    _, records = taken(csv_export(csv_row(tags="a\nb")).decode())

    assert records == [csv_row(tags="a\nb")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "no header with ioc_value and ioc_type"),
        ("not a feed at all", "neither JSON nor a CSV of ThreatFox"),
        ("# only\n# comments\n", "no header with ioc_value and ioc_type"),
        ("ioc_value,ioc_type,ioc_type\n", "a column stands twice in the header"),
        ("x" * 2_000_000, "feed.csv:1: H201: a line longer than"),
    ],
)
def test_what_is_no_csv_of_threatfox_is_refused(text: str, message: str) -> None:
    with pytest.raises(FeedError) as caught:
        taken(text)
    assert message in str(caught.value)


def test_odd_lines_between_regular_ones_are_not_each_the_end_of_a_run() -> None:
    """A reporter who puts a quote into each second tag would make a sync take hours."""
    rows = [csv_row(ioc_id=str(n), tags='a "b"' if n % 2 else "a") for n in range(200)]
    text = csv_export(*rows).decode()

    parts = list(csv_parts(io.StringIO(text, newline=""), Reading("feed.csv")))

    runs = [part for part in parts if isinstance(part, Run)]
    assert len(runs) <= 1
    records = [part[1] for part in parts if isinstance(part, tuple)]
    assert [row for run in runs for row in run.columns().to_pylist()] + records == rows


def test_long_stretches_of_regular_lines_are_runs_again_after_an_odd_one() -> None:
    rows = [csv_row(ioc_id=str(n), tags='"' if n in (0, 1, 2, 700) else "a") for n in range(1400)]
    text = csv_export(*rows).decode()

    parts = list(csv_parts(io.StringIO(text, newline=""), Reading("feed.csv")))

    lengths = [len(part) for part in parts if isinstance(part, Run)]
    assert len(lengths) == 2
    assert sum(lengths) > 1300
