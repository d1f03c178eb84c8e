"""The registry of reports and the schemas that ship with it."""

from __future__ import annotations

from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from foxhunt.reports import get_report, load_schema, report_names, schema_names


def test_the_formats_are_those_of_the_command_line() -> None:
    assert report_names() == ("csv", "html", "json", "md", "ndjson", "table")


def test_an_unknown_report_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="unknown report 'pdf'; known: csv, html, json, md"):
        get_report("pdf")


def test_every_schema_loads_and_an_unknown_one_names_them() -> None:
    for name in schema_names():
        schema = load_schema(name)
        Draft202012Validator.check_schema(schema)
        kind, version = name.split("-")
        assert schema["title"] == f"foxhunt.{kind}/{version}"
    assert {"hunt-1", "sync-1", "doctor-1", "show-1"} <= set(schema_names())
    with pytest.raises(KeyError, match="unknown schema 'x'; known: changes-1, doctor-1, events-1"):
        load_schema("x")


def test_every_schema_that_is_kept_is_named() -> None:
    folder = resources.files("foxhunt.reports").joinpath("schema")
    kept = (file.name.removesuffix(".schema.json") for file in folder.iterdir())

    assert sorted(kept) == sorted(schema_names())
