"""The five situations in which a ThreatFox rule fires on work that is meant to happen.

They are those of the published rule pages (DESIGN 1), in words that name what to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources


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
        folder = resources.files(__package__).joinpath("templates")
        return folder.joinpath(f"{self.id}.yaml").read_text("utf-8")


_SCENARIOS = (
    Scenario(
        "scheduled-maintenance",
        "Scheduled system maintenance",
        "A task of schtasks.exe or the Task Scheduler (psched.exe and the like) fetches a file "
        "from a host that was listed because somebody else on it served malware, or from a "
        "management domain of your own whose name or address an indicator holds.",
        "The task's name, author and schedule on that host, and that the same events come at the "
        "same hour on every machine it is rolled out to. Exclude by process and hour, or by your "
        "management domain; never by process alone.",
    ),
    Scenario(
        "remote-administration",
        "Remote administration",
        "An administrator runs PsExec or PowerShell against a machine, and the session or the "
        "tool itself (a hash, a download) meets an indicator.",
        "A change record, the administrator's account and the jump host it came from. Exclude by "
        "the management network and the tool together: both alone are what an intruder uses.",
    ),
    Scenario(
        "software-update",
        "Software update from a trusted source",
        "Chocolatey, Ninite, Microsoft Update or your own package repository delivers a file or "
        "answers on a shared network that an indicator holds.",
        "The signature or the published hash of the package, and that the repository is the one "
        "you configured. Exclude by the hash, or by the domain of the repository.",
    ),
    Scenario(
        "log-collection",
        "Log collection and analysis",
        "LogParser, Splunk, an ELK stack or another collector handles logs that hold indicators, "
        "or looks them up, and so seems to be talking to them.",
        "That the host is a collector and the traffic its usual port and peers. Exclude by the "
        "collector's host name and process.",
    ),
    Scenario(
        "test-environment",
        "Test environment",
        "A laboratory, sandbox or development machine meets indicators because that is its work: "
        "detonating samples, replaying captures, testing detections.",
        "That the machine is in the laboratory's range and cannot reach the rest. Exclude by the "
        "range or the host names, and review it when the range is reassigned.",
    ),
)


def scenarios() -> tuple[Scenario, ...]:
    """The five, in the order of the pages."""
    return _SCENARIOS
