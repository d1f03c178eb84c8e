"""The example, converted: a hunt of the folder finds what a hunt of the logs does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from foxhunt.feeds import read_indicators
from foxhunt.findings import Finding, HuntResult
from foxhunt.hunt import HuntRequest, hunt
from foxhunt.logs.convert import convert_logs

from .example_logs import EXAMPLES


def hunted(folder: Path) -> HuntResult:
    indicators, _ = read_indicators([str(EXAMPLES / "indicators.json")])
    return hunt(HuntRequest(logs=[str(folder)], indicators=indicators))


def told(finding: Finding) -> tuple[object, ...]:
    """What a finding says, without where its rows are and how a host's case is chosen."""
    return (
        finding.verdict,
        finding.severity,
        finding.indicator,
        finding.table,
        finding.column,
        finding.match,
        finding.observed,
        (finding.host or "").casefold(),
        finding.user,
        finding.process,
        finding.direction,
        finding.action,
        finding.first_event,
        finding.last_event,
        finding.events,
        finding.by_verdict,
    )


def looked_at(result: HuntResult) -> list[tuple[object, ...]]:
    return [
        (one.table, one.rows, one.status, one.reason, one.first_time, one.last_time)
        for one in result.coverage
    ]


def evidence(finding: Finding) -> list[Mapping[str, object]]:
    return [
        {name: value for name, value in row.items() if name not in ("_file", "_row")}
        for row in finding.rows
    ]


def test_the_findings_of_the_converted_logs_are_those_of_the_logs(
    example: Path, tmp_path: Path
) -> None:
    out = tmp_path / "converted"
    conversion = convert_logs([str(example)], out, progress=lambda what, done, total: None)
    assert not conversion.failures

    before, after = hunted(example), hunted(out)

    assert before.findings
    old, new = ({one.id: one for one in result.findings} for result in (before, after))
    assert {id_: told(one) for id_, one in new.items()} == {
        id_: told(one) for id_, one in old.items()
    }
    assert {id_: evidence(one) for id_, one in new.items()} == {
        id_: evidence(one) for id_, one in old.items()
    }
    assert looked_at(after) == looked_at(before)
    assert {(host.casefold(), *rest) for host, *rest in after.timeline} == {
        (host.casefold(), *rest) for host, *rest in before.timeline
    }
