"""When an indicator counts (R6), what an event means (R3), and how urgent a finding is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from foxhunt.findings.model import Severity, Verdict
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules import MatchKind

# A leased address changes hands within weeks; a name or URL lives on while its owner pays.
# ThreatFox itself drops what it has not seen for six months (since 2025-05-01).
_LIFETIMES: Mapping[IndicatorType, timedelta] = MappingProxyType(
    {
        IndicatorType.IP_PORT: timedelta(days=90),
        IndicatorType.DOMAIN: timedelta(days=180),
        IndicatorType.URL: timedelta(days=180),
    }
)


@dataclass(frozen=True, slots=True)
class ValidityPolicy:
    """For which events an indicator counts (R6), by the event's own time.

    Attributes:
        lead: How long before ``first_seen`` it already counts: malware is at work before
            somebody reports it.
        lifetimes: By type, how long after the later of ``first_seen`` and ``last_seen`` it
            still counts. A type that is absent (hashes) never ages, in either direction.
    """

    lead: timedelta = timedelta(days=30)
    lifetimes: Mapping[IndicatorType, timedelta] = field(default_factory=lambda: _LIFETIMES)

    def covers(self, indicator: Indicator, time: datetime) -> bool:
        """Whether ``indicator`` counts for an event at ``time``; both ends inclusive."""
        lifetime = self.lifetimes.get(indicator.type)
        if lifetime is None:
            return True
        last = max(indicator.first_seen, indicator.last_seen or indicator.first_seen)
        return indicator.first_seen - self.lead <= time <= last + lifetime

    def describe(self) -> tuple[str, ...]:
        """The policy in words, one line an indicator type."""
        lines = []
        for type_ in IndicatorType:
            if not type_.is_huntable:
                continue
            lifetime = self.lifetimes.get(type_)
            if lifetime is None:
                lines.append(f"{type_}: does not age")
            else:
                lines.append(
                    f"{type_}: from {self.lead.days} days before first seen "
                    f"to {lifetime.days} days after last seen"
                )
        return tuple(lines)


def verdict_of(
    indicator: Indicator, time: datetime, *, is_inbound: bool, policy: ValidityPolicy
) -> Verdict:
    """What an event means before any exclusion (DESIGN 4): the first that applies.

    Args:
        indicator: What was met.
        time: When, aware.
        is_inbound: The indicator is the source of an inbound connection (R3).
        policy: When indicators count.
    """
    if not policy.covers(indicator, time):
        return Verdict.STALE
    return Verdict.INBOUND if is_inbound else Verdict.OPEN


_STEPS = tuple(Severity)


def severity_of(
    kind: MatchKind, confidence_level: int, *, is_blocked: bool, is_well_known: bool = False
) -> Severity:
    """How urgent a finding is; the table is in docs/SEMANTICS.md.

    Strong matches start at high, weak ones at medium; each of these lowers it a step:
    confidence below 75, confidence below 50, every event blocked, a value that a warning
    list knows (but not for a URL itself, of which a list knows the host).
    """
    step = 0 if kind.is_strong else 1
    step += (confidence_level < 75) + (confidence_level < 50) + is_blocked
    step += is_well_known and kind not in (MatchKind.URL, MatchKind.URL_PREFIX)
    return _STEPS[min(step, len(_STEPS) - 1)]
