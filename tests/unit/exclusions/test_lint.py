"""The lint: each remark on the exclusion that deserves it, and silence on a good one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from foxhunt.exclusions import lint, read_exclusions
from tests import families

from .test_reading import ROOT

TODAY = date(2026, 7, 1)
SCOPE = "{families: [X], types: ['*'], tables: ['*']}"


def remarks(
    folder: Path,
    *whens: str,
    scope: str = "{families: [X], types: ['*'], tables: ['*']}",
    **fields: str,
) -> list[tuple[str, bool, str]]:
    """Code, level and exclusion of every remark on exclusions with these conditions."""
    text = "exclusions:\n"
    for number, when in enumerate(whens):
        values = {"id": f"x{number}", "scenario": "s", "reason": "r", "owner": "o"}
        values |= {"expires": "2027-01-31", "scope": scope, "when": when} | fields
        text += "  - " + "\n    ".join(f"{k}: {v}" for k, v in values.items()) + "\n"
    path = folder / "x.yaml"
    path.write_text(text)
    found = lint(
        tuple(read_exclusions([str(path)])), today=TODAY, indicators=families.unknown_rat()
    )
    return [(one.code, one.is_error, one.exclusion) for one in found]


@pytest.mark.parametrize(
    ("when", "code", "is_error"),
    [
        ("{process: [powershell.exe]}", "X101", True),
        ("{any: [{host: a}, {process: PsExec.exe}]}", "X101", True),
        ("{all: [{parent_process: svchost.exe}, {process: schtasks.exe}]}", "X101", True),
        ("{source_ip: 10.0.0.0/8}", "X103", False),
        ("{source_ip: 0.0.0.0/0}", "X103", True),
        ("{remote_ip: 'fc00::/7'}", "X103", False),
        ("{host: '*'}", "X104", True),
        ("{domain: duckdns.org}", "X105", True),
        ("{domain: com}", "X105", True),
        ("{any: [{host: a}, {not: {host: a}}]}", "X108", True),
        ("{all: [{host: a}, {not: {host: a}}]}", "X108", True),
        ("{any: [{not: {host: a}}, {not: {host: b}}]}", "X108", True),
        ("{all: [{remote_port: 80}, {remote_port: 443}]}", "X108", True),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, when: str, code: str, is_error: bool) -> None:
    assert (code, is_error, "x0") in remarks(tmp_path, when)


@pytest.mark.parametrize(
    "when",
    [
        "{all: [{process: [powershell.exe]}, {source_ip: 10.20.0.0/24}]}",
        "{process: backup-agent.exe}",
        "{domain: '=duckdns.org'}",
        "{host: 'lab-*'}",
        "{source_ip: 10.16.0.0/13}",
        "{any: [{host: a}, {host: b}]}",
        "{all: [{host: 'a*'}, {host: '*b'}]}",
        "{not: {host: a}}",
    ],
)
def test_a_good_exclusion_gets_no_remark(tmp_path: Path, when: str) -> None:
    assert remarks(tmp_path, when) == []


def test_covered_indicators_are_named(tmp_path: Path) -> None:
    everything = "{families: ['*'], types: ['*'], tables: [DnsEvents]}"
    (tmp_path / "x").mkdir()

    found = remarks(tmp_path, "{domain: texornacu.com}", scope=everything)
    narrow = remarks(tmp_path / "x", "{not: {domain: texornacu.com}}", scope=everything)

    assert found == [("X102", False, "x0")]
    assert narrow == []


@pytest.mark.parametrize(
    ("expires", "expected"),
    [
        ("2026-07-01", [("X106", True, "x0")]),
        ("2026-07-02", []),
        ("2028-07-02", []),
        ("2029-01-01", [("X107", False, "x0")]),
    ],
)
def test_expiry(tmp_path: Path, expires: str, expected: list[tuple[str, bool, str]]) -> None:
    assert remarks(tmp_path, "{host: a}", expires=expires) == expected


def test_a_table_that_needs_witnesses_is_a_warning_and_one_that_cannot_an_error(
    tmp_path: Path,
) -> None:
    scope = "{families: ['*'], types: ['*'], tables: [DnsEvents]}"

    assert remarks(tmp_path, "{process: agent.exe}", scope=scope) == [("X109", False, "x0")]
    assert remarks(tmp_path, "{path: a}", scope=scope) == [("X109", True, "x0")]


def test_one_condition_for_everything_is_a_warning(tmp_path: Path) -> None:
    scope = "{families: ['*'], types: ['*'], tables: ['*']}"

    assert remarks(tmp_path, "{user: svc-backup}", scope=scope) == [("X111", False, "x0")]


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("{host: a}", "{host: [a, b]}"),
        ("{all: [{host: a}, {user: u}]}", "{host: a}"),
        ("{source_ip: 10.1.2.0/24}", "{source_ip: 10.1.0.0/16}"),
        ("{domain: '=a.evil.org'}", "{domain: evil.org}"),
        ("{any: [{host: a}, {host: b}]}", "{host: [a, b, c]}"),
        ("{host: a}", "{any: [{host: a}, {user: u}]}"),
    ],
)
def test_an_exclusion_inside_another_is_a_warning(tmp_path: Path, inner: str, outer: str) -> None:
    assert remarks(tmp_path, inner, outer) == [("X110", False, "x0")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{host: a}", "{host: b}"),
        ("{host: a}", "{all: [{host: a}, {user: u}]}"),
        ("{domain: evil.org}", "{domain: '=evil.org'}"),
    ],
)
def test_the_wider_of_two_is_not_called_contained(tmp_path: Path, one: str, other: str) -> None:
    assert ("X110", False, "x0") not in remarks(tmp_path, one, other)


def test_the_example_has_no_errors() -> None:
    exclusions = tuple(read_exclusions([str(ROOT / "examples" / "exclusions.yaml")]))

    assert [one for one in lint(exclusions, today=TODAY) if one.is_error] == []
