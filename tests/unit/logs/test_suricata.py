"""Suricata's EVE: the three forms of DNS, alerts and their sides, files, arrays that break off."""

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

from foxhunt.logs import suricata
from foxhunt.logs.model import LogFile
from foxhunt.logs.streams import TORN

from .reading import log_file, read, write_lines

CLIENT = {"src_ip": "10.0.0.7", "src_port": 40000, "dest_ip": "203.0.113.7", "dest_port": 53}
SERVER = {"src_ip": "203.0.113.7", "src_port": 53, "dest_ip": "10.0.0.7", "dest_port": 40000}
WAYS = pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])


def event(kind: str, sides: dict[str, Any] = CLIENT, **members: object) -> dict[str, Any]:
    return {
        "timestamp": "2023-11-14T22:13:20.250000+0100",
        "flow_id": 1,
        "event_type": kind,
        "proto": "TCP",
        **sides,
        **members,
    }


def written(path: Path, *records: object) -> Path:
    return write_lines(path, *(json.dumps(record) for record in records))


ANSWERS = [
    {"rrname": "a.example", "rrtype": "CNAME", "rdata": "cdn.example"},
    {"rrname": "cdn.example", "rrtype": "A", "rdata": "203.0.113.9"},
]


@WAYS
@pytest.mark.parametrize(
    ("sides", "dns", "names", "addresses"),
    [
        (CLIENT, {"type": "query", "rrname": "a.example", "rrtype": "A"}, ["a.example"], None),
        (
            SERVER,
            {"type": "answer", "rrname": "a.example", "rrtype": "A", "rdata": "203.0.113.9"},
            ["a.example"],
            "203.0.113.9",
        ),
        (
            SERVER,
            {"type": "answer", "rrname": "a.example", "rrtype": "CNAME", "rdata": "cdn.example"},
            ["a.example"],
            None,
        ),
        (
            SERVER,
            {
                "version": 2,
                "type": "answer",
                "rrname": "a.example",
                "answers": ANSWERS,
                "grouped": {"A": ["203.0.113.9", "203.0.113.10"], "AAAA": ["2001:db8::9"]},
            },
            ["a.example"],
            "203.0.113.9,203.0.113.10,2001:db8::9",
        ),
        # Version 3 may keep the sides of the flow in its replies.
        (
            CLIENT,
            {
                "version": 3,
                "type": "response",
                "queries": [{"rrname": "a.example", "rrtype": "A"}],
                "answers": ANSWERS,
            },
            ["a.example"],
            "203.0.113.9",
        ),
        (
            CLIENT,
            {
                "version": 3,
                "type": "request",
                "queries": [{"rrname": "a.example"}, {"rrname": "b.example"}],
            },
            ["a.example", "b.example"],
            None,
        ),
    ],
)
def test_dns(tmp_path: Path, sides: Any, dns: Any, names: Any, addresses: Any, torn: bool) -> None:
    path = written(tmp_path / "eve.json", event("dns", sides, dns=dns))
    assert suricata.recognises(log_file(path))
    with read("suricata", path, torn=torn) as reading:
        rows = reading.rows("DnsEvents")
    assert [row["Name"] for row in rows] == names
    for row in rows:
        assert row["_row"] == 1
        assert row["ClientIP"] == "10.0.0.7"
        assert row["TimeGenerated"] == datetime(2023, 11, 14, 21, 13, 20, 250000)
        assert set(row.get("IPAddresses", "").split(",")) == set((addresses or "").split(","))


HTTP = {"hostname": "a.example", "url": "/x", "http_method": "GET", "http_user_agent": "curl"}


@pytest.mark.parametrize(
    ("port", "http", "url"),
    [
        (80, {}, "http://a.example/x"),
        (8080, {}, "http://a.example:8080/x"),
        (3128, {"http_port": 80}, "http://a.example/x"),
        (80, {"http_port": 8081}, "http://a.example:8081/x"),
        (3128, {"url": "http://b.example/y"}, "http://b.example/y"),
        (3128, {"url": "b.example:443", "http_method": "CONNECT"}, "b.example:443"),
        (80, {"hostname": None}, None),
        (80, {"url": None}, None),
    ],
)
def test_the_url_of_a_request(tmp_path: Path, port: Any, http: Any, url: str) -> None:
    record = event("http", {**CLIENT, "dest_port": port}, http={**HTTP, **http})
    with read("suricata", written(tmp_path / "eve.json", record)) as reading:
        (row,) = reading.rows("CommonSecurityLog")
    assert row.get("RequestURL") == url
    assert (row["RequestClientApplication"], row["DestinationPort"]) == ("curl", port)


@pytest.mark.parametrize(
    ("sides", "extra", "source"),
    [
        (CLIENT, {}, "10.0.0.7"),
        (SERVER, {}, "203.0.113.7"),  # which side the packet was of is not told: not guessed
        (SERVER, {"direction": "to_client"}, "10.0.0.7"),
        (SERVER, {"flow": {**CLIENT, "pkts_toserver": 1}}, "10.0.0.7"),
        (SERVER, {"direction": "to_client", "flow": CLIENT}, "10.0.0.7"),
    ],
)
def test_the_sides_of_an_alert_are_those_of_its_flow(
    tmp_path: Path, sides: Any, extra: Any, source: Any
) -> None:
    alert = {"action": "blocked", "signature": "ET TROJAN x", "signature_id": 1, "severity": 2}
    record = event("alert", sides, alert=alert, tls={"sni": "c2.example"}, **extra)
    with read("suricata", written(tmp_path / "eve.json", record)) as reading:
        (row,) = reading.rows("CommonSecurityLog")
    assert row["SourceIP"] == source
    assert row["DestinationPort"] == (53 if source == "10.0.0.7" else 40000)
    assert row["DeviceAction"] == "blocked"
    assert row["Activity"] == "ET TROJAN x"
    assert row["DestinationHostName"] == "c2.example"


def test_the_other_kinds(tmp_path: Path) -> None:
    hashes = {"md5": "a" * 32, "sha1": "b" * 40, "sha256": "c" * 64}
    file = {"filename": "/dir/x.exe", "size": 7, **hashes}
    download = {**SERVER, "src_port": 8080}
    path = written(
        tmp_path / "eve.json",
        event("stats", {}, stats={"uptime": 1}),
        event("tls", tls={"sni": "a.example"}),
        event("flow", flow={"bytes_toserver": 5, "bytes_toclient": 6, "state": "closed"}),
        event("fileinfo", download, fileinfo=file, http=HTTP),
        event("fileinfo", {**CLIENT, "dest_port": 80}, fileinfo=file, http=HTTP),
        event("anomaly"),
    )
    with read("suricata", path) as reading:
        network = reading.rows("CommonSecurityLog")
        down, up = reading.rows("DeviceFileEvents")
        assert set(reading.parts) == {"CommonSecurityLog", "DeviceFileEvents"}
        assert reading.refused() == []
    assert [(row["_row"], row["Activity"]) for row in network] == [(2, "tls"), (3, "flow")]
    assert (network[1]["SentBytes"], network[1]["ReceivedBytes"]) == (5, 6)
    assert (down["DeviceName"], down["FileName"], down["SHA256"]) == ("10.0.0.7", "x.exe", "c" * 64)
    assert down["FileOriginUrl"] == "http://a.example:8080/x"
    assert up["DeviceName"] == "203.0.113.7"
    assert "FileOriginUrl" not in up  # an upload did not come from the URL it was sent to


@WAYS
def test_members_of_a_wrong_type_lose_no_other_record(tmp_path: Path, torn: bool) -> None:
    good = {"type": "query", "rrname": "a.example"}
    path = write_lines(
        tmp_path / "eve.json",
        json.dumps(event("dns", dns="text")),
        json.dumps(event("dns", dns={"queries": 5, "answers": "x", "grouped": [1]})),
        '{"event_type": "dns"',
        json.dumps(event("dns", dns=good)),
    )
    with read("suricata", path, torn=torn) as reading:
        names = [(row["_row"], row.get("Name")) for row in reading.rows("DnsEvents")]
        assert [number for number, _ in reading.refused()] == [3]
    assert names == [(1, None), (2, None), (4, "a.example")]


def array(count: int = 3) -> str:
    return json.dumps(
        [event("dns", dns={"type": "query", "rrname": f"{n}.example"}) for n in range(count)],
        indent=2,
    )


def dns_rows(path: Path, *, torn: bool = False) -> tuple[list[int], list[tuple[int, str]]]:
    with read("suricata", path, torn=torn) as reading:
        return [row["_row"] for row in reading.rows("DnsEvents")], reading.refused()


@WAYS
def test_an_array(tmp_path: Path, torn: bool) -> None:
    path = tmp_path / "eve.json"
    path.write_text(array())
    assert suricata.recognises(log_file(path))
    assert dns_rows(path, torn=torn) == ([1, 2, 3], [])


@pytest.mark.parametrize(
    ("text", "rows", "broken"),
    [
        (array()[:-100], [1, 2], 3),
        (array().rstrip("]\n "), [1, 2, 3], 4),
        (array().replace("1.example", '1.exa"mple'), [1], 2),
        (array().replace("[", '["text", ', 1), [2, 3, 4], 1),
        (array().replace("[", "[[1], ", 1), [2, 3, 4], 1),
    ],
)
def test_an_array_that_is_broken_gives_what_is_there(
    tmp_path: Path, text: str, rows: Any, broken: Any
) -> None:
    path = tmp_path / "eve.json"
    path.write_text(text)
    found, refused = dns_rows(path)
    assert found == rows
    assert [number for number, _ in refused] == [broken]


def test_an_array_in_a_torn_archive(tmp_path: Path) -> None:
    path = tmp_path / "eve.json.gz"
    packed = gzip.compress(array(20_000).encode())
    path.write_bytes(packed[: len(packed) // 2])
    found, refused = dns_rows(path)
    assert len(found) > 5000
    assert found == list(range(1, len(found) + 1))
    assert refused == [(len(found) + 1, TORN)]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0\xff",
        b"[",
        b"[1, 2",
        b'{"event_type": "dns"}',
        b'{"event_type": 5, "timestamp": 1, "src_ip": "x"}',
        b'[{"timestamp": "2023"}]',
        b"[" * 60_000,
    ],
)
def test_other_content_is_not_recognised(head: bytes) -> None:
    assert not suricata.recognises(LogFile(Path("x"), "x", "none", head))


@given(st.sampled_from([b"", b"[", b'[{"event_type":']), st.binary(max_size=200))
def test_recognising_never_raises(start: bytes, rest: bytes) -> None:
    suricata.recognises(LogFile(Path("x"), "x", "none", start + rest))


MAPPED = {
    "dns": "DnsEvents",
    "http": "CommonSecurityLog",
    "tls": "CommonSecurityLog",
    "flow": "CommonSecurityLog",
    "alert": "CommonSecurityLog",
    "fileinfo": "DeviceFileEvents",
}


@pytest.mark.parametrize(
    "name",
    [
        "alerts-only_honeypot-2018.json",
        "alerts-only_wrccdc-2018.json",
        "eve-dns-4.1.4_first.log",
        "eve-small_selected.log",
    ],
)
def test_real_events_are_all_in_their_tables(shared_data: Path, name: str) -> None:
    path = shared_data / "logs/suricata" / name
    text = path.read_text()
    records = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    expected = Counter(MAPPED[r["event_type"]] for r in records if r["event_type"] in MAPPED)
    assert expected
    assert suricata.recognises(log_file(path))
    with read("suricata", path) as fast, read("suricata", path, torn=True) as slow:
        assert fast.counts() == dict(expected)
        assert fast.refused() == []
        for table in expected:
            assert fast.rows(table) == slow.rows(table)
