"""What a file says of its query: schema, limits, what has to agree, within it and in a folder."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from foxhunt.content import Subject, get_content
from foxhunt.lint import Issue, Level, lint_paths
from foxhunt.lint.attack import tactics_of
from foxhunt.rules import build_rule
from tests import families
from tests.conftest import PACKAGE


@pytest.fixture(autouse=True)
def _kusto_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(PACKAGE))


def files(format_name: str) -> dict[str, str]:
    rule = build_rule("Rat", "win.rat", families.unknown_rat())
    return {one.name: one.text for one in get_content(format_name)(Subject(rule=rule))}


def rule(**changes: Any) -> dict[str, Any]:
    text = files("sentinel-analytics")["analytic-dnsevents-name.yaml"]
    return {**yaml.safe_load(text), **changes}


def of_yaml(tmp_path: Path, **changes: Any) -> tuple[Issue, ...]:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(rule(**changes)))
    return lint_paths([str(tmp_path)]).issues


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"queryPeriod": "30m"}, "L131", "shorter than queryFrequency"),
        ({"queryFrequency": "4m", "queryPeriod": "5m"}, "L131", "queryFrequency is 4m"),
        ({"queryFrequency": "30m", "queryPeriod": "2d"}, "L131", "two days"),
        ({"tactics": ["Execution"]}, "L132", "T1071 belongs to CommandAndControl"),
        ({"kind": "NRT"}, "L114", "cannot join"),
        ({"severity": "Critical"}, "L130", "severity"),
        ({"id": "x"}, "L130", "id"),
        ({"name": "n" * 257}, "L130", "name"),
        ({"entityMappings": []}, "L130", "entityMappings"),
        ({"customDetails": {"a b": "Name"}}, "L130", "customDetails"),
        ({"triggerThreshold": 10_001}, "L130", "triggerThreshold"),
        ({"query": "print x = 1 // " + "x" * 10_000}, "L111", "room for 10,000"),
        ({"query": ""}, "L101", "empty"),
        ({"query": "DnsEvents | where TimeGenerated > ago(1d) | where"}, "L102", "KS"),
        ({"query": "DnsEvents | where TimeGenerated > ago(1d) | where Nmae == 1"}, "L102", "Nmae"),
        ({"queryPeriod": "P1D", "queryFrequency": "1:00:00"}, "L130", "queryPeriod"),
        ({"relevantTechniques": ["T1056.003"]}, "L132", "CredentialAccess"),
        ({"relevantTechniques": ["T9999"]}, "L132", "no technique of ATT&CK"),
        (
            {"alertDetailsOverride": {"alertDisplayNameFormat": "{{A}} {{B}} {{C}} {{D}}"}},
            "L136",
            "names 4 columns",
        ),
        ({"alertDetailsOverride": {"alertDisplayNameFormat": "x {{Nope}}"}}, "L135", "Nope"),
        ({"alertDetailsOverride": {"alertSeverityColumnName": "Nope"}}, "L135", "Nope"),
        ({"customDetails": {"a": "Nope"}}, "L135", "Nope"),
        ({"unheard_of": 1}, "L130", "unheard_of"),
    ],
)
def test_what_a_rule_may_not_be(
    tmp_path: Path, changes: dict[str, Any], code: str, words: str
) -> None:
    found = of_yaml(tmp_path, **changes)

    assert any(one.code == code and words in one.message for one in found)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"queryFrequency": "1:00:00", "queryPeriod": "1.00:00:00"},
        {"relevantTechniques": ["T1071.004"], "tactics": ["CommandAndControl", "Impact"]},
        {"relevantTechniques": ["T0801"]},
        {"tactics": [], "relevantTechniques": []},
    ],
)
def test_what_a_rule_may_be(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert of_yaml(tmp_path, **changes) == ()


def test_a_field_that_is_not_known_here_may_be_known_to_the_service(tmp_path: Path) -> None:
    (issue,) = of_yaml(tmp_path, unheard_of=1)

    assert issue.level is Level.WARNING


def test_an_issue_stands_where_the_field_does(tmp_path: Path) -> None:
    fields = [{"identifier": "FullName", "columnName": "Nope"}]
    (issue,) = of_yaml(tmp_path, entityMappings=[{"entityType": "Host", "fieldMappings": fields}])
    line = (tmp_path / "a.yaml").read_text().split("\n")[(issue.at.line or 0) - 1]

    assert issue.code == "L135"
    assert line[(issue.at.column or 0) - 1 :] == "Nope"


def test_without_microsofts_parser_the_pipe_tells_what_is_returned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(tmp_path / "none"))
    query = "X_CL | where TimeGenerated > ago(1d) | project TimeGenerated, Host"
    fields = [{"identifier": "FullName", "columnName": "Computer"}]
    mapping = [{"entityType": "Host", "fieldMappings": fields}]
    found = of_yaml(
        tmp_path, query=query, entityMappings=mapping, customDetails={}, alertDetailsOverride={}
    )

    assert [one.code for one in found] == ["L135", "L103"]


def test_a_streamed_rule_needs_no_frequency(tmp_path: Path) -> None:
    value = rule(kind="NRT")
    for name in ("queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"):
        del value[name]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(value))

    assert [one.code for one in lint_paths([str(tmp_path)]).issues if one.code == "L130"] == []


def test_two_rules_of_one_id(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(rule()))
    (issue,) = of_yaml(tmp_path)

    assert (issue.code, Path(issue.at.name).name) == ("L133", "b.yaml")


def test_two_resources_of_one_id_in_one_template(tmp_path: Path) -> None:
    (text, *_) = files("arm-analytics").values()
    value = json.loads(text)
    value["resources"].append(copy.deepcopy(value["resources"][0]))
    (tmp_path / "a.json").write_text(json.dumps(value, indent=1))

    assert [one.code for one in lint_paths([str(tmp_path)]).issues] == ["L133"]


def test_two_templates_of_one_file_name_are_told_once(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        id_ = f"00000000-0000-4000-8000-00000000000{number}"
        (tmp_path / str(number) / "a.yaml").write_text(yaml.safe_dump(rule(id=id_)))
    (issue,) = lint_paths([str(tmp_path)]).issues

    assert (issue.code, issue.level) == ("L134", Level.WARNING)


def arm(tmp_path: Path, **changes: Any) -> list[str]:
    (text, *_) = files("arm-analytics").values()
    value = json.loads(text)
    value["resources"][0]["properties"].update(changes)
    (tmp_path / "a.json").write_text(json.dumps(value))
    return [one.code for one in lint_paths([str(tmp_path)]).issues]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"queryPeriod": "PT5M"}, ["L131"]),
        ({"queryPeriod": "P15D"}, ["L131"]),
        ({"queryPeriod": "P1DT12H", "queryFrequency": "P1DT11H30M"}, []),
        ({"queryPeriod": "soon"}, ["L130"]),
        ({"queryPeriod": "[parameters('period')]"}, []),
        ({"enabled": "[parameters('enabled')]"}, []),
        ({"enabled": "yes"}, ["L130"]),
        ({"techniques": ["T1056"]}, ["L132"]),
        ({"displayName": "n" * 257}, ["L130"]),
    ],
)
def test_arm(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    assert arm(tmp_path, **changes) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("schedule",), {"period": "2H"}, ["L130"]),
        (("schedule",), {"period": "3H"}, []),
        (("schedule", "frequency"), "hourly", ["L130"]),
        (("schedule",), {}, ["L130"]),
        (("status",), "disabled", []),
        (("detectionAction", "alertTemplate", "entityMappings"), {}, ["L130"]),
        (
            ("detectionAction", "alertTemplate", "entityMappings"),
            {"hosts": [{"deviceIdColumn": "Nope"}]},
            ["L135"],
        ),
        (("detectionAction", "alertTemplate", "severity"), "High", ["L130"]),
        (("detectionAction", "alertTemplate", "impactedAssets"), [], ["L130"]),
        (("displayName",), "", ["L130"]),
        (("queryCondition", "queryText"), "DeviceNetworkEvents | where Nope", ["L102"]),
    ],
)
def test_defender(
    tmp_path: Path, path: tuple[str, ...], value: object, expected: list[str]
) -> None:
    text = next(text for name, text in files("defender").items() if name.endswith(".json"))
    body = inner = json.loads(text)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (tmp_path / "a.json").write_text(json.dumps(body))

    assert [one.code for one in lint_paths([str(tmp_path)]).issues] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("queryPeriod: '", "queryPeriod: 'PT1M' // '", ["L131", "L131"]),
        ("displayName: '", "displayName: '" + "n" * 300, ["L130"]),
        ("query: '", "query: '// " + "n" * 10_000 + "\\n", ["L111"]),
    ],
)
def test_bicep(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    (text, *_) = files("bicep-analytics").values()
    assert old in text
    (tmp_path / "a.bicep").write_text(text.replace(old, new, 1))

    assert [one.code for one in lint_paths([str(tmp_path)]).issues] == expected


def test_tactics_are_those_of_attack() -> None:
    assert tactics_of("T1071.004") == frozenset({"CommandAndControl"})
    assert tactics_of("T1056.003") == frozenset({"Collection", "CredentialAccess"})
    assert sorted(tactics_of("T1078") or ()) == [
        *("DefenseEvasion", "InitialAccess", "Persistence", "PrivilegeEscalation"),
    ]
    assert tactics_of("T9999") is None
