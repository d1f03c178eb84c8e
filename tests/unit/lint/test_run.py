"""Files of every kind: places, limits, what has to agree, and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from foxhunt.content import Subject, get_content
from foxhunt.errors import UsageError
from foxhunt.lint import Level, Report, lint_paths
from foxhunt.lint import syntax as syntax_module
from foxhunt.rules import build_rule
from tests import families
from tests.conftest import PACKAGE

WRONG = 'DnsEvents\n| where TimeGenerated > ago(1d)\n| where Name has "evil.com"\n'


@pytest.fixture(autouse=True)
def _kusto_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(PACKAGE))
    syntax_module.microsoft.cache_clear()


def deployed(folder: Path, *formats: str) -> Path:
    rule = build_rule("Unknown RAT", "win.unknown_rat", families.every_type())
    for name in formats:
        for file in get_content(name)(Subject(rule=rule)):
            (folder / file.name).write_text(file.text)
    return folder


def found(report: Report) -> list[tuple[str, int | None, int | None]]:
    return [(one.code, one.at.line, one.at.column) for one in report.issues]


def test_everything_that_foxhunt_deploys_is_clean(tmp_path: Path) -> None:
    formats = (
        *("sentinel-analytics", "sentinel-hunting", "arm-analytics", "arm-hunting"),
        *("bicep-analytics", "bicep-hunting", "defender", "kql"),
    )
    report = lint_paths([str(deployed(tmp_path, *formats))])

    assert report.queries > 100
    assert [one for one in report.issues if one.level is not Level.WARNING] == []
    assert report.judges == ("duckdb-kql", "Microsoft's")


def test_a_place_in_kql(tmp_path: Path) -> None:
    (tmp_path / "a.kql").write_text(f"// first\nprint 1\n\n{WRONG}")

    assert found(lint_paths([str(tmp_path / "a.kql")])) == [("L121", 6, 9)]


def rule(**changes: Any) -> dict[str, Any]:
    (file,) = (
        one
        for one in get_content("sentinel-analytics")(
            Subject(rule=build_rule("Rat", "win.rat", families.unknown_rat()))
        )
        if one.name == "analytic-dnsevents-name.yaml"
    )
    return {**yaml.safe_load(file.text), **changes}


def test_a_place_in_yaml_is_that_of_the_file(tmp_path: Path) -> None:
    text = "id: x\nquery: |\n  " + WRONG.replace("\n", "\n  ").rstrip() + "\n"
    (tmp_path / "a.yaml").write_text(text)
    report = lint_paths([str(tmp_path)])

    assert ("L121", 5, 11) in found(report)


def test_a_place_in_json_is_where_the_query_stands(tmp_path: Path) -> None:
    body = {"displayName": "x", "queryCondition": {"queryText": WRONG}}
    (tmp_path / "a.json").write_text(json.dumps(body, indent=1))
    report = lint_paths([str(tmp_path)])

    assert [(one.code, one.at.line) for one in report.issues] == [("L121", 4)]


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
    ],
)
def test_what_a_rule_may_not_be(
    tmp_path: Path, changes: dict[str, Any], code: str, words: str
) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(rule(**changes)))
    report = lint_paths([str(tmp_path)])

    assert any(one.code == code and words in one.message for one in report.issues)


def test_the_rule_it_all_starts_from_is_clean(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(rule()))

    assert lint_paths([str(tmp_path)]).issues == ()


def test_an_entity_of_a_column_that_is_not_there(tmp_path: Path) -> None:
    fields = [{"identifier": "FullName", "columnName": "Nope"}]
    mapping = [{"entityType": "Host", "fieldMappings": fields}]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(rule(entityMappings=mapping)))
    (issue,) = lint_paths([str(tmp_path)]).issues

    assert (issue.code, "Nope" in issue.message) == ("L135", True)


def test_two_rules_of_one_id(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(rule()))
    (issue,) = lint_paths([str(tmp_path)]).issues

    assert (issue.code, Path(issue.at.name).name) == ("L133", "b.yaml")


def test_a_table_of_somebodys_own_is_not_judged_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.kql").write_text("MyTable_CL\n| where TimeGenerated > ago(1d)\n")
    report = lint_paths([str(tmp_path)])

    assert report.count(Level.ERROR) == 0
    assert [one.code for one in report.issues] == ["L103"]


def test_without_microsofts_parser_the_other_judges_and_says_what_it_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(tmp_path / "none"))
    syntax_module.microsoft.cache_clear()
    (tmp_path / "a.kql").write_text("DnsEvents | where TimeGenerated > ago(1d) | were Name\n")
    (tmp_path / "b.kql").write_text("Other_CL | where TimeGenerated > ago(1d)\n")
    report = lint_paths([str(tmp_path)])

    assert report.judges == ("duckdb-kql",)
    assert [one.code for one in report.issues] == ["L101", "L103"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.yaml", b"a: [", "not YAML or JSON"),
        ("a.json", b"\xff\xfe\x00", "no UTF-8"),
        ("a.yaml", b"- 1\n", "holds no rule"),
        ("a.yaml", b"a: &x [1]\nb: *x\n", "aliases"),
        ("a.yaml", b"[" * 100 + b"]" * 100, "levels of nesting"),
        ("a.yaml", b"a: !!python/object:os.system x\nquery: !x y\n", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_not_a_clean_one(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    report = lint_paths([str(tmp_path)])

    assert report.issues
    assert any(words in one.message for one in report.issues)


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        lint_paths([str(tmp_path / "x")])
    with pytest.raises(UsageError, match="holds no"):
        lint_paths([str(tmp_path)])
