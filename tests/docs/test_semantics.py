"""docs/SEMANTICS.md says what the code does: its tables are read and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foxhunt.findings import MatchKind, severity_of
from tests.differential.test_traps import TRAPS

TEXT = (Path(__file__).parents[2] / "docs" / "SEMANTICS.md").read_text("utf-8")


def rows_after(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its header."""
    section = TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_match_is_listed_in_order_with_its_strength() -> None:
    listed = [(row[0].strip("`"), row[1]) for row in rows_after("Matches")]

    assert listed == [(str(k), "strong" if k.is_strong else "weak") for k in MatchKind]


@pytest.mark.parametrize("row", rows_after("Severity"), ids=lambda row: " ".join(row[:2]))
def test_the_severity_table_is_what_the_code_says(row: list[str]) -> None:
    strength, confidences, allowed, blocked = row
    low, high = map(int, re.findall(r"\d+", confidences))
    kinds = [kind for kind in MatchKind if kind.is_strong is (strength == "strong")]

    for confidence in (low, high):
        for kind in kinds:
            assert severity_of(kind, confidence, is_blocked=False) == allowed
            assert severity_of(kind, confidence, is_blocked=True) == blocked


def test_a_warning_list_lowers_by_a_step_but_not_for_a_url() -> None:
    for kind in MatchKind:
        plain = severity_of(kind, 100, is_blocked=False)
        known = severity_of(kind, 100, is_blocked=False, is_well_known=True)
        assert known.rank - plain.rank == (kind not in (MatchKind.URL, MatchKind.URL_PREFIX))


def test_every_rule_with_a_trap_is_documented_and_the_other_way_round() -> None:
    documented = set(re.findall(r"^## (R[0-9]) ", TEXT, re.MULTILINE))

    assert documented == {f"R{number}" for number in range(1, 10)}
    assert {rule for rule, *_ in TRAPS} <= documented
