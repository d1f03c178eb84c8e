"""JSON: exactly what was found, in exactly the documented form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator, ValidationError

from foxhunt.findings import HuntResult
from foxhunt.reports import load_schema
from foxhunt.reports.json_report import finding_object, render
from tests import golden_files

from . import report_samples as samples
from .report_strategies import results

SCHEMA = load_schema("hunt-1")
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["telling", "empty", "blind", "incomplete", "hostile"])
def test_golden(name: str) -> None:
    result: HuntResult = getattr(samples, f"{name}_result")()
    text = render(result)

    VALIDATOR.validate(json.loads(text))
    golden_files.check(f"reports/json/{name}.json", text)


@settings(max_examples=60)
@given(results())
def test_every_result_is_valid_ascii(result: HuntResult) -> None:
    text = render(result)

    assert text.isascii()
    VALIDATOR.validate(json.loads(text))


def test_values_come_back_exactly() -> None:
    result = samples.hostile_result()
    found = json.loads(render(result))

    for finding, given_ in zip(found["findings"], result.findings, strict=True):
        assert finding["observed"] == list(given_.observed)
        assert finding["host"] == given_.host
        assert finding["indicator"]["value"] == given_.indicator.value
        assert finding["rows"][0] == dict(given_.rows[0])
    assert [q["value"] for q in found["indicators"]["quarantined"]] == list(samples.HOSTILE)


def _broken(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(render(samples.telling_result()))
    *parents, last = path
    target: Any = whole
    for key in parents:
        target = target[key]
    target[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "foxhunt.hunt/2"),
        (("surplus",), 1),
        (("started",), "2026-06-01 12:00:00"),
        (("started",), "2026-06-01T12:00:00+02:00"),
        (("coverage", 0, "status"), "clean"),
        (("coverage", 0, "rows"), -1),
        (("findings", 0, "verdict"), "benign"),
        (("findings", 0, "severity"), "critical"),
        (("findings", 0, "match"), "fuzzy"),
        (("findings", 0, "direction"), "sideways"),
        (("findings", 0, "events"), 0),
        (("findings", 0, "by_verdict"), {"benign": 1}),
        (("findings", 0, "rows"), [{"nested": {}}]),
        (("findings", 0, "indicator", "confidence_level"), 101),
        (("findings", 0, "indicator", "type"), "ipv4"),
        (("indicators", "quarantined", 0), {"value": "x"}),
        (("exclusions", 0, "warnings"), None),
        (("summary", "open"), "2"),
    ],
)
def test_the_schema_catches_what_breaks_the_promise(
    path: tuple[str | int, ...], value: object
) -> None:
    with pytest.raises(ValidationError):
        VALIDATOR.validate(_broken(path, value))


@pytest.mark.parametrize("key", ["coverage", "findings", "summary", "indicators", "exclusions"])
def test_no_part_may_be_missing(key: str) -> None:
    whole = json.loads(render(samples.telling_result()))
    del whole[key]

    with pytest.raises(ValidationError):
        VALIDATOR.validate(whole)


def test_looked_and_did_not_look_differ_in_coverage() -> None:
    def statuses(result: HuntResult) -> list[str]:
        return [entry["status"] for entry in json.loads(render(result))["coverage"]]

    assert statuses(samples.empty_result()) == ["no-data", "hunted"]
    assert statuses(samples.blind_result()) == ["no-data", "no-data"]
    assert statuses(samples.incomplete_result()) == ["hunted", "not-evaluated", "not-evaluated"]


def test_numbers_that_json_lacks_become_text() -> None:
    row = {"a": float("nan"), "b": float("-inf"), "c": 0.5, "_file": "f", "_row": 1}
    finding = replace(samples.finding("f"), rows=(row,))

    assert finding_object(finding)["rows"] == [
        {"a": "nan", "b": "-inf", "c": 0.5, "_file": "f", "_row": 1}
    ]
