"""The five scenarios and their templates: refused until filled in, then clean."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from foxhunt.errors import ExclusionError
from foxhunt.exclusions import Scenario, holds, lint, read_exclusions, scenarios
from foxhunt.tables import Fact


def test_there_are_the_five_of_the_pages() -> None:
    assert [one.id for one in scenarios()] == [
        "scheduled-maintenance",
        "remote-administration",
        "software-update",
        "log-collection",
        "test-environment",
    ]


def filled_in(scenario: Scenario) -> str:
    """The template with Brightwater's own systems in it."""
    text = re.sub(r"expires: CHANGE-ME.*", "expires: 2027-01-31", scenario.template)
    return text.replace("CHANGE-ME", "brightwater").replace("0.0.0.0/32", "10.20.0.0/24")


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda one: str(one.id))
def test_a_template_is_refused_until_it_is_filled_in(scenario: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(scenario.template)
    with pytest.raises(ExclusionError, match="fill in"):
        read_exclusions([str(path)])

    path.write_text(filled_in(scenario))
    exclusions = tuple(read_exclusions([str(path)]))

    assert [one.scenario for one in exclusions] == [scenario.id]
    assert [r for r in lint(exclusions, today=date(2026, 7, 1)) if r.is_error] == []


SVCHOST = "C:\\Windows\\System32\\svchost.exe"
OURS = {Fact.DOMAIN: ["a.brightwater.example"]}
# What is done with a scenario's tool, and where: each alone is what an intruder does, too.
STRICT: list[tuple[str, dict[Fact, list[str]], dict[Fact, list[str]]]] = [
    ("scheduled-maintenance", {Fact.PROCESS: ["schtasks.exe"]}, OURS),
    ("scheduled-maintenance", {Fact.PROCESS: ["C:\\x\\taskhostw.exe"]}, OURS),
    (
        "scheduled-maintenance",
        {Fact.PROCESS: [SVCHOST], Fact.COMMAND_LINE: [f"{SVCHOST} -k netsvcs -p -s Schedule"]},
        OURS,
    ),
    (
        "remote-administration",
        {Fact.PROCESS: ["C:\\Windows\\PSEXESVC.exe"]},
        {Fact.SOURCE_IP: ["10.20.0.7"]},
    ),
    ("software-update", {Fact.PROCESS: [SVCHOST]}, {Fact.DOMAIN: ["x.windowsupdate.com"]}),
    ("software-update", {Fact.PROCESS: ["WsusService.exe"]}, OURS),
    ("log-collection", {Fact.PROCESS: ["metricbeat.exe"]}, {Fact.REMOTE_IP: ["10.20.0.7"]}),
]


@pytest.mark.parametrize(("name", "tool", "place"), STRICT)
def test_a_template_asks_for_the_tool_and_the_place(
    tmp_path: Path, name: str, tool: dict[Fact, list[str]], place: dict[Fact, list[str]]
) -> None:
    (scenario,) = [one for one in scenarios() if one.id == name]
    path = tmp_path / "x.yaml"
    path.write_text(filled_in(scenario))
    (one,) = read_exclusions([str(path)])

    assert holds(one.when, tool | place) is True
    assert holds(one.when, tool) is not True
    assert holds(one.when, place) is not True


def test_not_every_svchost_is_the_scheduler(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(filled_in(scenarios()[0]))
    (one,) = read_exclusions([str(path)])
    other = {Fact.PROCESS: [SVCHOST], Fact.COMMAND_LINE: [f"{SVCHOST} -k netsvcs -p -s BITS"]}

    assert holds(one.when, other | OURS) is False
    # A DNS log alone tells no command line: it stays open.
    assert holds(one.when, {Fact.PROCESS: [SVCHOST], **OURS}) is None
