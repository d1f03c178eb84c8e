"""NDJSON: a finding a line, and a line for whatever was not evaluated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from foxhunt.findings import HuntResult
from foxhunt.reports import load_schema
from foxhunt.reports.ndjson import render
from foxhunt.reports.summary import gaps
from tests import golden_files

from . import report_samples as samples
from .report_strategies import results


def _validator(definition: str) -> Draft202012Validator:
    schema = load_schema("hunt-1")
    return Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{definition}"})


def _lines(result: HuntResult) -> list[dict[str, Any]]:
    text = render(result)
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("name", ["telling", "empty", "blind", "incomplete", "hostile"])
def test_golden(name: str) -> None:
    result: HuntResult = getattr(samples, f"{name}_result")()

    golden_files.check(f"reports/ndjson/{name}.ndjson", render(result))


@settings(max_examples=60)
@given(results())
def test_lines_are_findings_then_gaps_of_the_schema(result: HuntResult) -> None:
    lines = _lines(result)
    findings, others = lines[: len(result.findings)], lines[len(result.findings) :]

    assert len(others) == len(gaps(result))
    for line in findings:
        _validator("finding").validate(line)
    for line in others:
        _validator("coverage").validate(line)


def test_looked_and_found_nothing_is_empty_and_did_not_look_is_not() -> None:
    assert render(samples.empty_result()) == ""
    assert [line["status"] for line in _lines(samples.blind_result())] == ["no-data"] * 2
    assert [line["status"] for line in _lines(samples.incomplete_result())] == (
        ["not-evaluated"] * 2
    )
