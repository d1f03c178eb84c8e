"""Exclusion files: what is read, and every mistake with its place (golden beside the YAML)."""

from __future__ import annotations

import contextlib
import gc
from datetime import date, timedelta
from pathlib import Path

import pytest

from foxhunt.errors import ExclusionError, UsageError
from foxhunt.exclusions import AllOf, AnyOf, Condition, NotOf, read_exclusions
from foxhunt.exclusions.patterns import DomainPattern, GlobPattern
from foxhunt.tables import Fact
from tests.golden_files import GOLDEN, check

CASES = sorted((GOLDEN / "exclusions").glob("*.yaml"))
ROOT = Path(__file__).parents[3]


def exclusion(when: str, *, id_: str = "lab", more: str = "") -> str:
    return (
        f"exclusions:\n  - id: {id_}\n    scenario: test-environment\n    reason: Laboratory\n"
        f"    owner: soc@example.com\n    expires: 2027-01-31\n{more}"
        f"    scope: {{families: ['*'], types: ['*'], tables: ['*']}}\n    when: {when}\n"
    )


def test_there_are_cases() -> None:
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES, ids=lambda path: str(path.stem))
def test_a_mistake_is_named_with_its_place_and_remedy(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)

    with pytest.raises(ExclusionError) as caught:
        read_exclusions([case.name])

    check(case.with_suffix(".txt"), f"{caught.value}\n")


def test_the_file_of_the_example_reads() -> None:
    exclusions = read_exclusions([str(ROOT / "examples" / "exclusions.yaml")])

    assert [one.scenario for one in exclusions] == [
        "scheduled-maintenance",
        "remote-administration",
        "software-update",
        "log-collection",
        "test-environment",
    ]
    first = next(iter(exclusions))
    assert first.expires == date(2027, 1, 31)
    assert first.facts == {Fact.HOST, Fact.DOMAIN, Fact.HOURS}
    assert first.at.line == 4


@pytest.mark.parametrize("text", [exclusion("{host: x}"), exclusion("{host: ''}"), "a: &b 1"])
def test_the_collector_runs_again_after_a_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with contextlib.suppress(ExclusionError):
        read_exclusions([str(path)])

    assert gc.isenabled()


@pytest.mark.parametrize("written", ["~", "null", "NULL", "", "''"])
def test_nobody_is_no_owner(tmp_path: Path, written: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(exclusion("{host: x}").replace("soc@example.com", written))

    with pytest.raises(ExclusionError, match="owner is empty"):
        read_exclusions([str(path)])


def test_conditions_nest_and_several_keys_mean_all(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        exclusion(
            "{any: [{not: {host: [lab-*]}}, {domain: '=a.org', host: x}]}", more="    within: 90s\n"
        )
    )

    (one,) = read_exclusions([str(path)])

    assert one.when == AnyOf(
        (
            NotOf(Condition(Fact.HOST, (GlobPattern("lab-*"),))),
            AllOf(
                (
                    Condition(Fact.DOMAIN, (DomainPattern("a.org", is_exact=True),)),
                    Condition(Fact.HOST, (GlobPattern("x"),)),
                )
            ),
        )
    )
    assert one.within == timedelta(seconds=90)


def test_a_folder_is_all_its_yaml_files_and_ids_are_unique_over_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(exclusion("{host: a}"))
    (tmp_path / "b.yml").write_text(exclusion("{host: b}", id_="other"))
    (tmp_path / "notes.txt").write_text("no yaml")
    assert [one.id for one in read_exclusions([str(tmp_path)])] == ["lab", "other"]

    (tmp_path / "b.yml").write_text(exclusion("{host: b}"))
    with pytest.raises(ExclusionError, match=r"b.yml:2:5: H204: the id 'lab' is taken"):
        read_exclusions([str(tmp_path)])


def test_all_files_mistakes_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(exclusion("{}"))
    (tmp_path / "b.yaml").write_text("exclusions: [")

    with pytest.raises(ExclusionError) as caught:
        read_exclusions([str(tmp_path)])

    assert "a.yaml:8:11" in str(caught.value)
    assert "b.yaml:1:14" in str(caught.value)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_path_without_exclusions_is_a_usage_error(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError):
        read_exclusions([name])


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe", b"exclusions: " + b"[" * 100_000, b"x: " + b"a" * 2_000_000, b"\x00"],
    ids=["no text", "a bomb of brackets", "two megabytes", "NUL"],
)
def test_hostile_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)

    with pytest.raises(ExclusionError):
        read_exclusions([str(path)])
