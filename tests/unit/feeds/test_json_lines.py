"""Entries written a field a line: what they are read as, and what is not read so."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds.json_lines import Frame, LinesRun
from foxhunt.feeds.json_runs import Form
from foxhunt.feeds.raw import OUTER_ID

from .feed_samples import record

Entries = dict[str, list[dict[str, Any]]]


def frame_of(text: str) -> Frame | None:
    form = Form.of(text)
    assert form is not None
    return Frame.of(text[1:], form.opening, form.closing)


def run_of(entries: Entries, *, is_ascii: bool = False, change: tuple[str, str] = ("", "")) -> Any:
    """All of the entries as one run, with one text put in place of another."""
    text = json.dumps(entries, indent=4, ensure_ascii=is_ascii)
    text = text[text.index('"') :]
    frame = frame_of(text)
    assert frame is not None
    return LinesRun(text[1 : text.rindex("]")].rstrip().replace(*change), frame)


def test_each_record_is_a_row_with_its_id() -> None:
    values = [f"é{number}.org" for number in range(5)]
    entries = {str(n): [record(ioc_value=value)] for n, value in enumerate(values)}

    run = run_of(entries)
    table = run.columns()

    assert len(run) == 5
    assert table[OUTER_ID].to_pylist() == list(entries)
    assert table["ioc_value"].to_pylist() == values
    assert table["confidence_level"].to_pylist() == [100] * 5
    assert table["is_compromised"].to_pylist() == [False] * 5
    assert table["reference"].to_pylist() == [None] * 5
    assert run.record(3) == ("3", entries["3"][0])


def test_the_second_record_of_an_entry_has_an_id_of_its_own() -> None:
    entries = {str(n): [record(reporter=f"{n}.{i}") for i in range(1 + n % 3)] for n in range(7)}

    table = run_of(entries).columns()

    found = dict(zip(table[OUTER_ID].to_pylist(), table["reporter"].to_pylist(), strict=True))
    assert found == {
        str(n) if i == 0 else f"{n}.{i + 1}": f"{n}.{i}" for n in range(7) for i in range(1 + n % 3)
    }


@pytest.mark.parametrize("name", ["ioc_value", "reporter", "tags", "first_seen_utc"])
@pytest.mark.parametrize("odd", ['a"b', "a\\b", '", "x": "y', '"', 5.5, True, 10**30, 7])
def test_an_odd_value_is_kept_for_the_plain_reader(name: str, odd: object) -> None:
    entries = {str(n): [record(**{name: odd} if n == 2 else {})] for n in range(5)}

    run = run_of(entries)

    assert run.columns()[OUTER_ID].is_null().to_pylist() == [n == 2 for n in range(5)]
    key, found = run.record(2)
    assert (key, found | {name: str(odd)}) == ("2", entries["2"][0] | {name: str(odd)})


@pytest.mark.parametrize("value", ["]", "}", "],", "a, b", "{", "[{", "null", "7", ""])
def test_texts_that_look_like_json_are_texts(value: str) -> None:
    entries = {str(n): [record(reporter=value, reference=value)] for n in range(3)}

    run = run_of(entries)

    assert run.columns()[OUTER_ID].to_pylist() == ["0", "1", "2"]
    assert run.columns()["reporter"].to_pylist() == [value] * 3
    assert run.columns()["reference"].to_pylist() == [value] * 3
    assert run.record(1) == ("1", entries["1"][0])


def test_escapes_in_the_first_record_are_no_matter() -> None:
    entries = {str(n): [record(reporter='a"\\é' if n == 0 else "x")] for n in range(3)}

    run = run_of(entries, is_ascii=True)

    assert run.columns()[OUTER_ID].to_pylist() == [None, "1", "2"]
    assert run.record(0) == ("0", entries["0"][0])


def test_numbers_written_as_texts_stay_texts() -> None:
    run = run_of({str(n): [record(confidence_level="75", anonymous="0")] for n in range(3)})

    assert run.columns()["confidence_level"].type == pa.string()
    assert run.columns()["anonymous"].to_pylist() == ["0"] * 3


@pytest.mark.parametrize(
    "change",
    [
        ('"2": [', '"x": ['),
        ('"2": [', '"²": ['),
        ('"2": [', f'"{"1" * 21}": ['),
        ('"2": [\n', '"2": [ \n'),
        ('"2": [\n        {\n', '"2": [{\n'),
        ("    ],\n", "    ]\n"),
        ("        }\n    ],\n", "        },\n    ],\n"),
        ("        }\n    ],\n", "        },\n        {\n        }\n    ],\n"),
        ("    ],\n", "    ],\n\n"),
        ('            "tags": "rat,c2",\n', ""),
        ('            "tags": "rat,c2",\n', '            "tags": "rat,c2"\n'),
        ('            "tags": "rat,c2",\n', '            "tags": nil,\n'),
        ('            "tags": "rat,c2",\n', '            "tags": "a"}, {"b": "c",\n'),
        ('            "tags": "rat,c2",\n', '            "tags": "a", "reporter": "b\n'),
        ("somebody", "\ud800"),
        ('"somebody"\n', '"somebody",\n'),
    ],
)
def test_what_is_not_certainly_such_entries_is_no_run(change: tuple[str, str]) -> None:
    with pytest.raises(FeedError):
        run_of({str(n): [record()] for n in range(4)}, change=change)


@pytest.mark.parametrize("indent", [None, 0, "\t", 1])
def test_only_a_field_a_line_has_a_frame(indent: int | str | None) -> None:
    text = json.dumps({str(n): [record()] for n in range(3)}, indent=indent)
    frame = frame_of(text[text.index('"') :])

    assert (frame is None) == (indent is None)


@pytest.mark.parametrize(
    "first",
    [
        record(tags=["a"]),
        {},
        record() | {"tags\\n": "a"},
        {"": "a"},
        {"a": {"b": "c"}},
        {OUTER_ID: "7"},
    ],
)
def test_entries_that_begin_with_an_odd_record_have_no_frame(first: dict[str, Any]) -> None:
    text = json.dumps({"1": [first], "2": [record()]}, indent=4)

    assert Form.of(text[text.index('"') :]) is None or frame_of(text[text.index('"') :]) is None
