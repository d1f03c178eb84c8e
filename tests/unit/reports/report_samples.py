"""What to render: a telling result, the quiet ones, a hostile one, a big one; pages of rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from foxhunt.findings import (
    Coverage,
    CoverageStatus,
    ExclusionUse,
    Finding,
    HuntResult,
    MatchKind,
    Severity,
    Verdict,
)
from foxhunt.indicators import Indicator, IndicatorType, Quarantined
from foxhunt.reports.rule_page import RulePage

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

HOSTILE = (
    "a\"quote'`tick`",
    "line\nbreak\r\nand\ttab",
    "</td><script>alert(1)</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "invoice\u202efdp.exe\u2066\u200b",
    "lone\ud800surrogate\udfff",
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x00\x7f",
    "| pipe | `code` | [link](http://evil.example.com) <http://evil.example.com> ![i](x)",
    "# heading\n---\n```\nfence\n~~~",
    "{{ 7 * 7 }}{% raw %}",
    "]]>--><!--",
    "[red]markup[/red] :bomb: [link=file:///etc/passwd]x[/link]",
    "back\\slash\\|\\`",
    "@SUM(1)",
    "-2+3",
    "+1",
    "\tafter tab",
)


def indicator(value: str, type_: IndicatorType = IndicatorType.DOMAIN, **more: object) -> Indicator:
    base = Indicator(
        type=type_,
        value=value,
        source="threatfox",
        source_id="1815001",
        threat_type="botnet_cc",
        malware="unknown_rat",
        malware_printable="Unknown RAT",
        confidence_level=100,
        first_seen=datetime(2026, 5, 24, 6, 30, tzinfo=UTC),
        reference="https://bazaar.abuse.ch/sample/0f0f/",
    )
    return replace(base, **more)  # type: ignore[arg-type]  # a test's own keywords


def finding(id_: str, host: str | None = "WS-014", **more: object) -> Finding:
    base = Finding(
        id=id_,
        verdict=Verdict.OPEN,
        severity=Severity.HIGH,
        indicator=indicator("texornacu.com"),
        table="DnsEvents",
        column="Name",
        match=MatchKind.SUBDOMAIN,
        observed=("c2.texornacu.com", "C2.Texornacu.com."),
        host=host,
        user=None,
        process=None,
        direction="outbound",
        action=None,
        first_event=NOON - timedelta(hours=2),
        last_event=NOON,
        events=42,
        by_verdict={Verdict.OPEN: 2, Verdict.SUPPRESSED: 40},
        suppressed_by=("test-lab",),
        rows=(
            {
                "TimeGenerated": "2026-06-01T12:00:00Z",
                "Computer": "DC01",
                "ClientIP": "10.1.0.14",
                "Name": "c2.texornacu.com",
                "IPAddresses": "203.0.113.7,203.0.113.8",
                "QueryType": "A",
                "_file": "dns.csv",
                "_row": 17,
            },
        ),
    )
    return replace(base, **more)  # type: ignore[arg-type]  # a test's own keywords


def coverage(table: str, status: CoverageStatus, **more: object) -> Coverage:
    hunted = status is CoverageStatus.HUNTED
    base = Coverage(
        table=table,
        files=(f"{table}.csv",) if hunted else (),
        rows=12_000 if hunted else 0,
        rows_refused=0,
        first_time=NOON - timedelta(days=3) if hunted else None,
        last_time=NOON if hunted else None,
        indicator_types=("domain",),
        status=status,
        reason="" if hunted else "no file holds rows of this table",
    )
    return replace(base, **more)  # type: ignore[arg-type]  # a test's own keywords


def empty_result() -> HuntResult:
    """Looked at one table of two, found nothing."""
    return HuntResult(
        started=NOON,
        finished=NOON + timedelta(seconds=1, microseconds=250_000),
        version="0.1.0",
        indicators_total=2,
        indicators_by_type={"domain": 2},
        quarantined=(),
        not_shown_by_any_table={},
        coverage=(
            coverage("DeviceNetworkEvents", CoverageStatus.NO_DATA),
            coverage("DnsEvents", CoverageStatus.HUNTED),
        ),
        findings=(),
        timeline=(),
        exclusions=(),
        policy=("domain: from 7 days before first_seen to 180 days after last_seen",),
    )


def blind_result() -> HuntResult:
    """No table had data: nothing was looked at."""
    tables = ("DeviceNetworkEvents", "DnsEvents")
    entries = tuple(coverage(table, CoverageStatus.NO_DATA) for table in tables)
    return replace(empty_result(), coverage=entries)


def incomplete_result() -> HuntResult:
    """One table could not be evaluated, and one file could not be read."""
    failed = CoverageStatus.NOT_EVALUATED
    return replace(
        empty_result(),
        coverage=(
            coverage("DeviceNetworkEvents", CoverageStatus.HUNTED),
            coverage("DnsEvents", failed, reason="H501: rule unknown_rat: out of memory"),
            coverage("", failed, files=("logs/odd.bin",), reason="H301: no format recognises it"),
        ),
    )


def telling_result() -> HuntResult:
    """A bit of everything."""
    c2 = indicator(
        "203.0.113.7:443",
        IndicatorType.IP_PORT,
        source_id="1815002",
        malware="win.asyncrat",
        malware_printable="AsyncRAT",
        confidence_level=75,
        last_seen=datetime(2026, 5, 30, 1, 2, 3, tzinfo=UTC),
        reference=None,
    )
    gate = indicator(
        "http://winupdateservice.com/gate.php?id=1",
        IndicatorType.URL,
        source_id="1815003",
        threat_type="payload_delivery",
    )
    hash_ = indicator(
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        IndicatorType.SHA256,
        source_id="1815004",
        threat_type="payload",
    )
    findings = (
        finding("f-1"),
        finding(
            "f-2",
            "laptop-of-a-very-long-name.corp.example.net",
            severity=Severity.MEDIUM,
            indicator=gate,
            table="UrlClickEvents",
            column="Url",
            match=MatchKind.URL_PREFIX,
            observed=("http://winupdateservice.com/gate.php?id=1&x=2",),
            user="ada@corp.example.net",
            action="blocked",
            events=1,
            first_event=NOON - timedelta(days=1),
            last_event=NOON - timedelta(days=1),
            by_verdict={Verdict.OPEN: 1},
            suppressed_by=(),
            rows=(
                {"Url": "http://winupdateservice.com/gate.php?id=1&x=2", "_file": "u", "_row": 1},
            ),
        ),
        finding(
            "f-3",
            "fw-1",
            verdict=Verdict.INBOUND,
            severity=Severity.LOW,
            indicator=c2,
            table="CommonSecurityLog",
            column="SourceIP",
            match=MatchKind.IP,
            observed=("203.0.113.7",),
            direction="inbound",
            action="blocked",
            events=1_912,
            by_verdict={Verdict.INBOUND: 1_912},
            suppressed_by=(),
            rows=(
                {
                    "SourceIP": "203.0.113.7",
                    "SourcePort": 51_544,
                    "DestinationIP": "198.51.100.2",
                    "DeviceAction": "deny",
                    "_file": "fw.csv",
                    "_row": 4,
                },
            ),
        ),
        finding(
            "f-4",
            verdict=Verdict.STALE,
            severity=Severity.LOW,
            indicator=replace(c2, value="[2001:db8::1]:8443", source_id="1815005"),
            table="DeviceNetworkEvents",
            column="RemoteIP",
            match=MatchKind.IP_PORT,
            observed=("2001:db8::1",),
            process="C:\\Windows\\System32\\svchost.exe",
            events=3,
            by_verdict={Verdict.STALE: 3},
            suppressed_by=(),
            rows=({"RemoteIP": "2001:db8::1", "RemotePort": 8443, "_file": "net.json", "_row": 2},),
        ),
        finding(
            "f-5",
            None,
            verdict=Verdict.SUPPRESSED,
            severity=Severity.INFO,
            indicator=hash_,
            table="DeviceFileEvents",
            column="SHA256",
            match=MatchKind.HASH,
            observed=(hash_.value,),
            events=7,
            by_verdict={Verdict.SUPPRESSED: 7},
            suppressed_by=("test-lab", "admin-jump-hosts"),
            rows=({"SHA256": hash_.value, "FileName": "a.exe", "_file": "files.csv", "_row": 9},),
        ),
    )
    return replace(
        empty_result(),
        indicators_total=5,
        indicators_by_type={"ip:port": 2, "domain": 1, "url": 1, "sha256_hash": 1},
        quarantined=(
            Quarantined(
                "1815010", "10.0.0.7:443", "ip:port", "H102: not a public address: 10.0.0.7"
            ),
            Quarantined("1815011", "no domain.", "domain", "H101: no host name: 'no domain.'"),
            Quarantined("1815012", "test.example", "domain", "H102: reserved name: 'test.example'"),
            Quarantined("1815013", "", "url", "H101: empty value"),
        ),
        not_shown_by_any_table={"sha3_384_hash": 1},
        coverage=(
            coverage("CommonSecurityLog", CoverageStatus.HUNTED, rows=961_000, rows_refused=3),
            coverage("DeviceNetworkEvents", CoverageStatus.HUNTED),
            coverage("DnsEvents", CoverageStatus.HUNTED, reason="2 values of EventId unreadable"),
            coverage("UrlClickEvents", CoverageStatus.HUNTED),
            coverage("DeviceFileEvents", CoverageStatus.HUNTED),
            coverage("EmailUrlInfo", CoverageStatus.NO_DATA),
        ),
        findings=findings,
        timeline=(
            ("", "2026-06-01", Verdict.SUPPRESSED, 7),
            ("WS-014", "2026-05-30", Verdict.STALE, 3),
            ("WS-014", "2026-06-01", Verdict.OPEN, 2),
            ("WS-014", "2026-06-01", Verdict.SUPPRESSED, 40),
            ("fw-1", "2026-05-29", Verdict.INBOUND, 900),
            ("fw-1", "2026-05-31", Verdict.INBOUND, 1_012),
            ("laptop-of-a-very-long-name.corp.example.net", "2026-05-31", Verdict.OPEN, 1),
        ),
        exclusions=(
            ExclusionUse(
                id="test-lab",
                suppressed_events=47,
                suppressed_findings=2,
                not_applicable_to=("UrlClickEvents",),
                warnings=("expires in 3 days",),
            ),
        ),
    )


def hostile_result() -> HuntResult:
    """Every free text of a result, from feed and log, holds each of `HOSTILE`."""
    findings = []
    for number, text in enumerate(HOSTILE):
        bad = indicator(
            f"http://evil.example.com/{text}",
            IndicatorType.URL,
            source_id=text,
            threat_type=text,
            malware=text,
            malware_printable=text,
            reference=text,
        )
        findings.append(
            finding(
                f"h-{number}",
                text,
                indicator=bad,
                observed=(text, f"http://evil.example.com/{text}"),
                user=text,
                process=text,
                suppressed_by=(text,),
                rows=({text: text, "note": text, "_file": text, "_row": 1},),
            )
        )
    failed = CoverageStatus.NOT_EVALUATED
    return replace(
        telling_result(),
        version=HOSTILE[2],
        indicators_by_type=dict.fromkeys(HOSTILE, 1),
        quarantined=tuple(Quarantined(t, t, t, f"H101: not a domain: {t!r} {t}") for t in HOSTILE),
        not_shown_by_any_table=dict.fromkeys(HOSTILE, 1),
        coverage=(
            coverage("DnsEvents", CoverageStatus.HUNTED),
            *(coverage("", failed, files=(t,), reason=f"H301: {t}") for t in HOSTILE),
        ),
        findings=tuple(findings),
        timeline=tuple((text, "2026-06-01", Verdict.OPEN, 1) for text in HOSTILE),
        exclusions=tuple(
            ExclusionUse(
                id=text,
                suppressed_events=1,
                suppressed_findings=1,
                not_applicable_to=(text,),
                warnings=(text,),
            )
            for text in HOSTILE
        ),
        policy=HOSTILE,
    )


def big_result(count: int) -> HuntResult:
    """``count`` open findings with five wide rows each, on 400 hosts in 120 days."""
    row = {f"Column{number}": f"value {number} of a wide table" for number in range(40)}
    findings = tuple(
        finding(
            f"b-{number}",
            f"WS-{number % 400:03}",
            indicator=indicator(f"c{number}.texornacu.com", source_id=str(number)),
            observed=tuple(f"{label}.c{number}.texornacu.com" for label in range(20)),
            rows=tuple({**row, "_file": "dns.csv", "_row": at} for at in range(1, 6)),
        )
        for number in range(count)
    )
    days = [(NOON - timedelta(days=back)).date().isoformat() for back in range(120)]
    timeline = tuple(
        (f"WS-{number % 400:03}", days[number % 120], list(Verdict)[number % 4], number % 90 + 1)
        for number in range(count)
    )
    return replace(empty_result(), findings=findings, timeline=tuple(sorted(set(timeline))))


QUERY = """\
// Hunt for DNS queries to known malicious domains
// Source: ThreatFox - Unknown RAT
let malicious_domains = dynamic(["texornacu.com", "winupdateservice.com"]);
DnsEvents
| where Name has_any (malicious_domains)
| project TimeGenerated, Computer, Name, IPAddresses, QueryType
| order by TimeGenerated desc
"""


def sample_page() -> RulePage:
    """The page of the family that the project started from."""
    return RulePage(
        title="ThreatFox: Unknown RAT IOCs",
        description=(
            "Finds contact with 2 indicators that ThreatFox publishes for Unknown RAT.",
            "A match is a reason to look at the machine, not yet a proof of infection.",
        ),
        facts=(
            ("Malware Family", "Unknown RAT"),
            ("Total IOCs", "2"),
            ("IOC Types", "domain"),
        ),
        indicators=(indicator("texornacu.com"), indicator("winupdateservice.com")),
        queries=(("DNS queries to known malicious domains", "DnsEvents", QUERY),),
        required_tables=(
            ("DnsEvents", "DNS", "DNS queries with the name that was asked for (Name)"),
        ),
        scenarios=(
            (
                "Test Environment Artifact",
                "A test environment uses a domain that is flagged as an IOC.",
                "host: the names of your test machines, e.g. test-*",
            ),
        ),
        techniques=(("T1071.004", "Application Layer Protocol: DNS"),),
        references=(
            "https://malpedia.caad.fkie.fraunhofer.de/details/win.unknown_rat",
            "https://bazaar.abuse.ch/sample/0f0f/",
        ),
    )


def hostile_page() -> RulePage:
    """Every text of a page holds each of `HOSTILE`."""
    pairs = tuple((text, text) for text in HOSTILE)
    triples = tuple((text, text, text) for text in HOSTILE)
    return RulePage(
        title=" ".join(HOSTILE),
        description=HOSTILE,
        facts=pairs,
        indicators=tuple(indicator(text, threat_type=text) for text in HOSTILE),
        queries=triples,
        required_tables=triples,
        scenarios=triples,
        techniques=pairs,
        references=(
            *HOSTILE,
            "https://malpedia.caad.fkie.fraunhofer.de/details/x><script>",
            "https://malpedia.caad.fkie.fraunhofer.de.evil.example.com/details/x",
        ),
    )
