"""Real logs and real feeds, which lie beside the repository and are none of its files.

Each file must give the rows that `counting` counts without foxhunt, and each file that is
of no format we know must be named with a reason.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from foxhunt.feeds import read_indicators
from foxhunt.hunt import HuntRequest, hunt
from foxhunt.indicators import IndicatorType, is_shared
from foxhunt.logs import connect, load_report, open_logs
from foxhunt.sql import identifier

from . import counting

READ: dict[str, Callable[[Path], Counter[str]]] = {
    "zeek/brimdata_wrccdc2018/dns.log.gz": counting.zeek_rows,
    "zeek/brimdata_wrccdc2018/dns.json.gz": counting.zeek_rows,
    "zeek/brimdata_wrccdc2018/ssl.log.gz": counting.zeek_rows,
    "zeek/brimdata_wrccdc2018/ssl.json.gz": counting.zeek_rows,
    "zeek/rita_json/conn.json.log": counting.zeek_rows,
    "zeek/rita_json/dns.json.log": counting.zeek_rows,
    "zeek/rita_json/http.json.log": counting.zeek_rows,
    "zeek/rita_json/ssl.json.log": counting.zeek_rows,
    "zeek/otrf_apt29/SCRANTON_conn.log": counting.zeek_rows,
    "zeek/otrf_apt29/SCRANTON_dns.log": counting.zeek_rows,
    "zeek/otrf_apt29/SCRANTON_files.log": counting.zeek_rows,
    "zeek/otrf_apt29/SCRANTON_http.log": counting.zeek_rows,
    "zeek/otrf_apt29/SCRANTON_ssl.log": counting.zeek_rows,
    "sysmon_json/aptsimulator_cobaltstrike_2021-06-11T21081492.json.gz": (
        counting.sysmon_json_rows
    ),
    "sysmon_json/cmd_bitsadmin_download_psh_script_2020-10-2302365189.json": (
        counting.sysmon_json_rows
    ),
    "sysmon_json/psh_cmstp_execution_bypassuac_2020-10-2201543213.json": (
        counting.sysmon_json_rows
    ),
    "sysmon_json/winlogbeat_dataset-sample-small.json": counting.sysmon_json_rows,
    "evtx/LM_DCOM_MSHTA_LethalHTA_Sysmon_3_1.evtx": counting.evtx_rows,
    "evtx/exec_wmic_xsl_internet_sysmon_3_1_11.evtx": counting.evtx_rows,
    "evtx/omer_sysmon.evtx": counting.evtx_rows,
    "evtx/sysmon_3_10_Invoke-Mimikatz_hosted_Github.evtx": counting.evtx_rows,
    "suricata/alerts-only_honeypot-2018.json": counting.suricata_rows,
    "suricata/alerts-only_wrccdc-2018.json": counting.suricata_rows,
    "suricata/eve-dns-4.1.4_first.log": counting.suricata_rows,
    "suricata/eve-small_selected.log": counting.suricata_rows,
    "sentinel/CommonSecurityLog_ZScaler.json": counting.export_rows,
    "sentinel/Defender_streaming_device_email_events.ndjson": counting.streamed_rows,
}

# Its last eight chunks are remains of other files, each one record that cannot be read.
REFUSED = {"evtx/omer_sysmon.evtx": 8}


@pytest.fixture(scope="module")
def logs(shared_data: Path) -> Path:
    """Folder of the real logs."""
    return shared_data / "logs"


@pytest.mark.parametrize("name", READ)
def test_a_real_file_gives_every_row_of_its_tables(name: str, logs: Path) -> None:
    expected = READ[name](logs / name)
    assert expected.total() > 0

    with connect() as con:
        opened = open_logs(con, [str(logs / name)])
        assert opened.failures == ()
        found: Counter[str] = Counter()
        refused = 0
        for part in opened.parts:
            report = load_report(con, part, identifier(part.view))
            found[part.table] += report.rows
            refused += report.rows_refused

    assert found == expected
    assert refused == REFUSED.get(name, 0)


def test_files_of_no_known_format_are_named_with_a_reason(logs: Path) -> None:
    """All that is not in ``READ``: none is skipped, none is taken for something else."""
    others = {
        path.relative_to(logs).as_posix() for path in logs.rglob("*") if path.is_file()
    } - set(READ)
    assert others, "the folder has formats that we do not read yet"

    with connect() as con:
        opened = open_logs(con, [str(logs / name) for name in sorted(others)])

    assert [part.file.name for part in opened.parts] == []
    assert {Path(failure.name).name for failure in opened.failures} == {
        Path(name).name for name in others
    }
    reasons = {Path(failure.name).name: str(failure.error) for failure in opened.failures}
    assert all(reason.strip() for reason in reasons.values())
    # An export of a table whose time was left out is told from a file of no table at all.
    assert "has no TimeGenerated" in reasons["CommonSecurityLog_solarigate_CEFevent.csv"]


def test_tsv_and_json_of_the_same_zeek_log_are_the_same_rows(logs: Path) -> None:
    folder = logs / "zeek/brimdata_wrccdc2018"
    for log in ("dns", "ssl"):
        with connect() as con:
            names = [str(folder / f"{log}.log.gz"), str(folder / f"{log}.json.gz")]
            tsv, as_json = open_logs(con, names).parts
            assert set(tsv.columns) == set(as_json.columns)
            columns = ", ".join(identifier(name) for name in sorted(tsv.columns))
            one, other = (
                f"SELECT _row, _refused, {columns} FROM {identifier(part.view)}"
                for part in (tsv, as_json)
            )
            differing = con.execute(f"({one} EXCEPT {other}) LIMIT 3").fetchall()
            assert differing == []
            assert con.execute(f"({other} EXCEPT {one}) LIMIT 3").fetchall() == []


def _names_asked(path: Path) -> Counter[tuple[str, str]]:
    """(name, client) to number of rows of a Zeek DNS log in JSON."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = (json.loads(line) for line in lines)
        return Counter(
            (record["query"].lower().rstrip("."), record["id.orig_h"])
            for record in records
            if record.get("query")
        )


def _planted(names: list[str]) -> dict[str, list[dict[str, object]]]:
    """ThreatFox records of domains that do occur: real logs hold almost no true hits."""
    return {
        str(9_000_000 + number): [
            {
                "ioc_value": name,
                "ioc_type": "domain",
                "threat_type": "botnet_cc",
                "malware": "win.planted",
                "malware_alias": None,
                "malware_printable": "Planted",
                "first_seen_utc": "2018-03-20 00:00:00",
                "last_seen_utc": None,
                "confidence_level": 100,
                "is_compromised": False,
                "reference": None,
                "tags": None,
                "anonymous": 0,
                "reporter": "test",
            }
        ]
        for number, name in enumerate(names)
    }


def test_a_real_feed_over_real_dns_finds_what_a_naive_count_finds(
    shared_data: Path, tmp_path: Path
) -> None:
    log = shared_data / "logs/zeek/brimdata_wrccdc2018/dns.json.gz"
    asked = _names_asked(log)
    occurring = sorted({name for name, _ in asked if name.count(".") == 1})[::2]
    occurring += sorted({name for name, _ in asked if name.count(".") == 3})[::10]
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(_planted(occurring)), "utf-8")
    feeds = sorted((shared_data / "threatfox/recent").glob("*.json.gz"))
    indicators, _ = read_indicators([*map(str, feeds), str(planted)])
    domains = {one.value for one in indicators if one.type is IndicatorType.DOMAIN}
    expected = _naive_findings(asked, domains)
    assert len(domains) > 3_000
    assert len(expected) > 100
    assert {match for match, _ in expected.values()} == {"exact", "subdomain"}

    result = hunt(HuntRequest(logs=[str(log)], indicators=indicators))

    assert result.is_complete
    found = {
        (finding.indicator.value, finding.host): (str(finding.match), finding.events)
        for finding in result.findings
        if finding.indicator.type is IndicatorType.DOMAIN
    }
    assert found == expected


def _naive_findings(
    asked: Counter[tuple[str, str]], domains: set[str]
) -> dict[tuple[str, str | None], tuple[str, int]]:
    """(indicator, client) to match and number of events: every name against every suffix of it."""
    exact: Counter[tuple[str, str]] = Counter()
    below: Counter[tuple[str, str]] = Counter()
    for (name, client), times in asked.items():
        if name in domains:
            exact[name, client] += times
        labels = name.split(".")
        for start in range(1, len(labels)):
            parent = ".".join(labels[start:])
            if parent in domains and not is_shared(parent):
                below[parent, client] += times
    return {
        key: ("exact" if key in exact else "subdomain", exact[key] + below[key])
        for key in {*exact, *below}
    }
