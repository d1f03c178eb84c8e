"""The five scenarios and their templates: refused until filled in, then clean."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from foxhunt.errors import ExclusionError
from foxhunt.exclusions import Scenario, lint, read_exclusions, scenarios


def test_there_are_the_five_of_the_pages() -> None:
    assert [one.id for one in scenarios()] == [
        "scheduled-maintenance",
        "remote-administration",
        "software-update",
        "log-collection",
        "test-environment",
    ]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda one: str(one.id))
def test_a_template_is_refused_until_it_is_filled_in(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(scenario.template)
    with pytest.raises(ExclusionError, match="fill in"):
        read_exclusions([str(path)])

    filled = re.sub(r"expires: CHANGE-ME.*", "expires: 2027-01-31", scenario.template)
    filled = filled.replace("CHANGE-ME", "brightwater").replace("0.0.0.0/32", "10.20.0.0/24")
    path.write_text(filled)
    exclusions = tuple(read_exclusions([str(path)]))

    assert [one.scenario for one in exclusions] == [scenario.id]
    assert [r for r in lint(exclusions, today=date(2026, 7, 1)) if r.is_error] == []
