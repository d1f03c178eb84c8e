"""What `foxhunt exclusions explain` says, and what it refuses to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from foxhunt.cli.explaining import explain, rows_of
from foxhunt.errors import UsageError
from foxhunt.exclusions import read_exclusions

TODAY = date(2026, 7, 1)
BASE = {
    "id": "lab",
    "scenario": "test-environment",
    "reason": "The laboratory",
    "owner": "soc@example.com",
    "expires": "2999-01-01",
    "scope": "{families: ['*'], types: ['*'], tables: ['*']}",
    "when": "{source_ip: 10.0.0.0/24}",
}
ROW = {"Name": "evil.org", "ClientIP": "10.0.0.5", "TimeGenerated": "2026-06-01T05:00:00+02:00"}
FINDING = {
    "id": "f00d",
    "table": "DnsEvents",
    "column": "Name",
    "suppressed_by": [],
    "indicator": {
        "value": "evil.org",
        "type": "domain",
        "malware": "win.fox",
        "malware_printable": "Fox",
        "threat_type": "botnet_cc",
        "confidence_level": 100,
        "first_seen": "2026-05-24T06:12:40Z",
        "source": "threatfox",
        "source_id": "1",
    },
    "rows": [ROW],
}


def explained(
    folder: Path, finding: Mapping[str, object] | None = None, **fields: str
) -> list[str]:
    """The lines about one exclusion, of a finding's row or of the row alone."""
    path = folder / "x.yaml"
    lines = "\n    ".join(f"{name}: {value}" for name, value in (BASE | fields).items())
    path.write_text(f"exclusions:\n  - {lines}\n")
    report = folder / "hunt.json"
    report.write_text(json.dumps({"findings": [finding]}))
    rows = rows_of("f0", report, None) if finding else rows_of(json.dumps(ROW), None, "DnsEvents")
    return list(explain(rows, tuple(read_exclusions([str(path)])), TODAY))[1:]


def test_what_expired_is_named(tmp_path: Path) -> None:
    (first, _) = explained(tmp_path, expires="2026-07-01")

    assert first == "  lab: yes, but expired on 2026-07-01: it covers nothing any more"


@pytest.mark.parametrize(
    "hours, spelled",
    [
        ("02:55-03:30 UTC", "02:55-03:30 UTC"),
        ("Mon 02:55-Mon 03:30 UTC", "Mon 02:55-Mon 03:30 UTC"),
        ("Sun 22:00-Mon 04:00 UTC", "Sun 22:00-Mon 04:00 UTC"),
    ],
)
def test_a_time_with_an_offset_is_that_time(tmp_path: Path, hours: str, spelled: str) -> None:
    """05:00 in Berlin is 03:00 UTC; the hours of an exclusion are UTC."""
    assert explained(tmp_path, when=f"{{hours: {hours}}}") == [
        "  lab: yes, until 2999-01-01",
        f"    yes: hours is one of {spelled}? Mon 03:00",
    ]


def test_a_time_that_is_on_no_calendar_is_not_told(tmp_path: Path) -> None:
    """Logs are written by attackers: the first hours of the year 1 are in the year 0 in UTC."""
    row = ROW | {"TimeGenerated": "0001-01-01T00:00:00+14:00"}

    found = explained(tmp_path, FINDING | {"rows": [row]}, when="{hours: 02:55-03:30 UTC}")

    assert found[1].startswith("    unknown: hours is one of 02:55-03:30 UTC?")


def test_what_was_seen_is_defanged_and_visible(tmp_path: Path) -> None:
    finding = FINDING | {"rows": [ROW | {"Name": "c2.evil.org\x1b[2J"}]}

    lines = explained(tmp_path, finding, when="{domain: evil.org}")

    assert lines[1] == "    no: domain is one of evil.org? c2[.]evil[.]org<U+001B>[2J"


@pytest.mark.parametrize(
    "scope, said",
    [
        ("{families: [Other], types: ['*'], tables: ['*']}", "not about Fox"),
        ("{families: [Other], types: [url], tables: ['*']}", "not about domain"),
        ("{families: [Fox], types: ['*'], tables: [UrlClickEvents]}", "not about DnsEvents"),
        ("{families: [WIN.FOX], types: [domain], tables: ['*']}", "yes, until 2999-01-01"),
    ],
)
def test_the_scope_is_heeded(tmp_path: Path, scope: str, said: str) -> None:
    """A hunt passes over what an exclusion is not about: `yes` would be a lie."""
    assert explained(tmp_path, FINDING, scope=scope)[0] == f"  lab: {said}"


def test_a_row_alone_does_not_tell_a_scope(tmp_path: Path) -> None:
    scope = "{families: [Fox], types: [domain], tables: ['*']}"

    assert explained(tmp_path, scope=scope)[1:3] == [
        "    unknown: families are Fox; the row does not tell",
        "    unknown: types are domain; the row does not tell",
    ]


def test_what_the_hunt_found_in_other_logs_is_said(tmp_path: Path) -> None:
    covered = explained(
        tmp_path, FINDING | {"suppressed_by": ["lab"]}, when="{process: psexec.exe}"
    )
    open_ = explained(tmp_path, FINDING, when="{process: psexec.exe}")

    assert covered[0] == open_[0] == "  lab: unknown, until 2999-01-01"
    assert [line for line in covered if line not in open_] == [
        "    yes: by what the hunt found in other logs of the host, for events of this finding"
    ]


@pytest.mark.parametrize(
    "report",
    [
        "{",
        "[]",
        '{"findings": 5}',
        '{"findings": ["x"]}',
        '{"findings": [{"id": 1}]}',
        '{"findings": [{"id": "x1"}]}',
        '{"findings": [{"id": "x1", "table": "Nope"}]}',
        '{"findings": [{"id": "x1", "table": "DnsEvents", "column": "Nope"}]}',
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, report: str) -> None:
    path = tmp_path / "hunt.json"
    path.write_text(report)

    with pytest.raises(UsageError, match="is no report of `hunt --format json`"):
        rows_of("x1", path, None)


@pytest.mark.parametrize("changed", [{"malware": None}, {"value": 1}, {"source": ["x"]}])
def test_an_indicator_without_its_texts_is_of_no_report(
    tmp_path: Path, changed: Mapping[str, object]
) -> None:
    told = FINDING["indicator"]
    assert isinstance(told, dict)

    with pytest.raises(UsageError, match="is no report of `hunt --format json`"):
        explained(tmp_path, FINDING | {"indicator": {**told, **changed}})
