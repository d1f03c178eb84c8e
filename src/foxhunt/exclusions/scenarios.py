"""The five situations in which a ThreatFox rule fires on work that is meant to happen.

They are those of the published rule pages (DESIGN 1), in words that name what to check.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

_FOLDER = resources.files(__package__).joinpath("templates")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A way in which a match can be benign.

    Attributes:
        id: What exclusions name it by.
        title: In a few words.
        description: How it comes about.
        check: What to look at before an event is excluded, and by what to exclude it.
    """

    id: str
    title: str
    description: str
    check: str

    @property
    def template(self) -> str:
        """An exclusion file for it, with the real tools' names; a user fills in the rest."""
        return _FOLDER.joinpath(f"{self.id}.yaml").read_text("utf-8")


@cache
def scenarios() -> tuple[Scenario, ...]:
    """The five, in the order of the pages."""
    text = _FOLDER.joinpath("scenarios.json").read_text("utf-8")
    return tuple(Scenario(**one) for one in json.loads(text))
