"""JSON exports: each shape that products write, several tables in one file, and damage."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import LogError
from foxhunt.logs import export_json
from foxhunt.logs.streams import TORN
from foxhunt.logs.views import connect

from .reading import log_file, read, write_lines

WAYS = pytest.mark.parametrize("torn", [False, True], ids=["in place", "staged"])
TIME = "2026-06-01T10:00:00.1234567Z"
TEN = datetime(2026, 6, 1, 10, 0, 0, 123456)


def dns(name: object, **members: object) -> dict[str, object]:
    return {"TimeGenerated": TIME, "Name": name, "QueryType": "A", **members}


def firewall(address: str, **members: object) -> dict[str, object]:
    return {
        "TimeGenerated": TIME,
        "DeviceVendor": "v",
        "DeviceProduct": "p",
        "DestinationIP": address,
        **members,
    }


def stream(table: str, **properties: object) -> dict[str, object]:
    return {
        "time": TIME,
        "tenantId": "t",
        "operationName": "Publish",
        "category": f"AdvancedHunting-{table}",
        "properties": {"Timestamp": TIME, **properties},
    }


def ndjson(path: Path, *records: object) -> Path:
    return write_lines(path, *(r if isinstance(r, str) else json.dumps(r) for r in records))


def names(path: Path, *, torn: bool = False) -> dict[int, str | None]:
    """Number of each good DNS record to its name."""
    with read("export_json", path, torn=torn) as reading:
        return {row["_row"]: row.get("Name") for row in reading.rows("DnsEvents")}


def error_of(path: Path, table: str | None = None) -> str:
    with pytest.raises(LogError) as caught, read("export_json", path, table):
        pass
    return str(caught.value)


TWO = [dns("a.example", ClientIP="10.0.0.1"), dns("b.example", Type="DnsEvents")]
SHAPES = {
    "array": json.dumps(TWO, separators=(",", ":")),
    "pretty array": json.dumps(TWO, indent=2),
    "array, a line each": "[\n" + ",\n".join(map(json.dumps, TWO)) + "\n]\n",
    "NDJSON": "\n".join(map(json.dumps, TWO)) + "\n",
    "NDJSON, no last line feed": "\n".join(map(json.dumps, TWO)),
    "NDJSON, CRLF": "\r\n".join(map(json.dumps, TWO)) + "\r\n",
    "NDJSON, blank lines": "\n\n" + "\n\n".join(map(json.dumps, TWO)) + "\n\n",
    "records": json.dumps({"records": TWO}),
    "records, pretty": json.dumps({"records": TWO}, indent="\t"),
}


@WAYS
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(tmp_path: Path, shape: str, mark: str, torn: bool) -> None:
    path = tmp_path / "x.json"
    path.write_bytes((mark + SHAPES[shape]).encode())

    assert export_json.recognises(log_file(path))
    with read("export_json", path, torn=torn) as reading:
        assert reading.counts() == {"DnsEvents": 2}
        rows = reading.rows("DnsEvents")
    assert [row["_row"] for row in rows] == [1, 2]
    assert [row["Name"] for row in rows] == ["a.example", "b.example"]
    assert [row.get("ClientIP") for row in rows] == ["10.0.0.1", None]
    assert [row["TimeGenerated"] for row in rows] == [TEN, TEN]


@WAYS
def test_columns_that_the_first_records_lack_are_read(tmp_path: Path, torn: bool) -> None:
    """Products leave out empty columns; an address in record 1000 is looked for all the same."""
    first = [dns(f"n{n}") for n in range(999)]
    path = ndjson(tmp_path / "x", *first, dns("late", IPAddresses="203.0.113.1", ClientIP="::1"))

    with read("export_json", path, torn=torn) as reading:
        row = reading.rows("DnsEvents")[-1]
    assert row["_row"] == 1000
    assert (row["IPAddresses"], row["ClientIP"]) == ("203.0.113.1", "::1")


@WAYS
@pytest.mark.parametrize("shape", ["NDJSON", "array"])
def test_a_first_record_longer_than_what_is_looked_at(
    tmp_path: Path, shape: str, torn: bool
) -> None:
    """Scripts and mail headers are longer than the 64 KiB by which a file is recognised."""
    path = tmp_path / "x"
    records = [json.dumps(dns("a", Message="x" * 100_000)), json.dumps(dns("b"))]
    path.write_text("\n".join(records) if shape == "NDJSON" else f"[{','.join(records)}]")

    assert export_json.recognises(log_file(path))
    assert names(path, torn=torn) == {1: "a", 2: "b"}


@WAYS
def test_types(tmp_path: Path, torn: bool) -> None:
    """Whatever JSON holds is text where the table says text; else it must be of the type."""
    path = ndjson(
        tmp_path / "x",
        dns(17, ClientIP=True, ResultCode=3, RemoteIPLongitude=1.5),
        dns(["a", 1], ClientIP={"a": "\u00e4"}, ResultCode="3", RemoteIPLongitude="1.5"),
        dns("n", ClientIP=None, ResultCode="x", RemoteIPLongitude=[]),
        dns("n", ClientIP="", ResultCode=3.7, RemoteIPLongitude=""),
    )
    with read("export_json", path, torn=torn) as reading:
        rows = reading.rows("DnsEvents")
        assert reading.reports["DnsEvents"].nulled == {"ResultCode": 2, "RemoteIPLongitude": 1}
    assert (rows[0]["Name"], rows[0]["ClientIP"]) == ("17", "true")
    assert json.loads(rows[1]["ClientIP"]) == {"a": "\u00e4"}
    assert [row.get("ResultCode") for row in rows] == [3, 3, None, None]
    assert [row.get("RemoteIPLongitude") for row in rows] == [1.5, 1.5, None, None]


@WAYS
@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"Name": "x"',
        "not json",
        '"text"',
        "17",
        "null",
        "[1]",
        "{}",
        '{"other": 1}',
        '{"TimeGenerated": "2026-06-01", "Name": "\\ud800", "QueryType": "A"}',
        '{"TimeGenerated": "2026-06-01", "Name": "x", "QueryType": "A"} trailing',
    ],
)
def test_a_broken_line_costs_itself(tmp_path: Path, line: str, torn: bool) -> None:
    path = ndjson(tmp_path / "x", dns("before"), line, dns("after"))

    with read("export_json", path, torn=torn) as reading:
        assert [(row["_row"], row["Name"]) for row in reading.rows("DnsEvents")] == [
            (1, "before"),
            (3, "after"),
        ]
        ((number, reason),) = reading.refused()
    assert number == 2
    assert reason


@WAYS
def test_deep_nesting_costs_no_other_record(tmp_path: Path, torn: bool) -> None:
    """DuckDB takes such a value as text; the exact reading refuses the record."""
    deep = json.dumps(dns("deep")).replace('"deep"', "[" * 300 + "]" * 300)
    path = ndjson(tmp_path / "x", dns("before"), deep, dns("after"))

    with read("export_json", path, torn=torn) as reading:
        names = [(row["_row"], row["Name"]) for row in reading.rows("DnsEvents")]

    assert names[0] == (1, "before")
    assert names[-1] == (3, "after")


@WAYS
@pytest.mark.parametrize("middle", [b"\xff\xfe", b'{"Name": "caf\xe9"}', b"\0" * 100])
def test_bytes_that_are_no_text_cost_their_line(tmp_path: Path, middle: bytes, torn: bool) -> None:
    path = write_lines(tmp_path / "x", json.dumps(dns("a")), middle, json.dumps(dns("b")))

    assert names(path, torn=torn) == {1: "a", 3: "b"}


@WAYS
def test_a_torn_last_line_is_counted(tmp_path: Path, torn: bool) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(dns("a")) + "\n" + json.dumps(dns("b"))[:-9])

    with read("export_json", path, torn=torn) as reading:
        assert reading.counts() == {"DnsEvents": 1}
        assert [number for number, _ in reading.refused()] == [2]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_torn_array_keeps_what_came_before(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps([dns(f"n{n}") for n in range(100)], indent=indent)[:-70])

    with read("export_json", path) as reading:
        rows = reading.rows("DnsEvents")
        assert [row["Name"] for row in rows] == [f"n{n}" for n in range(len(rows))]
        assert len(rows) > 90
        assert [number for number, _ in reading.refused()] == [len(rows) + 1]


@pytest.mark.parametrize("between", ["", "\n", " \r\n\t" + " " * 3_000_000])
@pytest.mark.parametrize("indent", [None, 2])
def test_arrays_one_after_the_other_are_read_to_the_end(
    tmp_path: Path, between: str, indent: int | None
) -> None:
    """As appending one export to another makes them; the second was once lost without a word."""
    path = tmp_path / "x"
    arrays = [[dns("a"), dns("b")], [], [dns("c")]]
    path.write_text(between.join(json.dumps(array, indent=indent) for array in arrays) + between)

    assert names(path) == {1: "a", 2: "b", 3: "c"}


@pytest.mark.parametrize("tail", ["x", "]", ",", "\0", json.dumps(dns("b")), " \n null"])
def test_text_after_an_array_is_counted(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps([dns("a")]) + tail)

    with read("export_json", path) as reading:
        assert [row["Name"] for row in reading.rows("DnsEvents")] == ["a"]
        assert reading.refused() == [(2, "text after the end of the array: not read")]


def test_an_archive_torn_after_the_end_of_an_array_is_counted(tmp_path: Path) -> None:
    """Another array may have followed."""
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(json.dumps([dns("a")]).encode())[:-8])

    with read("export_json", path, torn=True) as reading:
        assert [row["Name"] for row in reading.rows("DnsEvents")] == ["a"]
        assert reading.refused() == [(2, TORN)]


@WAYS
def test_records_say_which_table_they_are_of(tmp_path: Path, torn: bool) -> None:
    """Also those far behind the first; what names no table is with the first, or no row of ours."""
    path = ndjson(
        tmp_path / "x",
        *(dns(f"n{n}", Type="DnsEvents") for n in range(100)),
        firewall("203.0.113.1", Type="CommonSecurityLog"),
        {"TimeGenerated": TIME, "Type": "Heartbeat", "Computer": "c"},
        "broken",
        dns("no type"),
        dns("last", Type="DnsEvents"),
    )
    with read("export_json", path, torn=torn) as reading:
        assert reading.counts() == {"DnsEvents": 102, "CommonSecurityLog": 1}
        assert [row["_row"] for row in reading.rows("DnsEvents")] == [*range(1, 101), 104, 105]
        (other,) = reading.rows("CommonSecurityLog")
        assert (other["_row"], other["DestinationIP"]) == (101, "203.0.113.1")
        assert [number for number, _ in reading.refused()] == [103]


def test_wrapped_records_say_which_table_they_are_of(tmp_path: Path) -> None:
    path = tmp_path / "x"
    records = [
        dns("a", Type="DnsEvents"),
        firewall("203.0.113.1", Type="CommonSecurityLog"),
        "no object",
        {"TimeGenerated": TIME, "Type": "Heartbeat"},
        dns("b"),
    ]
    path.write_text(json.dumps({"records": records}))

    with read("export_json", path) as reading:
        assert [row["_row"] for row in reading.rows("DnsEvents")] == [1, 5]
        assert [row["_row"] for row in reading.rows("CommonSecurityLog")] == [2]
        assert reading.refused() == [(3, "not a JSON object")]


def test_a_forced_table_wins_over_what_the_records_say(tmp_path: Path) -> None:
    path = ndjson(tmp_path / "x", dns("a", Type="CommonSecurityLog"), dns("b", type="x"))

    with read("export_json", path, "DnsEvents") as reading:
        assert reading.counts() == {"DnsEvents": 2}


def test_names_in_another_case_are_read(tmp_path: Path) -> None:
    """ADX and Spark write them as they like; which table it is has to be said then."""
    path = ndjson(
        tmp_path / "x", {"timegenerated": TIME, "NAME": "a", "type": "x", "Clientip": "1"}
    )

    with read("export_json", path, "DnsEvents") as reading:
        (row,) = reading.rows("DnsEvents")
    assert (row["Name"], row["ClientIP"], row["TimeGenerated"]) == ("a", "1", TEN)


STREAM = [
    stream("DeviceNetworkEvents", RemoteIP="203.0.113.1", RemotePort=443, DeviceName="d"),
    stream("DeviceLogonEvents", DeviceName="d"),
    stream("DeviceFileEvents", SHA256="ab", FileSize=139848, AdditionalFields=None),
    stream("DeviceNetworkEvents", RemoteUrl="a.example", AdditionalFields={"a": [1, True]}),
]


@WAYS
@pytest.mark.parametrize("shape", ["lines", "array", "records"])
def test_a_defender_stream(tmp_path: Path, shape: str, torn: bool) -> None:
    """Several tables in one file; categories that no indicator is looked up in are passed over."""
    path = tmp_path / "x"
    path.write_text(
        {
            "lines": "\n".join(map(json.dumps, STREAM)),
            "array": json.dumps(STREAM),
            "records": json.dumps({"records": STREAM}),
        }[shape]
    )
    with read("export_json", path, torn=torn) as reading:
        assert reading.counts() == {"DeviceNetworkEvents": 2, "DeviceFileEvents": 1}
        first, second = reading.rows("DeviceNetworkEvents")
        (file,) = reading.rows("DeviceFileEvents")
        assert reading.refused() == []
    assert (first["_row"], first["RemotePort"], first["Timestamp"]) == (1, 443, TEN)
    assert (second["_row"], second["RemoteUrl"]) == (4, "a.example")
    assert json.loads(second["AdditionalFields"])["a"][0] in (1, "1")
    assert (file["_row"], file["FileSize"], file["SHA256"]) == (3, 139848, "ab")


def test_a_stream_of_unknown_categories_says_which(tmp_path: Path) -> None:
    path = ndjson(tmp_path / "x", stream("DeviceLogonEvents"), stream("DeviceInfo"))

    assert error_of(path).endswith(
        "x: H301: a Defender stream without a record of a known table "
        "(its categories: DeviceInfo, DeviceLogonEvents)"
    )
    assert "without a record of DnsEvents" in error_of(path, "DnsEvents")


def test_a_broken_record_of_a_stream_is_counted_once(tmp_path: Path) -> None:
    path = ndjson(tmp_path / "x", STREAM[0], "broken", STREAM[2], {"category": 1}, STREAM[3])

    with read("export_json", path) as reading:
        assert reading.counts() == {"DeviceNetworkEvents": 2, "DeviceFileEvents": 1}
        assert [number for number, _ in reading.refused()] == [2]


def answer(name: str, columns: dict[str, str], *rows: object) -> dict[str, Any]:
    """One table of the Log Analytics API."""
    described = [{"name": column, "type": type_} for column, type_ in columns.items()]
    return {"name": name, "columns": described, "rows": list(rows)}


DNS_COLUMNS = {"TimeGenerated": "datetime", "Name": "string", "IPAddresses": "string"}


def test_a_log_analytics_answer(tmp_path: Path) -> None:
    path = tmp_path / "x"
    rows = [[TIME, "a", "203.0.113.1"], [TIME, "short"], "no row", [TIME, "b", None]]
    tables = [answer("PrimaryResult", DNS_COLUMNS, *rows)]
    path.write_text(json.dumps({"tables": tables, "statistics": {"x": 1}}, indent=1))

    with read("export_json", path) as reading:
        assert [(row["_row"], row["Name"]) for row in reading.rows("DnsEvents")] == [
            (1, "a"),
            (4, "b"),
        ]
        assert reading.refused() == [(2, "not a row of values"), (3, "not a row of values")]


def test_an_answer_of_several_tables(tmp_path: Path) -> None:
    """By name, by the column Type, or by columns; an unknown one hides none of the others."""
    path = tmp_path / "x"
    tables = [
        answer("Unknown", {"a": "int", "b": "int"}, [1, 2]),
        answer("DnsEvents", {"TimeGenerated": "datetime", "Name": "string"}, [TIME, "a"]),
        answer(
            "PrimaryResult",
            {"TimeGenerated": "datetime", "Type": "string", "SourceIP": "string"},
            [TIME, "CommonSecurityLog", "203.0.113.1"],
        ),
    ]
    path.write_text(json.dumps({"tables": tables}))

    found = []
    with (
        connect() as con,
        pytest.raises(LogError, match="its columns are of no known table: a, b"),
    ):
        for part in export_json.read(con, log_file(path), None):
            found.append(part.table)  # what came before the error counts
    assert found == ["DnsEvents", "CommonSecurityLog"]


@pytest.mark.parametrize("between", ["\n", "", "\r\n\r\n"])
@pytest.mark.parametrize("name", ["records", "results", "Results"])
def test_answers_one_after_the_other_are_one_log(tmp_path: Path, name: str, between: str) -> None:
    """A message of an event hub a line, or page after page of an API."""
    path = tmp_path / "x"
    pages = [{name: [dns("a"), dns("b")]}, {name: []}, {name: [dns("c")]}]
    path.write_text(between.join(map(json.dumps, pages)) + between)

    assert export_json.recognises(log_file(path))
    assert names(path) == {1: "a", 2: "b", 3: "c"}


@pytest.mark.parametrize(
    "answer",
    [
        {"@odata.context": "https://graph.example/#x", "schema": [], "results": [dns("a")]},
        {"schema": [{"name": "Name", "type": "String"}], "results": [dns("a")]},
        {"Stats": {"ExecutionTime": 0.01}, "Schema": [], "Results": [dns("a")]},
    ],
    ids=["Graph", "Graph without context", "Defender"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_answers_of_the_hunting_apis(
    tmp_path: Path, answer: dict[str, Any], indent: int | None
) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps(answer, indent=indent))

    assert export_json.recognises(log_file(path))
    assert names(path) == {1: "a"}


@pytest.mark.parametrize("rows", [[], [[TIME, "a"]]])
def test_an_answer_that_says_it_is_not_complete_is_not_taken_for_all(
    tmp_path: Path, rows: list[list[str]]
) -> None:
    """What it holds is read, and the rest makes the hunt incomplete."""
    path = tmp_path / "x"
    tables = [answer("DnsEvents", {"TimeGenerated": "datetime", "Name": "string"}, *rows)]
    error = {"code": "PartialError", "message": "results were truncated", "details": []}
    path.write_text(json.dumps({"tables": tables, "error": error}))

    found = []
    with (
        connect() as con,
        pytest.raises(LogError, match="the answer is not complete: results were truncated"),
    ):
        for part in export_json.read(con, log_file(path), None):
            found.append(part.table)
    assert found == ["DnsEvents"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"records": [], "error": "too much"}', "the answer is not complete: too much"),
        (json.dumps(dns("a"), indent=2), "JSON, but neither one object a line nor an array"),
        ('{"records": []}', "it holds no records"),
        ('{"records": [1, 2]}', "it holds no records"),
        ('{"tables": []}', "it holds no records"),
        ('{"schema": [{"name": "a"}]}', "its JSON value 1 has no tables, records or results"),
        ('{"@odata.context": "x", "value": []}', "its JSON value 1 has no tables, records or"),
        ('{"tables": [{"name": "x"}]}', "a Log Analytics answer without columns and rows"),
        ('{"tables": [17]}', "a Log Analytics answer without columns and rows"),
        ('{"records": [{"a": 1}', "not JSON: "),
        ('{"records": [' + "[" * 100_000, "not JSON: "),
        ('{"records": [{"a": 1}]} {"a": 1}', "its JSON value 2 has no tables, records or results"),
        ('{"records": [{"a": 1}]} 17', "its JSON value 2 has no tables, records or results"),
        ('{"records": [{"a": 1}]} {', "not JSON: "),
        ('{"a": 1, "b": 2}', "its columns are of no known table: a, b"),
        ('[{"a": 1}]', "its columns are of no known table: a"),
        ('{"Name": "a", "QueryType": "A"}', "it looks like DnsEvents, but has no TimeGenerated"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x"
    path.write_text(text)

    assert export_json.recognises(log_file(path))
    assert message in error_of(path)


@pytest.mark.parametrize("start", [b"", b"[", b"[1, 2]", b"{", b"text", b'["a"]', b"{1}", b"\xff{"])
def test_what_is_not_recognised(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(start)

    assert not export_json.recognises(log_file(path))


def test_a_lone_surrogate_in_a_wrapped_record_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(json.dumps({"records": [dns("a\ud800b")]}))

    assert names(path) == {1: "a?b"}


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=4,
)


@settings(max_examples=50)
@given(st.lists(st.tuples(_JSON, _JSON), min_size=1, max_size=8), st.data())
def test_both_ways_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[Any, Any]], data: st.DataObject
) -> None:
    """Rows, numbers and what is broken; nested values as JSON, which may be spaced otherwise."""
    lines = [json.dumps(dns(name, ClientIP=address)) for name, address in values]
    for position in data.draw(st.lists(st.integers(0, len(lines)), max_size=3)):
        lines.insert(position, data.draw(st.sampled_from(["broken", "{}", "[]", '{"Name"'])))
    path = ndjson(tmp_path_factory.mktemp("json") / "x", json.dumps(dns("first")), *lines)

    found = []
    for torn in (False, True):
        with read("export_json", path, torn=torn) as reading:
            rows = reading.rows("DnsEvents", good=False)
            found.append([{k: _plain(v) for k, v in row.items()} for row in rows])
    for first, second in zip(*found, strict=True):
        assert first.keys() == second.keys()
        assert {**first, "_refused": ""} == {**second, "_refused": ""}


def _plain(value: object) -> object:
    """Nested JSON without blanks, its numbers as text: the staged way keeps their digits so."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            nested = json.loads(value, parse_int=str, parse_float=str)
        except ValueError:
            return value
        return json.dumps(nested)
    return value
