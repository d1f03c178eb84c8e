"""Which machines to look at first: the open findings put together by host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from foxhunt.findings import Finding, Severity, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHost:
    """A machine with open findings.

    Attributes:
        host: Its name, or None for all findings whose table names no machine.
        severity: The most urgent of them.
        findings: How many are open.
        events: How many of their events are open.
        families: Printable names, by name.
        first_event: Earliest event of them.
        last_event: Latest.
    """

    host: str | None
    severity: Severity
    findings: int
    events: int
    families: tuple[str, ...]
    first_event: datetime
    last_event: datetime


def open_hosts(findings: Iterable[Finding]) -> tuple[OpenHost, ...]:
    """Machines with open findings: most urgent first, then most findings, then by name."""
    by_host: dict[str | None, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.verdict is Verdict.OPEN:
            # R8: one machine, however its logs spell it; shown as the first of them does.
            by_host[finding.host and finding.host.casefold()].append(finding)
    hosts = [_host(found[0].host, found) for found in by_host.values()]
    return tuple(sorted(hosts, key=lambda h: (h.severity.rank, -h.findings, h.host or "")))


def _host(name: str | None, found: list[Finding]) -> OpenHost:
    return OpenHost(
        host=name,
        severity=min((one.severity for one in found), key=lambda severity: severity.rank),
        findings=len(found),
        events=sum(one.by_verdict.get(Verdict.OPEN, 0) for one in found),
        families=tuple(sorted({one.indicator.malware_printable for one in found})),
        first_event=min(one.first_event for one in found),
        last_event=max(one.last_event for one in found),
    )
