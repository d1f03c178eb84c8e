"""Hand-written KQL over log files, and errors that say where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from foxhunt.engines.query import tables_named
from foxhunt.errors import QueryError
from foxhunt.hunt import query_logs

PUBLISHED = """// Hunt for DNS queries to known malicious domains
// Source: ThreatFox - Unknown RAT
let malicious_domains = dynamic(["texornacu.com", "winupdateservice.com"]);
DnsEvents
| where Name has_any (malicious_domains)
| project TimeGenerated, Computer, Name, IPAddresses, QueryType
| order by TimeGenerated desc
"""


@pytest.fixture
def logs(tmp_path: Path) -> str:
    """Two files of DnsEvents with different columns, one record of them unreadable."""
    first = [
        {"TimeGenerated": "2026-06-01T10:00:00Z", "Computer": "DC1", "Name": "c2.texornacu.com"},
        {"TimeGenerated": "2026-06-01T11:00:00Z", "Computer": "DC1", "Name": "good.org"},
        {"TimeGenerated": "no time", "Computer": "DC1", "Name": "texornacu.com"},
    ]
    second = [
        {
            "TimeGenerated": "2026-06-01T12:00:00Z",
            "Name": "not-texornacu.com",
            "IPAddresses": "45.137.22.7",
            "QueryType": "A",
        }
    ]
    for number, rows in enumerate((first, second)):
        path = tmp_path / f"dns{number}.json"
        path.write_text("".join(json.dumps({"Type": "DnsEvents"} | row) + "\n" for row in rows))
    return str(tmp_path)


def test_the_query_of_a_published_page_just_works(logs: str) -> None:
    result = query_logs(PUBLISHED, [logs])

    assert result.columns == ("TimeGenerated", "Computer", "Name", "IPAddresses", "QueryType")
    assert [row[1:] for row in result.rows] == [
        (None, "not-texornacu.com", "45.137.22.7", "A"),
        ("DC1", "c2.texornacu.com", None, None),
    ]
    assert (result.failures, result.tables_without_data) == ((), ())


def test_a_table_without_data_is_named_not_silently_empty(logs: str) -> None:
    result = query_logs("UrlClickEvents | union (DnsEvents | take 0)", [logs])

    assert result.rows == ()
    assert result.tables_without_data == ("UrlClickEvents",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("DnsEvents\n| whre Name == 1", "hunt.kql:2:1: H502: not KQL"),
        ("DnsEvents\n| where Nmae == 'x'", "hunt.kql:2:9: H502: .*Nmae"),
        ("NoSuchTable | take 1", "hunt.kql:1:1: H502: .*NoSuchTable"),
        ("print 1\n| evaluate bag_unpack(x)", "hunt.kql:2:3: H502: EvaluateOperator"),
        ("print x = geo_info_from_ip('1.1.1.1')", "hunt.kql:1:11: H502: .*geo_info_from_ip"),
        ('print x = "never closed', "hunt.kql:1:11: H502: not KQL"),
        ("  \n", "hunt.kql: H502: the query is empty"),
        (".drop table DnsEvents", "hunt.kql.*H502"),
    ],
)
def test_errors_say_line_and_column(logs: str, text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        query_logs(text, [logs], name="hunt.kql")

    assert re.match(message, str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 400


def test_names_in_strings_and_comments_are_no_tables() -> None:
    text = 'let x = @"EmailUrlInfo ""DnsEvents""";\n// UrlClickEvents\nDnsEvents | take 1'

    assert tables_named(text) == ("DnsEvents",)
