"""One value that several feeds list: one finding that names both, and nothing counted twice."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from foxhunt.exclusions import read_exclusions
from foxhunt.findings import HuntResult, Match, Verdict
from foxhunt.hunt import HuntRequest, hunt
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType
from foxhunt.reports import get_report
from tests import families

from .test_suppression import dns, exclusion

NAME = "texornacu.com"


def listed(source: str, days: int = 0, **fields: object) -> Indicator:
    first_seen = families.FIRST_SEEN + timedelta(days=days)
    number = sum(map(ord, source))
    return families.indicator(
        IndicatorType.DOMAIN, NAME, number, source=source, first_seen=first_seen, **fields
    )


def hunted(
    folder: Path, indicators: list[Indicator], *exclusions: str
) -> tuple[HuntResult, list[Match]]:
    rows = [{"Type": "DnsEvents", **dns()}, {"Type": "DnsEvents", **dns()}]
    (folder / "dns.json").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (folder / "exclusions.yaml").write_text("".join(["exclusions:\n", *exclusions]))
    matches: list[Match] = []
    result = hunt(
        HuntRequest(
            logs=[str(folder / "dns.json")],
            indicators=IndicatorSet.of(indicators),
            exclusions=read_exclusions([str(folder / "exclusions.yaml")] if exclusions else []),
            today=date(2026, 7, 1),
        ),
        events=matches.extend,
    )
    return result, matches


def test_two_feeds_are_one_finding_that_names_both(tmp_path: Path) -> None:
    first, second = listed("urlhaus"), listed("threatfox", 3)
    result, matches = hunted(tmp_path, [first, second])
    (finding,) = result.findings

    assert (finding.indicator.source, finding.also_listed_by) == ("urlhaus", (second,))
    assert (finding.events, finding.by_verdict) == (2, {Verdict.OPEN: 2})
    assert [match.finding for match in matches] == [finding.id] * 2
    assert sum(count for *_, count in result.timeline) == 2


def test_two_families_of_one_feed_stay_two_findings(tmp_path: Path) -> None:
    one = families.indicator(IndicatorType.DOMAIN, NAME, 1)
    two = families.indicator(IndicatorType.DOMAIN, NAME, 2, malware="win.other")
    result, _ = hunted(tmp_path, [one, two])

    assert [finding.also_listed_by for finding in result.findings] == [(), ()]


def test_the_confidence_of_the_surest_feed_counts(tmp_path: Path) -> None:
    unsure = listed("misp", confidence_level=25)
    (alone,) = hunted(tmp_path, [unsure])[0].findings
    (together,) = hunted(tmp_path, [unsure, listed("threatfox", 1)])[0].findings

    assert (alone.severity, together.severity) == ("low", "high")


def test_an_exclusion_of_one_feeds_family_hides_nothing_of_the_other(tmp_path: Path) -> None:
    both = [listed("misp", malware="fox", malware_printable="Fox"), listed("threatfox", 1)]
    scope = "{families: [Fox], types: ['*'], tables: ['*']}"
    when = f"{{domain: {NAME}}}"
    (open_,) = hunted(tmp_path, both, exclusion(when, scope=scope))[0].findings
    (suppressed,) = hunted(tmp_path, both, exclusion(when))[0].findings

    assert open_.by_verdict == {Verdict.OPEN: 2}
    assert suppressed.by_verdict == {Verdict.SUPPRESSED: 2}


@pytest.mark.parametrize("format_name", ["table", "md", "html", "csv", "json"])
def test_every_report_names_both(tmp_path: Path, format_name: str) -> None:
    result, _ = hunted(tmp_path, [listed("urlhaus"), listed("threatfox", 3)])

    assert "threatfox" in get_report(format_name).render(result)
