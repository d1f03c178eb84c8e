"""Zeek's JSON logs: both spellings, logs without their name, broken lines in their place."""

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

from foxhunt.logs import zeek_json
from foxhunt.logs.model import LogFile
from foxhunt.logs.streams import MAX_LINE_BYTES, TOO_LONG, TORN

from .reading import log_file, read, write_lines

DNS = {
    "ts": 1700000000.25,
    "uid": "C1",
    "id.orig_h": "10.0.0.7",
    "id.orig_p": 4000,
    "id.resp_h": "10.0.0.1",
    "id.resp_p": 53,
    "query": "a.example",
    "qtype_name": "A",
    "rcode": 0,
    "answers": ["cdn.example", "203.0.113.7"],
    "rejected": False,
}


def dns(**changes: object) -> str:
    return json.dumps({**DNS, **changes})


@pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])
@pytest.mark.parametrize("path_field", ["_path", "@stream", None])
@pytest.mark.parametrize("spelling", [".", "_"])
def test_both_spellings_with_and_without_the_logs_name(
    tmp_path: Path, torn: bool, path_field: Any, spelling: Any
) -> None:
    record = {name.replace("id.", f"id{spelling}"): value for name, value in DNS.items()}
    if path_field:
        record[path_field] = "dns"
    path = write_lines(tmp_path / "dns.json", json.dumps(record))
    assert zeek_json.recognises(log_file(path))
    with read("zeek_json", path, torn=torn) as reading:
        (row,) = reading.rows("DnsEvents")
    assert row == {
        "_row": 1,
        "TimeGenerated": datetime(2023, 11, 14, 22, 13, 20, 250000),
        "ClientIP": "10.0.0.7",
        "Name": "a.example",
        "IPAddresses": "203.0.113.7",
        "QueryType": "A",
        "ResultCode": 0,
    }


def test_several_logs_in_one_file(tmp_path: Path) -> None:
    conn = {**DNS, "_path": "conn", "conn_state": "SF", "proto": "tcp"}
    files = {"_path": "files", "ts": "2023-11-14T22:13:20Z", "fuid": "F1", "md5": "A" * 32}
    path = write_lines(
        tmp_path / "all.json",
        dns(_path="dns"),
        json.dumps(conn),
        json.dumps({"_path": "weird", "ts": 1700000000, "name": "x"}),
        json.dumps(files | {"tx_hosts": ["203.0.113.7"], "rx_hosts": ["10.0.0.7"]}),
        json.dumps(files | {"id.orig_h": "10.0.0.8", "id.resp_h": "203.0.113.7", "is_orig": False}),
    )
    with read("zeek_json", path) as reading:
        assert reading.counts() == {"DnsEvents": 1, "CommonSecurityLog": 1, "DeviceFileEvents": 2}
        hosts = [
            (row["_row"], row["DeviceName"], row["FileOriginIP"])
            for row in reading.rows("DeviceFileEvents")
        ]
        assert "RequestURL" not in reading.parts["CommonSecurityLog"].columns
    assert hosts == [(4, "10.0.0.7", "203.0.113.7"), (5, "10.0.0.8", "203.0.113.7")]


BROKEN: list[tuple[str | bytes, str | None]] = [
    ("", None),
    ('{"ts": 1700000000, "query"', "broken"),
    ("[1, 2]", "broken"),
    ("null", "broken"),
    ("text", "broken"),
    (b'{"query": "\xff"}', "broken"),
    ('{"query": "\\ud800", "ts": 1}', "broken"),
    (dns() + dns(), "broken"),
    (dns() + " tail", "broken"),
    ("{}", "broken"),
    (dns(query="b.example"), "b.example"),
    (dns(query=None), None),
    (dns(answers="203.0.113.9", query="c.example"), "c.example"),
    (dns(answers={"a": [1]}, query="d.example"), "d.example"),
    (dns(query="nul\0.example"), "nul\0.example"),
    (dns(query="e.example") + "\r", "e.example"),
]


@pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])
def test_a_broken_line_is_refused_in_its_place(tmp_path: Path, torn: bool) -> None:
    path = write_lines(tmp_path / "dns.json", dns(), *(line for line, _ in BROKEN))
    expected = [line for line in BROKEN if line[0]]
    with read("zeek_json", path, torn=torn) as reading:
        rows = {row["_row"]: row for row in reading.rows("DnsEvents", good=False)}
    assert list(rows) == list(range(1, len(expected) + 2))
    for number, (line, meant) in enumerate(expected, start=2):
        if meant == "broken":
            assert "_refused" in rows[number], line
        else:
            assert rows[number].get("Name") == meant
            assert "_refused" not in rows[number], line


def test_what_duckdb_gives_up_on_is_read_exactly(tmp_path: Path) -> None:
    deep = '{"ts": 1, "answers": ' + "[" * 200 + "]" * 200 + "}"
    path = write_lines(
        tmp_path / "dns.json",
        dns(),
        deep,
        "[" * 100_000,
        '{"query": "' + "x" * 4 * MAX_LINE_BYTES + '"}',
        dns(),
    )
    with read("zeek_json", path) as reading:
        assert [number for number, _ in reading.refused()] == [2, 3, 4]
        assert dict(reading.refused())[4] == TOO_LONG
        assert [row["_row"] for row in reading.rows("DnsEvents")] == [1, 5]


def test_a_byte_order_mark_costs_no_record(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "dns.json", b"\xef\xbb\xbf" + dns().encode(), dns())
    assert zeek_json.recognises(log_file(path))
    with read("zeek_json", path) as reading:
        assert reading.counts() == {"DnsEvents": 2}


def test_a_torn_archive_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    text = "".join(dns(query=f"{number}.example") + "\n" for number in range(5000))
    whole = gzip.compress(text.encode(), mtime=0)
    path = tmp_path / "dns.json.gz"
    path.write_bytes(whole[: len(whole) // 2])
    for torn in (False, True):  # also when nobody noticed that it is
        with read("zeek_json", path, torn=torn) as reading:
            count = reading.counts()["DnsEvents"]
            assert 1000 < count < 5000
            assert reading.refused() == [(count + 1, TORN)]


def test_times_keep_their_microseconds(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "dns.json",
        dns().replace("1700000000.25", "1700000000.123456"),
        dns(ts="2023-11-14T22:13:20.123456Z"),
        dns(ts="no time"),
    )
    for torn in (False, True):
        with read("zeek_json", path, torn=torn) as reading:
            times = [row["TimeGenerated"] for row in reading.rows("DnsEvents")]
            assert times == [datetime(2023, 11, 14, 22, 13, 20, 123456)] * 2
            assert reading.refused() == [(3, "time (TimeGenerated) is missing or cannot be read")]


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff\0", b"{}", b'{"ts":1}', b"[" * 60_000, b'{"a":' * 9_000, b'{"event_type":"dns"}'],
)
def test_other_content_is_not_recognised(head: bytes) -> None:
    assert not zeek_json.recognises(LogFile(Path("x"), "x", "none", head))


@given(st.sampled_from([b"", b"{", b"[", b"[{"]), st.binary(max_size=200))
def test_recognising_never_raises(start: bytes, rest: bytes) -> None:
    zeek_json.recognises(LogFile(Path("x"), "x", "none", start + rest))


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("rita_json/conn.json.log", "CommonSecurityLog"),
        ("rita_json/dns.json.log", "DnsEvents"),
        ("rita_json/http.json.log", "CommonSecurityLog"),
        ("rita_json/ssl.json.log", "CommonSecurityLog"),
        ("otrf_apt29/SCRANTON_conn.log", "CommonSecurityLog"),
        ("otrf_apt29/SCRANTON_dns.log", "DnsEvents"),
        ("otrf_apt29/SCRANTON_http.log", "CommonSecurityLog"),
        ("otrf_apt29/SCRANTON_ssl.log", "CommonSecurityLog"),
        ("otrf_apt29/SCRANTON_files.log", "DeviceFileEvents"),
    ],
)
def test_real_logs(shared_data: Path, file: str, table: str) -> None:
    path = shared_data / "logs/zeek" / file
    records = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    assert len(records) > 1
    assert zeek_json.recognises(log_file(path))
    with read("zeek_json", path) as fast, read("zeek_json", path, torn=True) as slow:
        assert fast.counts() == {table: len(records)}
        assert fast.refused() == []
        assert fast.rows(table) == slow.rows(table)


def test_real_names_and_hosts(shared_data: Path) -> None:
    path = shared_data / "logs/zeek/otrf_apt29/SCRANTON_http.log"
    records = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    with read("zeek_json", path) as reading:
        urls = Counter(row["RequestURL"] for row in reading.rows("CommonSecurityLog"))
    assert urls == Counter(
        f"http://{record['host']}{port(record)}{record['uri']}" for record in records
    )
    assert urls["http://192.168.0.4/webdav/python.exe"] >= 1


def port(record: dict[str, object]) -> str:
    return "" if record["id_resp_p"] == 80 else f":{record['id_resp_p']}"
