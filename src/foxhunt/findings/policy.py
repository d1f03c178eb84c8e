"""What an event means (R3, R6), and how urgent a finding is."""

from __future__ import annotations

from datetime import datetime

from foxhunt.findings.model import Severity, Verdict
from foxhunt.indicators import Indicator
from foxhunt.indicators.validity import ValidityPolicy
from foxhunt.rules import MatchKind


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
