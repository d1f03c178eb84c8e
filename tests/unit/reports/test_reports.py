"""The registry of reports and the schemas that ship with it."""

from __future__ import annotations

import pytest

from foxhunt.reports import get_report, load_schema, report_names, schema_names


def test_the_formats_are_those_of_the_command_line() -> None:
    assert report_names() == ("csv", "html", "json", "md", "ndjson", "table")


def test_an_unknown_report_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="unknown report 'pdf'; known: csv, html, json, md"):
        get_report("pdf")


def test_every_schema_loads_and_an_unknown_one_names_them() -> None:
    assert [load_schema(name)["title"] for name in schema_names()] == [
        "foxhunt.events/1",
        "foxhunt.hunt/1",
    ]
    with pytest.raises(KeyError, match="unknown schema 'x'; known: events-1, hunt-1"):
        load_schema("x")
