"""Exclusions in a whole hunt: correlation, expiry, what is not applicable, what stays open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from foxhunt.engines import covering
from foxhunt.exclusions import load_warninglists, read_exclusions, read_fplist
from foxhunt.findings import HuntResult, Verdict
from foxhunt.hunt import HuntRequest, hunt
from foxhunt.indicators import IndicatorSet, IndicatorType
from tests import families

TIME = datetime(2026, 6, 1, 12)
TODAY = date(2026, 7, 1)


def exclusion(when: str, **fields: str) -> str:
    base = {
        "id": "psexec",
        "scenario": "remote-administration",
        "reason": "roll-outs",
        "owner": "soc@example.com",
        "expires": "2027-01-31",
        "scope": "{families: ['*'], types: ['*'], tables: ['*']}",
        "when": when,
    } | fields
    return "  - " + "\n    ".join(f"{name}: {value}" for name, value in base.items()) + "\n"


def hunted(
    folder: Path, tables: Mapping[str, Sequence[Mapping[str, object]]], *exclusions: str
) -> HuntResult:
    """Hunt rows of tables, written as NDJSON, for Unknown RAT."""
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    for name, rows in tables.items():
        lines = [json.dumps({"Type": name, **row}) for row in rows]
        (logs / f"{name}.json").write_text("\n".join(lines) + "\n")
    path = folder / "exclusions.yaml"
    path.write_text("exclusions:\n" + "".join(exclusions))
    return hunt(
        HuntRequest(
            logs=[str(logs)],
            indicators=families.unknown_rat(),
            exclusions=read_exclusions([str(path)]),
            today=TODAY,
        )
    )


def dns(host: str = "10.0.0.5", **fields: object) -> dict[str, object]:
    base = {"TimeGenerated": f"{TIME}", "ClientIP": host, "Name": "texornacu.com"}
    return {**base, "Computer": "dc1", **fields}


def process(minutes: float, host: str = "10.0.0.5", name: str = "psexec.exe") -> dict[str, object]:
    """A connection that some process of the host made, ``minutes`` after the event."""
    return {
        "Timestamp": f"{TIME + timedelta(minutes=minutes)}",
        "DeviceName": "ws-1.corp.local",
        "LocalIP": host,
        "RemoteIP": "8.8.8.8",
        "InitiatingProcessFileName": name,
    }


def dns_verdict(result: HuntResult) -> Verdict:
    (finding,) = (one for one in result.findings if one.table == "DnsEvents")
    return finding.verdict


@pytest.mark.parametrize(
    ("minutes", "verdict"),
    [(0, "suppressed"), (5, "suppressed"), (-5, "suppressed"), (5.01, "open"), (-5.01, "open")],
)
def test_a_process_of_the_host_within_the_window_stands_in(
    tmp_path: Path, minutes: float, verdict: str
) -> None:
    tables = {"DnsEvents": [dns()], "DeviceNetworkEvents": [process(minutes)]}

    assert dns_verdict(hunted(tmp_path, tables, exclusion("{process: psexec.exe}"))) == verdict


def test_the_window_is_the_exclusions_own(tmp_path: Path) -> None:
    tables = {"DnsEvents": [dns()], "DeviceNetworkEvents": [process(20)]}
    wide = exclusion("{process: psexec.exe}", id="wide", within="30m")
    narrow = exclusion("{process: psexec.exe}", id="narrow", within="30s")

    result = hunted(tmp_path, tables, narrow, wide)

    assert [(use.id, use.suppressed_events) for use in result.exclusions] == [
        ("narrow", 0),
        ("wide", 1),
    ]


@pytest.mark.parametrize(
    ("asked_by", "witness", "verdict"),
    [
        ("ws-1.corp.local", "WS-1.corp.local", "suppressed"),
        ("WS-1", "ws-1.corp.local", "suppressed"),
        ("ws-1.corp.local", "ws-1", "suppressed"),
        ("ws-1.other.local", "ws-1.corp.local", "open"),
        ("ws-10.corp.local", "ws-1.corp.local", "open"),
    ],
)
def test_hosts_are_the_same_by_name_or_first_label(
    tmp_path: Path, asked_by: str, witness: str, verdict: str
) -> None:
    started = {
        "Timestamp": f"{TIME}",
        "DeviceName": witness,
        "FileName": "psexec.exe",
        "SHA256": families.SHA256,
    }
    tables: dict[str, list[dict[str, object]]] = {
        "DnsEvents": [dns(asked_by)],
        "DeviceProcessEvents": [dict(started)],
    }

    assert dns_verdict(hunted(tmp_path, tables, exclusion("{process: psexec.exe}"))) == verdict


def test_another_hosts_process_suppresses_nothing(tmp_path: Path) -> None:
    tables = {"DnsEvents": [dns()], "DeviceNetworkEvents": [process(0, host="10.0.0.6")]}

    assert dns_verdict(hunted(tmp_path, tables, exclusion("{process: psexec.exe}"))) == "open"


def test_not_needs_a_witness_too(tmp_path: Path) -> None:
    """No known process is no proof that it was not this one."""
    rule = exclusion("{not: {process: chrome.exe}}")
    alone = hunted(tmp_path, {"DnsEvents": [dns()]}, rule)
    seen = hunted(
        tmp_path, {"DnsEvents": [dns()], "DeviceNetworkEvents": [process(0, name="x.exe")]}, rule
    )

    assert dns_verdict(alone) == "open"
    assert alone.exclusions[0].not_applicable_to == ("DnsEvents",)
    assert "DnsEvents tells no process: its events stay as they are" in alone.exclusions[0].warnings
    assert dns_verdict(seen) == "suppressed"


def test_an_expired_exclusion_does_nothing_and_is_named(tmp_path: Path) -> None:
    last = exclusion("{host: 10.0.0.5}", id="last-day", expires="2026-07-02")
    gone = exclusion("{host: 10.0.0.5}", id="gone", expires="2026-07-01")

    only_gone = hunted(tmp_path, {"DnsEvents": [dns()]}, gone)
    both = hunted(tmp_path, {"DnsEvents": [dns()]}, gone, last)

    assert dns_verdict(only_gone) == "open"
    assert only_gone.exclusions[0].warnings == (
        "expired on 2026-07-01: it suppresses nothing any more",
    )
    assert both.findings[0].suppressed_by == ("last-day",)


def test_one_open_event_keeps_a_finding_open_and_all_are_counted(tmp_path: Path) -> None:
    rows = [dns(), dns(TimeGenerated=f"{TIME + timedelta(hours=1)}")]

    result = hunted(
        tmp_path, {"DnsEvents": rows}, exclusion('{hours: "12:00-12:30 UTC"}', id="noon")
    )

    (finding,) = result.findings
    assert finding.verdict is Verdict.OPEN
    assert dict(finding.by_verdict) == {Verdict.OPEN: 1, Verdict.SUPPRESSED: 1}
    assert finding.suppressed_by == ("noon",)
    assert result.exclusions[0].suppressed_findings == 1


def test_suppressed_comes_before_stale(tmp_path: Path) -> None:
    old = dns(TimeGenerated="2024-01-01T12:00:00Z")

    result = hunted(tmp_path, {"DnsEvents": [old]}, exclusion("{host: 10.0.0.5}"))

    assert dns_verdict(result) is Verdict.SUPPRESSED


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        ("{families: [Unknown RAT], types: [domain], tables: [DnsEvents]}", "suppressed"),
        ("{families: [win.unknown_rat], types: ['*'], tables: ['*']}", "suppressed"),
        ("{families: [Other], types: ['*'], tables: ['*']}", "open"),
        ("{families: ['*'], types: [url], tables: ['*']}", "open"),
        ("{families: ['*'], types: ['*'], tables: [UrlClickEvents]}", "open"),
    ],
)
def test_the_scope_is_kept(tmp_path: Path, scope: str, verdict: str) -> None:
    result = hunted(tmp_path, {"DnsEvents": [dns()]}, exclusion("{host: 10.0.0.5}", scope=scope))

    assert dns_verdict(result) == verdict


def test_an_event_is_covered_alike_in_whatever_batch_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One covers a host, one a name of it too, one an hour: by value, by both, by event."""
    later = TIME + timedelta(hours=2)
    rows = [
        dns(),
        dns(Name="a.texornacu.com"),
        dns(host="10.0.0.6", TimeGenerated=f"{later}"),
        dns(host="10.0.0.6"),
    ]
    exclusions = (
        exclusion("{host: 10.0.0.5}", id="host"),
        exclusion("{host: 10.0.0.5, domain: a.texornacu.com}", id="both"),
        exclusion("{hours: 13:00-15:00 UTC}", id="hours"),
    )
    whole = hunted(tmp_path, {"DnsEvents": rows}, *exclusions)
    monkeypatch.setattr(covering, "_BATCH_ROWS", 1)
    singly = hunted(tmp_path, {"DnsEvents": rows}, *exclusions)

    assert singly.findings == whole.findings
    assert singly.exclusions == whole.exclusions
    found = {one.host: (one.verdict, one.by_verdict, one.suppressed_by) for one in whole.findings}
    assert found == {
        "10.0.0.5": ("suppressed", {"suppressed": 2}, ("both", "host")),
        "10.0.0.6": ("open", {"open": 1, "suppressed": 1}, ("hours",)),
    }
    counts = {one.id: (one.suppressed_events, one.suppressed_findings) for one in whole.exclusions}
    assert counts == {"host": (2, 1), "both": (1, 1), "hours": (1, 1)}


def test_a_scope_is_kept_when_the_first_batch_lies_in_it_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covering, "_BATCH_ROWS", 1)
    log, path = tmp_path / "DnsEvents.json", tmp_path / "exclusions.yaml"
    names = ("texornacu.com", "bearcave.com")
    log.write_text("".join(json.dumps({"Type": "DnsEvents", **dns(Name=n)}) + "\n" for n in names))
    scope = "{families: [Unknown RAT], types: ['*'], tables: ['*']}"
    path.write_text("exclusions:\n" + exclusion("{host: 10.0.0.5}", scope=scope))
    bear = families.indicator(
        IndicatorType.DOMAIN, names[1], 9, malware="win.bear", malware_printable="Bear"
    )
    result = hunt(
        HuntRequest(
            logs=[str(log)],
            indicators=IndicatorSet.of([*families.unknown_rat(), bear]),
            exclusions=read_exclusions([str(path)]),
            today=TODAY,
        )
    )

    verdicts = {one.indicator.value: one.verdict for one in result.findings}
    assert verdicts == {names[0]: "suppressed", names[1]: "open"}


def test_what_abuse_ch_took_back_is_suppressed_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "fp.json"
    path.write_text(json.dumps({"1": {"entry_type": "domain", "entry_value": "texornacu.com"}}))
    log = tmp_path / "dns.json"
    log.write_text(json.dumps({"Type": "DnsEvents", **dns()}) + "\n")

    result = hunt(
        HuntRequest(
            logs=[str(log)],
            indicators=families.unknown_rat(),
            false_positives=read_fplist([path]),
        )
    )

    (finding,) = result.findings
    assert (finding.verdict, finding.suppressed_by) == (Verdict.SUPPRESSED, ("abuse.ch-fplist",))
    (use,) = result.exclusions
    assert (use.id, use.suppressed_events, use.suppressed_findings) == ("abuse.ch-fplist", 1, 1)


def test_a_warning_list_labels_and_lowers_but_never_suppresses(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    known = {"name": "top sites", "type": "hostname", "list": ["texornacu.com"]}
    (lists / "top.json").write_text(json.dumps(known))
    log = tmp_path / "dns.json"
    log.write_text(json.dumps({"Type": "DnsEvents", **dns()}) + "\n")
    request = HuntRequest(logs=[str(log)], indicators=families.unknown_rat())

    (plain,) = hunt(request).findings
    (labelled,) = hunt(replace(request, warninglists=load_warninglists(lists))).findings

    assert (plain.severity, plain.labels) == ("high", ())
    assert (labelled.severity, labelled.labels) == ("medium", ("top sites",))
    assert labelled.verdict is Verdict.OPEN


def test_an_exclusion_that_covers_most_of_a_hunt_is_named(tmp_path: Path) -> None:
    rows = [dns("10.0.0.5")] * 150 + [dns("10.9.9.9")] * 100
    wide, narrow = exclusion("{source_ip: 10.0.0.5}"), exclusion("{source_ip: 10.9.9.9}", id="x")
    result = hunted(tmp_path, {"DnsEvents": rows}, wide, narrow)

    assert [use.warnings[:-1] for use in result.exclusions] == [
        ("covered 150 of all 250 events of this hunt: is it meant to?",),
        (),
    ]


def test_what_the_lint_says_of_an_exclusion_is_among_its_warnings(tmp_path: Path) -> None:
    careless = exclusion("{process: powershell.exe}")

    result = hunted(tmp_path, {"DnsEvents": [dns()]}, careless)

    codes = [warning.partition(":")[0] for warning in result.exclusions[0].warnings]
    assert {"X101", "X111"} <= set(codes)
