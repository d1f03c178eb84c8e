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
from foxhunt.rules import build_rule
from tests import families
from tests.conftest import PACKAGE

WRONG = 'DnsEvents\n| where TimeGenerated > ago(1d)\n| where Name has "evil.com"\n'


@pytest.fixture(autouse=True)
def _kusto_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(PACKAGE))


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


def test_a_place_in_json_is_that_of_the_file(tmp_path: Path) -> None:
    body = {"displayName": "x", "queryCondition": {"queryText": WRONG}}
    (tmp_path / "a.json").write_text(json.dumps(body, indent=1))
    report = lint_paths([str(tmp_path)])
    ((line, column),) = ((line, col) for code, line, col in found(report) if code == "L121")

    assert (line, column) == (
        4,
        (tmp_path / "a.json").read_text().split("\n")[3].index("Name ") + 1,
    )


def test_the_rule_it_all_starts_from_is_clean(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(rule()))

    assert lint_paths([str(tmp_path)]).issues == ()


def test_a_table_of_somebodys_own_is_not_judged_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.kql").write_text("MyTable_CL\n| where TimeGenerated > ago(1d)\n")
    report = lint_paths([str(tmp_path)])

    assert report.count(Level.ERROR) == 0
    assert [one.code for one in report.issues] == ["L103"]


def test_without_microsofts_parser_the_other_judges_and_says_what_it_did_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXHUNT_KUSTO", str(tmp_path / "none"))
    (tmp_path / "a.kql").write_text("DnsEvents | where TimeGenerated > ago(1d) | were Name\n")
    (tmp_path / "b.kql").write_text("Other_CL | where TimeGenerated > ago(1d)\n")
    report = lint_paths([str(tmp_path)])

    assert report.judges == ("duckdb-kql",)
    assert [one.code for one in report.issues] == ["L101", "L103"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.yaml", b"a: [", "not YAML"),
        ("a.json", b"\xff\xfe\x00", "no UTF-8"),
        ("a.yaml", b"- 1\n", "no query and no rule"),
        ("a.json", b"[]", "no query and no rule"),
        ("a.kql", b"// nothing\n", "no query and no rule"),
        ("a.kql", b"T\0", "NUL"),
        ("a.yaml", b"a: &x [1]\nb: *x\n", "aliases"),
        ("a.yaml", b"[" * 100 + b"]" * 100, "levels of nesting"),
        ("a.yaml", b"a: !!python/object:os.system x\nquery: !x y\n", "the tag"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_a_clean_one(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    (issue,) = lint_paths([str(tmp_path / name)]).issues

    assert (issue.code, issue.level) == ("L100", Level.NOT_JUDGED)
    assert words in issue.message


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        lint_paths([str(tmp_path / "x")])
    with pytest.raises(UsageError, match="holds no"):
        lint_paths([str(tmp_path)])
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UsageError, match="no query and no rule"):
        lint_paths([str(tmp_path)])


def test_what_a_folder_holds_besides_content_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a.kql").write_text(WRONG)
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "b.yaml").write_text("a: !x 1")
    report = lint_paths([str(tmp_path)])

    assert (report.files, report.skipped) == (1, (str(tmp_path / "package.json"),))


def test_a_query_that_arm_or_bicep_computes_is_not_judged(tmp_path: Path) -> None:
    search = "Microsoft.OperationalInsights/workspaces/savedSearches"
    body = {"type": search, "properties": {"query": "[parameters('q')]"}}
    (tmp_path / "a.json").write_text(json.dumps({"resources": {"x": body}}))
    (tmp_path / "b.bicep").write_text(
        f"resource x '{search}@2025-07-01' = {{\n  query: loadTextContent('a.kql')\n}}\n"
    )
    report = lint_paths([str(tmp_path)])

    computed = [one for one in report.issues if one.code == "L106"]
    assert [(Path(one.at.name).name, one.level) for one in computed] == [
        ("a.json", Level.NOT_JUDGED),
        ("b.bicep", Level.NOT_JUDGED),
    ]


def test_other_resources_of_a_template_are_not_ours(tmp_path: Path) -> None:
    workspace = {"type": "Microsoft.OperationalInsights/workspaces", "properties": {"sku": {}}}
    search = {
        "type": "microsoft.operationalinsights/workspaces/savedsearches",
        "properties": {"displayName": "[parameters('n')]", "category": "c", "query": "[[print 1"},
    }
    nested = {"type": "x/deployments", "properties": {"template": {"resources": [search]}}}
    (tmp_path / "a.json").write_text(json.dumps({"resources": [workspace, nested]}))
    report = lint_paths([str(tmp_path)])

    assert report.queries == 1
    assert {one.code for one in report.issues} == {"L102"}  # of the bracket that ARM leaves


@pytest.mark.parametrize("package", ["microsoft", "none"])
@pytest.mark.parametrize(
    "text", ["print x = " + "(" * 5_000 + "1" + ")" * 5_000, "print " + "[" * 100, "x" * 1_100_000]
)
def test_what_ends_a_parser_is_not_judged_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, text: str
) -> None:
    if package == "none":
        monkeypatch.setenv("FOXHUNT_KUSTO", str(tmp_path / "none"))
    (tmp_path / "a.kql").write_text(text)
    report = lint_paths([str(tmp_path)])

    assert report.count(Level.NOT_JUDGED) + report.count(Level.ERROR) > 0
