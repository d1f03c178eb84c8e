"""Entries of a JSON export in bulk: what they are read as, and what is not read in bulk."""

from __future__ import annotations

import json
from typing import Any

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds.json_runs import Form, JsonRun
from foxhunt.feeds.raw import OUTER_ID

from .feed_samples import record


def run_of(entries: dict[str, Any], indent: int | None = None) -> JsonRun:
    """All of the entries as one run."""
    text = json.dumps(entries, indent=indent, ensure_ascii=False)
    form = Form.of(text[text.index('"') :])
    assert form is not None
    return JsonRun(text[text.index('"') + 1 : text.rindex("]")].rstrip(), form)


@pytest.mark.parametrize("indent", [None, 4])
def test_each_entry_is_a_row_with_its_id(indent: int | None) -> None:
    values = [f"é{number}.org" for number in range(5)]
    entries = {str(n): [record(ioc_value=value)] for n, value in enumerate(values)}

    table = run_of(entries, indent).columns()

    assert table[OUTER_ID].to_pylist() == list(entries)
    assert table["ioc_value"].to_pylist() == values
    assert table["confidence_level"].to_pylist() == [100] * 5


@pytest.mark.parametrize("odd", ['a"b', "a\\b", "a]b", "[a", "a}", "{", "\n"])
def test_an_odd_entry_is_kept_for_the_plain_reader(odd: str) -> None:
    entries = {str(n): [record(reporter=odd if n == 2 else "x")] for n in range(5)}

    run = run_of(entries)

    assert len(run) == 5
    assert run.columns()["ioc_value"].is_null().to_pylist() == [n == 2 for n in range(5)]
    assert run.record(2) == ("2", entries["2"][0])
    assert run.record(3) == ("3", entries["3"][0])


def test_texts_with_the_brackets_of_two_entries_are_kept_as_they_are() -> None:
    odd = record(reference="}]x", reporter=": [{y")
    entries = {str(n): [odd if n == 2 else record()] for n in range(5)}

    run = run_of(entries)

    assert len(run) == 5
    assert run.columns()["reporter"][2].as_py() is None
    assert run.record(2) == ("2", odd)


@pytest.mark.parametrize("name", ["x", "", "²", "1" * 21, "2,3"])
def test_what_stands_in_the_place_of_an_id_is_no_run(name: str) -> None:
    text = json.dumps({str(n): [record()] for n in range(4)})
    form = Form.of(text[1:])
    assert form is not None

    with pytest.raises(FeedError):
        JsonRun(text.replace('"2"', f'"{name}"')[2:-2], form)


def test_a_field_that_is_called_as_the_column_of_ids_is_no_run() -> None:
    with pytest.raises(FeedError):
        run_of({str(n): [record() | {OUTER_ID: "7"}] for n in range(3)})
