"""Any hunt result that the types allow, within reason, for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import strategies as st

from foxhunt.findings import (
    Coverage,
    CoverageStatus,
    ExclusionUse,
    Finding,
    HuntResult,
    Match,
    MatchKind,
    Severity,
    Verdict,
)
from foxhunt.indicators import Indicator, IndicatorType, Quarantined

from .report_samples import HOSTILE

TEXTS = st.text(max_size=12) | st.sampled_from(HOSTILE)
TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2099, 1, 1), timezones=st.just(UTC)
)
COUNTS = st.integers(0, 2_000_000)


def tuples(items: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(items, max_size=most).map(tuple)


INDICATORS = st.builds(
    Indicator,
    type=st.sampled_from(IndicatorType),
    value=TEXTS,
    source=TEXTS,
    source_id=TEXTS,
    threat_type=TEXTS,
    malware=TEXTS,
    malware_printable=TEXTS,
    confidence_level=st.integers(0, 100),
    first_seen=TIMES,
    last_seen=st.none() | TIMES,
    reference=st.none() | TEXTS,
)
CELLS = TEXTS | st.integers() | st.floats() | st.booleans()
ROWS: st.SearchStrategy[dict[str, object]] = st.dictionaries(TEXTS, CELLS, max_size=4).map(
    lambda row: {**row, "_file": "f.csv", "_row": 1}
)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    by_verdict = draw(st.dictionaries(st.sampled_from(Verdict), st.integers(1, 99), min_size=1))
    return Finding(
        id=draw(st.uuids()).hex,
        verdict=min(by_verdict, key=lambda verdict: verdict.rank),
        severity=draw(st.sampled_from(Severity)),
        indicator=draw(INDICATORS),
        table=draw(TEXTS),
        column=draw(TEXTS),
        match=draw(st.sampled_from(MatchKind)),
        observed=draw(tuples(TEXTS)),
        host=draw(st.none() | TEXTS),
        user=draw(st.none() | TEXTS),
        process=draw(st.none() | TEXTS),
        direction=draw(st.sampled_from(["outbound", "inbound", None])),
        action=draw(st.sampled_from(["allowed", "blocked", None])),
        first_event=draw(TIMES),
        last_event=draw(TIMES),
        events=sum(by_verdict.values()),
        by_verdict=by_verdict,
        suppressed_by=draw(tuples(TEXTS)),
        rows=tuple(draw(st.lists(ROWS, max_size=2))),
    )


COVERAGES = st.builds(
    Coverage,
    table=TEXTS,
    files=tuples(TEXTS),
    rows=COUNTS,
    rows_refused=COUNTS,
    first_time=st.none() | TIMES,
    last_time=st.none() | TIMES,
    indicator_types=tuples(st.sampled_from(IndicatorType).map(str)),
    status=st.sampled_from(CoverageStatus),
    reason=TEXTS,
)
EXCLUSIONS = st.builds(
    ExclusionUse,
    id=TEXTS,
    suppressed_events=COUNTS,
    suppressed_findings=COUNTS,
    not_applicable_to=tuples(TEXTS),
    warnings=tuples(TEXTS),
)
MATCHES = st.builds(
    Match,
    finding=TEXTS,
    table=TEXTS,
    file=TEXTS,
    row=st.integers(1, 2**40),
    time=TIMES,
    host=st.none() | TEXTS,
    observed=TEXTS,
    match=st.sampled_from(MatchKind),
    verdict=st.sampled_from(Verdict),
    suppressed_by=tuples(TEXTS),
)


def _timeline(found: Sequence[Finding]) -> tuple[tuple[str, str, Verdict, int], ...]:
    return tuple(
        sorted(
            (one.host or "", one.first_event.date().isoformat(), verdict, count)
            for one in found
            for verdict, count in one.by_verdict.items()
        )
    )


@st.composite
def results(draw: st.DrawFn) -> HuntResult:
    """Any `HuntResult` that the types allow, within reason."""
    found = draw(st.lists(findings(), max_size=4))
    return HuntResult(
        started=draw(TIMES),
        finished=draw(TIMES),
        version=draw(TEXTS),
        indicators_total=draw(COUNTS),
        indicators_by_type=draw(st.dictionaries(TEXTS, COUNTS, max_size=3)),
        quarantined=tuple(
            draw(st.lists(st.builds(Quarantined, TEXTS, TEXTS, TEXTS, TEXTS), max_size=5))
        ),
        not_shown_by_any_table=draw(st.dictionaries(TEXTS, COUNTS, max_size=2)),
        coverage=tuple(draw(st.lists(COVERAGES, max_size=3))),
        findings=tuple(found),
        timeline=_timeline(found),
        exclusions=tuple(draw(st.lists(EXCLUSIONS, max_size=2))),
        policy=draw(tuples(TEXTS)),
    )
