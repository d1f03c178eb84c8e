"""Names of families: who is meant, in whatever spelling."""

from __future__ import annotations

import pytest

from foxhunt.indicators import Indicator, IndicatorSet, families_named

from .indicator_samples import indicator


def _called(number: int, label: str, name: str, *aliases: str) -> Indicator:
    names = {"malware": label, "malware_printable": name, "malware_alias": aliases}
    return indicator(str(number), value=f"n{number}.evil.org", **names)


NAMES = IndicatorSet.of(
    [
        _called(1, "win.agent_tesla", "AgentTesla", "Negasteal"),
        _called(2, "win.x_worm", "X Worm"),
        _called(3, "win.xworm", "X-Worm"),
        _called(4, "elf.xworm", "XWorm"),
        _called(5, "win.dots", "...", "_"),
    ]
)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("Agent Tesla", ["win.agent_tesla"]),
        ("agent-tesla", ["win.agent_tesla"]),
        (" AGENT_TESLA.", ["win.agent_tesla"]),
        ("win.agenttesla", ["win.agent_tesla"]),
        ("nega steal", ["win.agent_tesla"]),
        ("XWorm", ["elf.xworm"]),  # who is called so exactly wins
        ("x-worm", ["win.xworm"]),
        ("x_worm", ["win.x_worm", "win.xworm", "elf.xworm"]),
        ("Agent Tesl", []),
        ("...", ["win.dots"]),
        ("-", []),
        ("", []),
    ],
)
def test_a_family_is_found_in_any_spelling_and_by_its_own_name_first(
    name: str, labels: list[str]
) -> None:
    found = families_named(NAMES.families(), name)

    assert sorted(family.malware for family in found) == sorted(labels)
    assert len(NAMES.where(families=[name])) == (len(labels) if name else 0)
