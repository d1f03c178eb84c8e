"""Which machines come first."""

from __future__ import annotations

from datetime import timedelta

from foxhunt.findings import Severity, Verdict
from foxhunt.reports.hosts import OpenHost, open_hosts

from .report_samples import NOON, finding, indicator

_HOUR = timedelta(hours=1)


def test_the_most_urgent_machine_comes_first_then_the_one_with_most_findings() -> None:
    found = (
        finding("1", "many-low", severity=Severity.LOW),
        finding("2", "many-low", severity=Severity.LOW),
        finding("3", "one-high"),
        finding("4", "two-high"),
        finding("5", "two-high", severity=Severity.INFO),
        finding("6", None, severity=Severity.INFO),
    )

    assert [host.host for host in open_hosts(found)] == ["two-high", "one-high", "many-low", None]


def test_only_open_findings_and_their_open_events_count() -> None:
    other = indicator("b.example.org", malware_printable="AsyncRAT")
    found = (
        finding("1", by_verdict={Verdict.OPEN: 2, Verdict.SUPPRESSED: 40}),
        finding("2", indicator=other, by_verdict={Verdict.OPEN: 5}, last_event=NOON + _HOUR),
        finding("3", verdict=Verdict.SUPPRESSED, by_verdict={Verdict.SUPPRESSED: 9}),
    )

    assert open_hosts(found) == (
        OpenHost(
            host="WS-014",
            severity=Severity.HIGH,
            findings=2,
            events=7,
            families=("AsyncRAT", "Unknown RAT"),
            first_event=NOON - 2 * _HOUR,
            last_event=NOON + _HOUR,
        ),
    )


def test_a_machine_is_one_however_its_logs_spell_it() -> None:
    (one,) = open_hosts((finding("1", "WS-014"), finding("2", "ws-014")))

    assert (one.host, one.findings) == ("WS-014", 2)
