"""Which tactics a technique of MITRE ATT&CK belongs to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def _techniques() -> Mapping[str, frozenset[str]]:
    raw = json.loads(
        resources.files(__package__).joinpath("data", "attack.json").read_text("utf-8")
    )
    found: dict[str, set[str]] = {}
    for tactic, techniques in raw["tactics"].items():
        for technique in techniques:
            found.setdefault(technique, set()).add(tactic)
    return {technique: frozenset(tactics) for technique, tactics in found.items()}


def tactics_of(technique: str) -> frozenset[str] | None:
    """All tactics of a technique or sub-technique, as Sentinel spells them; None if unknown.

    Of version 17 (2025-04) of the Enterprise matrix, in which every sub-technique has all the
    tactics of its technique and no others.
    """
    return _techniques().get(technique.partition(".")[0])
