"""The conclusion: what a hunt amounts to, and never more than it looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from foxhunt.findings import CoverageStatus, HuntResult, Verdict
from foxhunt.reports.summary import Conclusion, gaps, summarise

from . import report_samples as samples
from .report_strategies import results


def _without_open() -> HuntResult:
    result = samples.telling_result()
    return replace(result, findings=tuple(f for f in result.findings if f.verdict != Verdict.OPEN))


def _partly_hunted_with_findings() -> HuntResult:
    telling = samples.telling_result()
    return replace(samples.incomplete_result(), findings=telling.findings)


@pytest.mark.parametrize(
    ("result", "conclusion", "headline"),
    [
        (samples.empty_result(), Conclusion.CLEAN, "Looked and found nothing"),
        (samples.telling_result(), Conclusion.OPEN, "2 open findings on 2 hosts"),
        (
            _without_open(),
            Conclusion.NOTHING_OPEN,
            "nothing open (1 inbound, 1 stale, 1 suppressed)",
        ),
        (
            samples.blind_result(),
            Conclusion.NOT_LOOKED,
            "DID NOT LOOK: no table that can show these indicators had data",
        ),
        (
            replace(samples.empty_result(), indicators_total=0, indicators_by_type={}),
            Conclusion.NOT_LOOKED,
            "DID NOT LOOK: there were no indicators to hunt for",
        ),
        (
            replace(samples.empty_result(), coverage=()),
            Conclusion.NOT_LOOKED,
            "DID NOT LOOK: no table can show these indicators",
        ),
        (
            samples.incomplete_result(),
            Conclusion.INCOMPLETE,
            "INCOMPLETE: not everything was evaluated; in what was: nothing found",
        ),
        (
            _partly_hunted_with_findings(),
            Conclusion.INCOMPLETE,
            "INCOMPLETE: not everything was evaluated; in what was: 2 open findings on 2 hosts",
        ),
        (
            replace(samples.incomplete_result(), coverage=samples.incomplete_result().coverage[1:]),
            Conclusion.INCOMPLETE,
            "INCOMPLETE: nothing was evaluated",
        ),
    ],
)
def test_the_headline_claims_no_more_than_was_looked_at(
    result: HuntResult, conclusion: Conclusion, headline: str
) -> None:
    summary = summarise(result)

    assert (summary.conclusion, summary.headline) == (conclusion, headline)


def test_counts_and_hosts_are_of_findings() -> None:
    summary = summarise(samples.telling_result())

    assert dict(summary.counts) == {
        Verdict.OPEN: 2,
        Verdict.INBOUND: 1,
        Verdict.STALE: 1,
        Verdict.SUPPRESSED: 1,
    }
    assert summary.hosts == 2
    assert summary.events == 42 + 1 + 1_912 + 3 + 7
    assert (summary.rows, summary.rows_refused) == (961_000 + 4 * 12_000, 3)


def test_open_findings_without_a_host_are_not_counted_as_one() -> None:
    result = replace(samples.empty_result(), findings=(samples.finding("f-1", None),))

    assert summarise(result).headline == "1 open finding, host unknown"


def test_details_count_everything_that_was_not_hunted() -> None:
    assert summarise(samples.telling_result()).details == (
        "5 indicators looked up in 1,009,000 rows of 5 tables, "
        "2026-05-29 12:00 to 2026-06-01 12:00 UTC",
        "3 log records unreadable, not hunted",
        "no table can show: 1 sha3_384_hash",
        "4 feed records quarantined, not hunted",
    )


def test_a_table_without_data_is_no_gap_when_others_were_hunted() -> None:
    assert gaps(samples.empty_result()) == ()


def test_when_nothing_was_looked_at_every_table_is_a_gap() -> None:
    assert [gap.table for gap in gaps(samples.blind_result())] == [
        "DeviceNetworkEvents",
        "DnsEvents",
    ]
    (gap,) = gaps(replace(samples.empty_result(), coverage=()))
    assert gap.status is CoverageStatus.NO_DATA
    assert gap.reason == "no table can show these indicators"


@given(results())
def test_only_what_was_looked_at_whole_is_clean(result: HuntResult) -> None:
    summary = summarise(result)

    looked = any(c.status is CoverageStatus.HUNTED for c in result.coverage)
    is_clean = result.is_complete and looked and result.indicators_total > 0 and not result.findings
    assert (summary.conclusion is Conclusion.CLEAN) == is_clean
    assert bool(summary.gaps) == (
        summary.conclusion in (Conclusion.INCOMPLETE, Conclusion.NOT_LOOKED)
    )
