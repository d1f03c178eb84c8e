"""Sysmon events as JSON lines: three shapes, and what each event id becomes."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.logs import sysmon_json
from foxhunt.logs.model import LogFile

from .reading import log_file, read, write_lines

CHANNEL = "Microsoft-Windows-Sysmon/Operational"
MD5, SHA1, SHA256 = "A" * 32, "B" * 40, "C" * 64
HASHES = f"SHA1={SHA1},MD5={MD5},SHA256={SHA256},IMPHASH={'D' * 32}"
TIME = datetime(2023, 11, 14, 22, 13, 20, 250000)
TABLES = {
    1: "DeviceProcessEvents",
    3: "DeviceNetworkEvents",
    7: "DeviceImageLoadEvents",
    11: "DeviceFileEvents",
    15: "DeviceFileEvents",
    22: "DnsEvents",
    23: "DeviceFileEvents",
    29: "DeviceFileEvents",
}


def flat(event_id: int, **data: object) -> dict[str, Any]:
    return {
        "EventID": event_id,
        "Channel": CHANNEL,
        "Hostname": "WS-1.corp.example",
        "@timestamp": "2023-11-15T00:00:00Z",
        "UtcTime": "2023-11-14 22:13:20.250",
        **data,
    }


def beat(event_id: int, **data: object) -> dict[str, Any]:
    return {
        "@timestamp": "2023-11-15T00:00:00Z",
        "host": {"name": "collector"},
        "winlog": {
            "event_id": event_id,
            "channel": CHANNEL,
            "computer_name": "WS-1.corp.example",
            "event_data": {"UtcTime": "2023-11-14 22:13:20.250", **data},
        },
    }


def evtx(event_id: int, **data: object) -> dict[str, Any]:
    return {
        "Event": {
            "System": {
                "EventID": {"#text": event_id},
                "Channel": CHANNEL,
                "Computer": "WS-1.corp.example",
            },
            "EventData": {"UtcTime": "2023-11-14 22:13:20.250", **data},
        }
    }


SHAPES = pytest.mark.parametrize("shape", [flat, beat, evtx])
WAYS = pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])


def written(path: Path, *records: object) -> Path:
    return write_lines(path, *(json.dumps(record) for record in records))


@WAYS
@SHAPES
def test_a_process(tmp_path: Path, shape: Any, torn: bool) -> None:
    event = shape(
        1,
        Image="C:\\Windows\\evil.exe",
        ProcessId="42",
        CommandLine="evil.exe -x ",
        User="CORP\\ann",
        Hashes=HASHES,
        ParentImage="C:\\Windows\\explorer.exe",
        ParentProcessId=7,
    )
    path = written(tmp_path / "sysmon.json", event)
    assert sysmon_json.recognises(log_file(path))
    with read("sysmon_json", path, torn=torn) as reading:
        (row,) = reading.rows("DeviceProcessEvents")
    assert row == {
        "_row": 1,
        "Timestamp": TIME,
        "TimeGenerated": TIME,
        "DeviceName": "WS-1.corp.example",
        "ActionType": "ProcessCreated",
        "FileName": "evil.exe",
        "FolderPath": "C:\\Windows\\evil.exe",
        "ProcessCommandLine": "evil.exe -x ",
        "ProcessId": 42,
        "AccountName": "ann",
        "AccountDomain": "CORP",
        "MD5": MD5,
        "SHA1": SHA1,
        "SHA256": SHA256,
        "InitiatingProcessFileName": "explorer.exe",
        "InitiatingProcessFolderPath": "C:\\Windows\\explorer.exe",
        "InitiatingProcessId": 7,
    }


@WAYS
@SHAPES
def test_a_query(tmp_path: Path, shape: Any, torn: bool) -> None:
    event = shape(
        22,
        QueryName="a.example",
        QueryStatus="0",
        QueryResults="type:  5 cdn.example;::ffff:203.0.113.7;2001:db8::7;",
        Image="C:\\x.exe",
        User="CORP\\ann",
    )
    with read("sysmon_json", written(tmp_path / "s.json", event), torn=torn) as reading:
        (row,) = reading.rows("DnsEvents")
    assert row == {
        "_row": 1,
        "TimeGenerated": TIME,
        "Computer": "WS-1.corp.example",
        "Name": "a.example",
        "IPAddresses": "203.0.113.7,2001:db8::7",
        "ResultCode": 0,
        "_process": "C:\\x.exe",
        "_user": "CORP\\ann",
    }


@SHAPES
@pytest.mark.parametrize(
    ("data", "action", "remote", "url"),
    [
        ({"Initiated": "true"}, "ConnectionSuccess", ("203.0.113.7", 443), "c2.example"),
        ({"Initiated": True}, "ConnectionSuccess", ("203.0.113.7", 443), "c2.example"),
        ({"Initiated": "false"}, "InboundConnectionAccepted", ("10.0.0.7", 4000), None),
        # The machine's own name tells our side, whoever initiated.
        (
            {"Initiated": "false", "SourceHostname": "WS-1"},
            "InboundConnectionAccepted",
            ("203.0.113.7", 443),
            "c2.example",
        ),
        (
            {"Initiated": "false", "SourceHostname": "WS-1", "Protocol": "udp"},
            None,
            ("203.0.113.7", 443),
            "c2.example",
        ),
        (
            {"Initiated": "false", "SourceHostname": "WS-1", "DestinationHostname": "ws-1"},
            "InboundConnectionAccepted",
            ("10.0.0.7", 4000),
            None,
        ),
        ({}, None, ("203.0.113.7", 443), "c2.example"),
        (
            {"Initiated": "true", "DestinationHostname": "-"},
            "ConnectionSuccess",
            ("203.0.113.7", 443),
            None,
        ),
    ],
)
def test_a_connection_has_its_remote_side(
    tmp_path: Path, shape: Any, data: Any, action: Any, remote: Any, url: str
) -> None:
    event = {
        "Protocol": "tcp",
        "SourceIp": "10.0.0.7",
        "SourcePort": "4000",
        "DestinationIp": "203.0.113.7",
        "DestinationPort": 443,
        "DestinationHostname": "c2.example",
    }
    path = written(tmp_path / "sysmon.json", shape(3, **{**event, **data}))
    with read("sysmon_json", path) as reading:
        (row,) = reading.rows("DeviceNetworkEvents")
    assert row.get("ActionType") == action
    assert (row["RemoteIP"], row["RemotePort"]) == remote
    assert row.get("RemoteUrl") == url
    assert {row["LocalIP"], row["RemoteIP"]} == {"10.0.0.7", "203.0.113.7"}


@SHAPES
def test_files_and_images(tmp_path: Path, shape: Any) -> None:
    zone = (
        "[ZoneTransfer]  ZoneId=3  ReferrerUrl=http://a.example/  HostUrl=http://b.example/x.zip  "
    )
    file = "C:\\Users\\ann\\x.zip"
    path = written(
        tmp_path / "sysmon.json",
        shape(7, ImageLoaded="C:\\x.dll", Hashes=f"MD5={MD5}", Image="C:\\host.exe"),
        shape(11, TargetFilename=file, Image="C:\\host.exe"),
        shape(15, TargetFilename=file + ":Zone.Identifier", Hash=HASHES, Contents=zone),
        shape(23, TargetFilename=file, Hashes=HASHES),
        shape(29, TargetFilename=file, Hashes=f"SHA256={SHA256}"),
    )
    with read("sysmon_json", path) as reading:
        (image,) = reading.rows("DeviceImageLoadEvents")
        files = reading.rows("DeviceFileEvents")
    assert (image["FileName"], image["MD5"]) == ("x.dll", MD5)
    assert image["InitiatingProcessFileName"] == "host.exe"
    assert [(row["_row"], row["ActionType"], row.get("SHA256")) for row in files] == [
        (2, "FileCreated", None),
        (3, "FileCreated", SHA256),
        (4, "FileDeleted", SHA256),
        (5, "FileCreated", SHA256),
    ]
    assert files[1]["FileOriginUrl"] == "http://b.example/x.zip"
    assert files[1]["FileOriginReferrerUrl"] == "http://a.example/"
    assert files[0]["FolderPath"] == file


@pytest.mark.parametrize(
    ("hashes", "column", "value"),
    [
        (f"MD5={MD5}", "MD5", MD5),
        (f"sha256={SHA256.lower()}", "SHA256", SHA256.lower()),
        (f"SHA1={SHA1};MD5={MD5}", "MD5", MD5),
        (f"IMPHASH={MD5}", "MD5", None),
        (f"SHA1={SHA256}", "SHA1", None),
        ("MD5=", "MD5", None),
        ("-", "MD5", None),
    ],
)
def test_hashes(tmp_path: Path, hashes: Any, column: str, value: Any) -> None:
    with read("sysmon_json", written(tmp_path / "s.json", flat(1, Hashes=hashes))) as reading:
        (row,) = reading.rows("DeviceProcessEvents")
    assert row.get(column) == value


def test_other_events_are_counted_but_in_no_table(tmp_path: Path) -> None:
    other = {"EventID": 1, "Channel": "Security", "Hostname": "WS-1", "@timestamp": "2023-11-14"}
    path = written(
        tmp_path / "s.json", other, flat(10), flat(22, QueryName="a.example"), flat(5), other
    )
    with read("sysmon_json", path) as reading:
        assert reading.counts() == {"DnsEvents": 1}
        assert [row["_row"] for row in reading.rows("DnsEvents")] == [3]
        assert reading.refused() == []


@WAYS
def test_members_of_a_wrong_type_lose_no_other_record(tmp_path: Path, torn: bool) -> None:
    path = write_lines(
        tmp_path / "s.json",
        json.dumps(flat(22, QueryName="a.example", winlog="text", Event=[1])),
        json.dumps(flat(22, QueryName={"a": 1}, QueryResults=["203.0.113.7"])),
        '{"winlog": 5}',
        '{"EventID": 22, ',
        json.dumps(beat(22, QueryName="b.example")),
    )
    with read("sysmon_json", path, torn=torn) as reading:
        rows = reading.rows("DnsEvents")
        assert [number for number, _ in reading.refused()] == [4]
    assert [(row["_row"], row["Name"]) for row in rows][::2] == [(1, "a.example"), (5, "b.example")]


def test_the_records_time_is_the_events_own(tmp_path: Path) -> None:
    path = written(tmp_path / "s.json", flat(1), flat(1, UtcTime=None), flat(1, UtcTime="never"))
    with read("sysmon_json", path) as reading:
        rows = reading.rows("DeviceProcessEvents")
        assert [row["Timestamp"] for row in rows] == [TIME, datetime(2023, 11, 15)]
        assert [number for number, _ in reading.refused()] == [3]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0\xff",
        b'{"EventID": 4688}',
        b'{"EventID": 1, "Channel": "Security", "TenantId": "t", "Type": "SecurityEvent"}',
        b'{"winlog": "x"}',
        b'{"Event": {}}',
        b"[" * 60_000,
    ],
)
def test_other_content_is_not_recognised(head: bytes) -> None:
    assert not sysmon_json.recognises(LogFile(Path("x"), "x", "none", head))


@given(st.binary(max_size=200))
def test_recognising_never_raises(rest: bytes) -> None:
    sysmon_json.recognises(LogFile(Path("x"), "x", "none", b'{"winlog":' + rest))


@pytest.mark.parametrize(
    "name",
    [
        "aptsimulator_cobaltstrike_2021-06-11T21081492.json.gz",
        "cmd_bitsadmin_download_psh_script_2020-10-2302365189.json",
        "psh_cmstp_execution_bypassuac_2020-10-2201543213.json",
        "winlogbeat_dataset-sample-small.json",
    ],
)
def test_real_events_are_all_in_their_tables(shared_data: Path, name: str) -> None:
    path = shared_data / "logs/sysmon_json" / name
    expected: dict[str, list[int]] = {}
    with gzip.open(path) if name.endswith(".gz") else path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            record = json.loads(line)
            winlog = record.get("winlog", {})
            if winlog.get("channel", record.get("Channel")) == CHANNEL:
                table = TABLES.get(winlog.get("event_id", record.get("EventID")))
                if table is not None:
                    expected.setdefault(table, []).append(number)
    assert len(expected) >= 4
    assert sysmon_json.recognises(log_file(path))
    with read("sysmon_json", path) as fast, read("sysmon_json", path, torn=True) as slow:
        assert {
            table: [row["_row"] for row in fast.rows(table)] for table in fast.parts
        } == expected
        assert fast.refused() == []
        for table in expected:
            assert fast.rows(table) == slow.rows(table)


def test_real_answers(shared_data: Path) -> None:
    path = shared_data / "logs/sysmon_json/psh_cmstp_execution_bypassuac_2020-10-2201543213.json"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    asked = Counter(r["QueryName"] for r in records if r["EventID"] == 22)
    with read("sysmon_json", path) as reading:
        rows = reading.rows("DnsEvents")
    assert Counter(row["Name"] for row in rows) == asked
    assert all(row["Computer"] == "WORKSTATION5" and row["_process"] for row in rows)
