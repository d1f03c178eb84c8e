"""Zeek's tab-separated logs: header, escapes, joined logs, and the same rows as the JSON form."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.errors import LogError
from foxhunt.logs import zeek_tsv
from foxhunt.logs.model import LogFile
from foxhunt.logs.streams import MAX_LINE_BYTES, TOO_LONG, TORN
from foxhunt.logs.zeek_tsv import unescape

from .reading import log_file, read, write_lines

FIELDS = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto query qtype_name rcode answers"


def header(fields: str = FIELDS, path: str = "dns") -> list[str]:
    return [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
        "#open\t2024-04-12-19-29-12",
        "#fields\t" + fields.replace(" ", "\t"),
        "#types\t" + "\t".join("string" for _ in fields.split()),
    ]


def dns(query: str = "a.example", answers: str = "-", client: str = "10.0.0.7") -> str:
    return "\t".join(
        [*f"1700000000.250000 C1 {client} 4000 10.0.0.1 53 udp".split(), query, "A", "0", answers]
    )


def test_a_record_becomes_a_row(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "dns.log", *header(), dns("a.example", "cdn.example,203.0.113.7,2001:db8::7")
    )
    with read("zeek_tsv", path) as reading:
        (row,) = reading.rows("DnsEvents")
    assert row == {
        "_row": 1,
        "TimeGenerated": datetime(2023, 11, 14, 22, 13, 20, 250000),
        "ClientIP": "10.0.0.7",
        "Name": "a.example",
        "IPAddresses": "203.0.113.7,2001:db8::7",
        "QueryType": "A",
        "ResultCode": 0,
    }


def test_header_and_blank_lines_are_no_records(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "dns.log",
        *header(),
        dns("a.example"),
        "",
        *header(),
        dns("b.example"),
        "#close\tx",
    )
    with read("zeek_tsv", path) as reading:
        rows = reading.rows("DnsEvents")
    assert [(row["_row"], row["Name"]) for row in rows] == [(1, "a.example"), (2, "b.example")]


def test_a_header_that_changes_on_the_way_is_followed(tmp_path: Path) -> None:
    other = header("uid ts query answers id.orig_h")
    path = write_lines(
        tmp_path / "dns.log",
        *header(),
        dns("a.example"),
        *other,
        "C2\t1700000001\tb.example\t203.0.113.9\t10.0.0.8",
        *header("ts id.orig_h id.orig_p id.resp_h id.resp_p conn_state", "conn"),
        "1700000002\t10.0.0.9\t5000\t203.0.113.9\t443\tSF",
    )
    with read("zeek_tsv", path) as reading:
        rows = reading.rows("DnsEvents")
        (conn,) = reading.rows("CommonSecurityLog")
    assert [(r["_row"], r["Name"], r["ClientIP"]) for r in rows] == [
        (1, "a.example", "10.0.0.7"),
        (2, "b.example", "10.0.0.8"),
    ]
    assert (conn["_row"], conn["DestinationIP"], conn["DestinationPort"]) == (3, "203.0.113.9", 443)


def test_other_separators_are_honoured(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "dns.log",
        "#separator \\x7c",
        "#set_separator|;",
        "#empty_field|EMPTY",
        "#unset_field|NONE",
        "#path|dns",
        "#fields|ts|query|answers|id.orig_h|qtype_name",
        "1700000000|a.example|203.0.113.7;203.0.113.8|NONE|EMPTY",
    )
    with read("zeek_tsv", path) as reading:
        (row,) = reading.rows("DnsEvents")
    assert row["IPAddresses"] == "203.0.113.7,203.0.113.8"
    assert "ClientIP" not in row
    assert "QueryType" not in row


@pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("caf\\xc3\\xa9.example", "café.example"),
        ("a\\x2db.example", "a-b.example"),
        ("\\x2d", "-"),
        ("back\\x5cslash", "back\\slash"),
        ("lone\\slash", "lone\\slash"),
        ("bad\\xff.example", "bad\\xff.example"),
        ("bad\\xzz.example", "bad\\xzz.example"),
        ("é\\x09'\"#", "é\t'\"#"),
    ],
)
def test_escapes_are_resolved(tmp_path: Path, written: str, meant: str, torn: bool) -> None:
    path = write_lines(tmp_path / "dns.log", *header(), dns(written))
    with read("zeek_tsv", path, torn=torn) as reading:
        (row,) = reading.rows("DnsEvents")
    assert row["Name"] == meant


@given(st.binary())
def test_unescape_undoes_escaping(raw: bytes) -> None:
    """Every byte escaped comes back as the text it is, or stays when it is none."""
    text = "".join(f"\\x{byte:02x}" for byte in raw)
    try:
        assert unescape(text) == raw.decode()
    except UnicodeDecodeError:
        assert unescape(text) == text


def test_a_record_with_the_wrong_number_of_fields_is_refused_with_its_number(
    tmp_path: Path,
) -> None:
    path = write_lines(
        tmp_path / "dns.log", *header(), dns(), "1700000000\tC1", dns() + "\tmore", dns()
    )
    path.write_bytes(path.read_bytes() + b"1700000000.1\tC9\t10.0")
    with read("zeek_tsv", path) as reading:
        assert reading.refused() == [
            (2, "expected 11 fields, found 2"),
            (3, "expected 11 fields, found 12"),
            (5, "expected 11 fields, found 3"),
        ]
        assert [row["_row"] for row in reading.rows("DnsEvents")] == [1, 4]


def test_bytes_that_are_no_text_do_not_hide_their_record(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "dns.log",
        *header(),
        dns("a.example"),
        dns("b.example").encode().replace(b"C1", b"C\xff\0"),
        dns("c.example") + "\r",
    )
    with read("zeek_tsv", path) as reading:
        names = [(row["_row"], row["Name"]) for row in reading.rows("DnsEvents")]
    assert names == [(1, "a.example"), (2, "b.example"), (3, "c.example")]


@pytest.mark.parametrize(
    ("told", "instead"),
    [
        ("#unset_field\t-", "#unset_field\t\0"),
        ("#unset_field\t-", "#unset_field\t\\x00"),
        ("#path\tdns", "#path\tdns\0"),
        ("#empty_field\t(empty)", "#empty_field\t' OR 1=1 --"),
        ("#set_separator\t,", "#set_separator\t\\x00"),
    ],
)
def test_a_hostile_header_stops_nothing(tmp_path: Path, told: str, instead: str) -> None:
    lines = [instead if line == told else line for line in header()]
    hostile = write_lines(tmp_path / "dns.log", *lines, dns(), dns())
    with read("zeek_tsv", hostile) as reading:
        # Only a log of another name has no rows: it is not the dns log any more.
        assert sum(reading.counts().values()) == (0 if "#path" in told else 2)
        assert reading.refused() == []


def test_an_endless_line_is_refused_and_the_rest_read(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "dns.log",
        *header(),
        dns("a.example"),
        "x" * (MAX_LINE_BYTES + 1),
        dns("b.example"),
    )
    with read("zeek_tsv", path) as reading:
        assert reading.refused() == [(2, TOO_LONG)]
        assert [row["_row"] for row in reading.rows("DnsEvents")] == [1, 3]


def test_a_torn_archive_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([*header(), *[dns()] * 5000]).encode(), mtime=0)
    path = tmp_path / "dns.log.gz"
    path.write_bytes(whole[: len(whole) - 12])
    with read("zeek_tsv", path, torn=True) as reading:
        report = reading.reports["DnsEvents"]
        assert report.rows > 4000
        assert reading.refused() == [(report.rows + 1, TORN)]


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".zst", zstandard.compress)],
    ids=["gz", "zst"],
)
@pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])
def test_compressed_logs_are_read(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes], torn: bool
) -> None:
    path = tmp_path / f"dns.log{suffix}"
    path.write_bytes(compress("\n".join([*header(), dns(), dns()]).encode()))
    with read("zeek_tsv", path, torn=torn) as reading:
        assert reading.counts() == {"DnsEvents": 2}


def test_wildcards_in_a_file_name_are_no_wildcards(tmp_path: Path) -> None:
    write_lines(tmp_path / "dns1.log", *header(), dns(), dns())
    path = write_lines(tmp_path / "dns[1]*?.log", *header(), dns())
    with read("zeek_tsv", path) as reading:
        assert reading.counts() == {"DnsEvents": 1}


def test_a_log_that_shows_no_table_is_looked_at_without_rows(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "weird.log", *header("ts uid name", "weird"), "1700000000\tC1\tx")
    with read("zeek_tsv", path) as reading:
        assert sum(reading.counts().values()) == 0
        assert reading.refused() == []


def test_columns_without_their_field_are_not_claimed(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "dns.log", *header("ts query"), "1700000000\ta.example")
    with read("zeek_tsv", path) as reading:
        columns = reading.parts["DnsEvents"].columns
    assert "Name" in columns
    assert "IPAddresses" not in columns


def test_a_table_that_the_format_never_fills_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "dns.log", *header(), dns())
    with (
        pytest.raises(LogError, match="no rows for UrlClickEvents"),
        read("zeek_tsv", path, "UrlClickEvents"),
    ):
        pass


HTTP = "ts id.orig_h id.orig_p id.resp_h id.resp_p method host uri request_body_len"


@pytest.mark.parametrize(
    ("server", "port", "method", "host", "uri", "url"),
    [
        ("203.0.113.7", "80", "GET", "a.example", "/x?y#z", "http://a.example/x?y#z"),
        ("203.0.113.7", "8080", "GET", "a.example", "/x", "http://a.example:8080/x"),
        ("203.0.113.7", "8080", "GET", "a.example:81", "/x", "http://a.example:81/x"),
        ("203.0.113.7", "81", "GET", "-", "/x", "http://203.0.113.7:81/x"),
        ("2001:db8::7", "80", "GET", "[2001", "/x", "http://[2001:db8::7]/x"),
        ("203.0.113.7", "3128", "GET", "a.example", "http://b.example/x", "http://b.example/x"),
        ("203.0.113.7", "3128", "CONNECT", "a.example", "a.example:443", "a.example:443"),
        ("203.0.113.7", "80", "OPTIONS", "a.example", "*", None),
        ("203.0.113.7", "80", "-", "-", "-", None),
    ],
)
def test_the_url_of_a_request(
    tmp_path: Path, server: Any, port: Any, method: str, host: str, uri: str, url: str
) -> None:
    record = "\t".join(["1700000000", "10.0.0.7", "4000", server, port, method, host, uri, "0"])
    path = write_lines(tmp_path / "http.log", *header(HTTP, "http"), record)
    with read("zeek_tsv", path) as reading:
        (row,) = reading.rows("CommonSecurityLog")
    assert row.get("RequestURL") == url
    assert row["DestinationIP"] == server


@pytest.mark.parametrize(
    ("orig", "resp", "direction"),
    [("T", "F", "Outbound"), ("F", "T", "Inbound"), ("T", "T", None), ("-", "-", None)],
)
def test_the_direction_is_what_zeek_says(
    tmp_path: Path, orig: Any, resp: Any, direction: str
) -> None:
    fields = "ts id.orig_h id.resp_h conn_state local_orig local_resp"
    record = f"1700000000\t10.0.0.7\t203.0.113.7\tREJ\t{orig}\t{resp}"
    path = write_lines(tmp_path / "conn.log", *header(fields, "conn"), record)
    with read("zeek_tsv", path) as reading:
        (row,) = reading.rows("CommonSecurityLog")
    assert row.get("CommunicationDirection") == direction
    assert "DeviceAction" not in row  # REJ does not say who refused


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0\xff#",
        b"#",
        b"#separator",
        b"ts\tuid\n",
        b"# separator \\x09",
        b"{}",
        b"#fields\tname\n",
    ],
)
def test_other_content_is_not_recognised(head: bytes) -> None:
    assert not zeek_tsv.recognises(LogFile(Path("x"), "x", "none", head))


@given(st.binary(max_size=300))
def test_recognising_never_raises(head: bytes) -> None:
    zeek_tsv.recognises(LogFile(Path("x"), "x", "none", b"#" + head))


@pytest.mark.parametrize(
    ("log", "table", "count"),
    [("dns", "DnsEvents", 53_615), ("ssl", "CommonSecurityLog", 49_474)],
)
def test_real_tsv_and_json_are_the_same_rows(
    shared_data: Path, log: str, table: str, count: int
) -> None:
    folder = shared_data / "logs/zeek/brimdata_wrccdc2018"
    tsv, json_ = folder / f"{log}.log.gz", folder / f"{log}.json.gz"
    with gzip.open(tsv) as lines:
        assert sum(not line.startswith(b"#") for line in lines) == count
    assert zeek_tsv.recognises(log_file(tsv))
    with read("zeek_tsv", tsv) as left, read("zeek_json", json_) as right:
        assert left.counts() == right.counts() == {table: count}
        assert left.parts[table].columns == right.parts[table].columns
        assert left.rows(table) == right.rows(table)


def test_real_log_is_the_same_read_in_place_and_staged(shared_data: Path) -> None:
    path = shared_data / "logs/zeek/brimdata_wrccdc2018/ssl.log.gz"
    with read("zeek_tsv", path) as fast, read("zeek_tsv", path, torn=True) as slow:
        assert fast.rows("CommonSecurityLog") == slow.rows("CommonSecurityLog")


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    """PowerShell and editors put one before a log that goes through them."""
    path = tmp_path / "dns.log"
    text = "\n".join([*header(), dns("a.example"), dns("b.example"), ""])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert zeek_tsv.recognises(log_file(path))
    with read("zeek_tsv", path) as reading:
        names = [row["Name"] for row in reading.rows("DnsEvents")]
        assert names == ["a.example", "b.example"]
        assert reading.reports["DnsEvents"].rows_refused == 0


def test_a_byte_order_mark_before_a_log_that_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "dns.log"
    text = "\n".join([*header(), dns("a.example"), *header(), dns("b.example") + "\r", ""])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    with read("zeek_tsv", path) as reading:
        assert [row["Name"] for row in reading.rows("DnsEvents")] == ["a.example", "b.example"]
        assert reading.reports["DnsEvents"].rows_refused == 0
