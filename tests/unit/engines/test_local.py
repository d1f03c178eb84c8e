"""The engine takes no file for clean that it could not read a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from foxhunt.engines import LocalEngine, TimeRange, keeping
from foxhunt.findings import ValidityPolicy
from foxhunt.indicators import IndicatorType
from foxhunt.logs import LogReader, connect
from foxhunt.rules import build_rule
from tests.families import indicator_set

HEADER = "TimeGenerated,Name,QueryType\n"
HIT = "2026-06-01T10:00:00Z,texornacu.com,A\n"
OTHER = "2026-06-01T10:00:00Z,texornacu.net,A\n"


@pytest.mark.parametrize("most_by_number", [20_000, 0])
def test_hits_of_a_file_that_changed_meanwhile_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_by_number: int
) -> None:
    """Whole rows are read after the copy: a log that was written anew in between has others."""
    monkeypatch.setattr(keeping, "_MOST_NUMBERS", most_by_number)
    path = tmp_path / "dns.csv"
    path.write_text(HEADER + OTHER + HIT, "ascii")
    rule = build_rule("all", "*", indicator_set((IndicatorType.DOMAIN, "texornacu.com")))
    with connect() as con:
        engine = LocalEngine(con, rule, policy=ValidityPolicy(), times=TimeRange())
        for part in LogReader(con, [str(path)], needed=engine.compared):
            path.write_text(HEADER + OTHER + OTHER, "ascii")
            outcome = engine.run(part)
    assert outcome.error is not None
    assert "changed while it was read" in str(outcome.error)
