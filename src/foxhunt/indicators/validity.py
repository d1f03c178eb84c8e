"""For which events an indicator counts (R6), by the event's own time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from foxhunt.indicators.model import Indicator, IndicatorType

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
