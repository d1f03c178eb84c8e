"""What `foxhunt logs` prints: what was read, what was refused, what was not read at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from foxhunt.errors import LogError, SourceSpan
from foxhunt.logs import LoadReport, LogFailure
from foxhunt.reports import logs_report
from tests.golden_files import check

FAILURES = (
    LogFailure(
        "odd\x1b[31m.bin",
        LogError("no format recognises it", at=SourceSpan("odd\x1b[31m.bin"), hint="--table"),
    ),
)
REPORTS = (
    LoadReport(
        table="DnsEvents",
        file="dns\u202e.csv",
        format="export_csv",
        rows=1_234,
        rows_refused=4,
        refused_samples=((7, "2 fields, the header has 4"), (9, "see http://evil.org/x")),
        nulled={"ResultCode": 2},
        first_time=datetime(2026, 6, 1, 10, tzinfo=UTC),
        last_time=datetime(2026, 6, 2, tzinfo=UTC),
    ),
    LoadReport(
        table="CommonSecurityLog",
        file="conn.log",
        format="zeek_tsv",
        rows=0,
        rows_refused=0,
        refused_samples=(),
        nulled={},
        first_time=None,
        last_time=None,
    ),
)


def test_the_table_says_it_all_and_nothing_steers_the_terminal() -> None:
    text = logs_report.as_table(REPORTS, FAILURES)

    check("reports/logs/table.txt", text)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_json_is_exact() -> None:
    text = logs_report.as_json(REPORTS, FAILURES)

    check("reports/logs/report.json", text)
    value = json.loads(text)
    assert value["files"][0]["file"] == "dns\u202e.csv"
    assert value["files"][0]["refused"][0] == {"row": 7, "reason": "2 fields, the header has 4"}
    assert value["not_read"][0]["file"] == "odd\x1b[31m.bin"


def test_nothing_read_is_said_too() -> None:
    assert logs_report.as_table((), ()) == "0 files read, 0 rows, 0 refused; 0 not read\n"
