"""Defender's detections: judged by Graph's form of them, read back, and parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from foxhunt.content import ContentFile, Subject, get_content
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType
from foxhunt.lint.kusto import Kusto
from foxhunt.rules import MatchMode, build_rule
from tests import families
from tests.unit.content.bicep_reader import read_resource

# Graph docs, alertTemplate and its parts, 2026-06; as strict as the service: what is gone since
# 2026-10 is refused, and so are a second tactic and an id that begins with a digit.
_MAPPING = {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}}
_TECHNIQUE = {
    "type": "object",
    "required": ["technique"],
    "additionalProperties": False,
    "properties": {
        "technique": {"pattern": "^T[0-9]{4}$"},
        "subTechniques": {"minItems": 1, "items": {"pattern": r"^T[0-9]{4}\.[0-9]{3}$"}},
    },
}
_TACTIC = {
    "type": "object",
    "required": ["tactic", "techniques"],
    "additionalProperties": False,
    "properties": {
        "tactic": {"pattern": "^[A-Z][A-Za-z]+$"},
        "techniques": {"type": "array", "minItems": 1, "items": _TECHNIQUE},
    },
}
_TEMPLATE = {
    "type": "object",
    "required": ["title", "description", "severity", "entityMappings"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1, "maxLength": 256},
        "description": {"type": "string", "minLength": 1},
        "severity": {"enum": ["informational", "low", "medium", "high"]},
        "tactics": {"type": "array", "maxItems": 1, "items": _TACTIC},
        "entityMappings": {
            "type": "object",
            "additionalProperties": {"type": "array", "minItems": 1, "items": _MAPPING},
            "anyOf": [{"required": [kind]} for kind in ("hosts", "accounts", "mailboxes")],
        },
    },
}
SCHEMA = {
    "type": "object",
    "required": ["id", "displayName", "status", "queryCondition", "schedule", "detectionAction"],
    "additionalProperties": False,
    "properties": {
        "id": {"pattern": "^[A-Za-z][A-Za-z0-9_-]{0,99}$"},
        "displayName": {"type": "string", "minLength": 1, "maxLength": 256},
        "status": {"enum": ["enabled", "disabled"]},
        "queryCondition": {
            "type": "object",
            "properties": {"queryText": {"type": "string", "minLength": 1, "maxLength": 10_000}},
            "required": ["queryText"],
            "additionalProperties": False,
        },
        "schedule": {
            "type": "object",
            "properties": {"frequency": {"enum": ["PT0S", "PT1H", "PT3H", "PT12H", "P1D"]}},
            "required": ["frequency"],
            "additionalProperties": False,
        },
        "detectionAction": {
            "type": "object",
            "properties": {"alertTemplate": _TEMPLATE},
            "required": ["alertTemplate"],
            "additionalProperties": False,
        },
    },
}
SETS = {
    "unknown_rat": families.unknown_rat,
    "every_type": families.every_type,
    "hostile": families.hostile,
}


def files_of(indicators: IndicatorSet, mode: MatchMode = MatchMode.EXACT) -> list[ContentFile]:
    family = indicators.families()[0]
    rule = build_rule(family.name, family.malware, indicators, mode)
    return list(get_content("defender")(Subject(rule=rule)))


def bodies_of(indicators: IndicatorSet) -> Iterator[dict[str, Any]]:
    files = [file for file in files_of(indicators) if file.name.endswith(".json")]
    assert files
    yield from (json.loads(file.text) for file in files)


def hash_of(number: int = 1, **fields: Any) -> Indicator:
    return families.indicator(IndicatorType.SHA256, families.SHA256, number, **fields)


@pytest.mark.parametrize("name", SETS)
def test_bodies_keep_to_the_form_of_graph(name: str) -> None:
    for body in bodies_of(SETS[name]()):
        jsonschema.validate(body, SCHEMA)


@pytest.mark.parametrize("name", SETS)
def test_the_bicep_twin_says_the_same_and_numbers_its_mappings(name: str) -> None:
    files = {file.name: file.text for file in files_of(SETS[name]())}
    assert files

    for key in {file.rpartition(".")[0] for file in files}:
        twin: Any = read_resource(files[f"{key}.bicep"])
        mappings = twin["detectionAction"]["alertTemplate"]["entityMappings"]
        ids = [mapping.pop("id") for listed in mappings.values() for mapping in listed]
        assert len(set(ids)) == len(ids) > 0
        assert twin == json.loads(files[f"{key}.json"])


def test_results_hold_the_keys_of_their_event_and_every_column_that_is_mapped(kusto: Kusto) -> None:
    for body in bodies_of(families.every_type()):
        query = body["queryCondition"]["queryText"]
        judged = kusto.judge(query)
        mappings = body["detectionAction"]["alertTemplate"]["entityMappings"]
        mapped = {
            column for listed in mappings.values() for one in listed for column in one.values()
        }
        keys = {"DeviceId", "ReportId"} if "hosts" in mappings else {"ReportId"}

        assert judged.errors == ()
        assert {"Timestamp", *keys, *mapped} <= {name for name, _ in judged.columns}
        # The service bounds the time; a bound of the query's own would cut late events off.
        assert "ago(" not in query


def test_tables_without_a_detection_are_named_with_their_reason() -> None:
    files = files_of(families.every_type())
    tables = {re.split(r"[-.]", file.name)[1] for file in files}
    (left,) = {
        line
        for file in files
        for line in file.text.splitlines()
        if line.startswith("// Left out: ")
    }

    assert tables == {
        *("devicefileevents", "deviceimageloadevents", "devicenetworkevents"),
        *("deviceprocessevents", "emailattachmentinfo", "urlclickevents"),
    }
    assert left == (
        "// Left out: CommonSecurityLog, DnsEvents, ASimDnsActivityLogs, ASimNetworkSessionLogs "
        "(only Sentinel has it); EmailUrlInfo (no asset in its rows)"
    )


def test_term_queries_lack_the_keys_of_an_event_and_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"no DeviceId, ReportId in its rows"):
        files_of(families.every_type(), MatchMode.TERM)


def test_two_families_of_one_name_have_names_of_their_own() -> None:
    names = [
        body["displayName"]
        for malware in ("win.latrodectus", "js.latrodectus", "x" * 400)
        for body in bodies_of(IndicatorSet.of([hash_of(malware=malware)]))
    ]

    assert len(set(names)) == len(names) == 12
    assert all(len(name) <= 256 for name in names)


def test_a_second_tactic_is_left_out_and_named() -> None:
    both = (hash_of(1, threat_type="payload"), hash_of(2, threat_type="botnet_cc"))
    texts = [file.text for file in files_of(IndicatorSet.of(both)) if file.name.endswith(".bicep")]

    assert texts
    for text in texts:
        assert "// Left out, as a detection has one tactic: Execution\n" in text
        assert "tactic: 'CommandAndControl'" in text and "T1204" not in text


def test_a_subtechnique_stands_below_its_technique() -> None:
    for body in bodies_of(IndicatorSet.of([hash_of()])):
        (tactic,) = body["detectionAction"]["alertTemplate"]["tactics"]
        assert tactic["techniques"] == [{"technique": "T1204", "subTechniques": ["T1204.002"]}]


def test_an_unknown_threat_type_has_no_tactic() -> None:
    for body in bodies_of(IndicatorSet.of([hash_of(threat_type="other")])):
        jsonschema.validate(body, SCHEMA)
        assert "tactics" not in body["detectionAction"]["alertTemplate"]
