"""Rows of staged records: those of the plainest way, field by field out of every record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.logs import connect, sysmon
from foxhunt.logs.ahead import never
from foxhunt.logs.evtx import parts_of
from foxhunt.logs.evtx_records import Record, records
from foxhunt.logs.evtx_staging import Staging
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import Records, raw_parts, summarise
from foxhunt.sql import identifier, literal

from .reading import log_file

FILE = LogFile(Path("x.evtx"), "x.evtx", "none", b"")
NAMES = (
    "LM_DCOM_MSHTA_LethalHTA_Sysmon_3_1.evtx",
    "exec_wmic_xsl_internet_sysmon_3_1_11.evtx",
    "omer_sysmon.evtx",
    "sysmon_3_10_Invoke-Mimikatz_hosted_Github.evtx",
)

# From a table to its columns and its rows: number, why it is broken, values.
Found = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]


def found(con: duckdb.DuckDBPyConnection, parts: Iterable[RawPart]) -> Found:
    """What the parts hold, in their order."""
    return {part.table: (part.columns, rows(con, part)) for part in parts}


def rows(con: duckdb.DuckDBPyConnection, part: RawPart) -> list[tuple[Any, ...]]:
    """The rows of a part in order; a broken record has no values."""
    listed = ", ".join(map(identifier, part.columns))
    return [
        (row, broken, *(values if broken is None else ()))
        for row, broken, *values in con.execute(
            f"SELECT _row, _broken, {listed} FROM ({part.select}) ORDER BY _row"
        ).fetchall()
    ]


def plainly(con: duckdb.DuckDBPyConnection, read: Iterable[Record], table: str | None) -> Found:
    """All fields of all records taken out one by one, and the mappings over them."""
    numbered = [(row, broken, text) for row, (broken, text) in enumerate(read, start=1)]
    columns = list(zip(*numbered, strict=True)) or [(), (), ()]
    types = {"_row": pa.int64(), "_broken": pa.string(), "data": pa.string()}
    arrays = [pa.array(one, type_) for one, type_ in zip(columns, types.values(), strict=True)]
    con.register("plain_records", pa.table(arrays, names=list(types)))
    attribute = {"#attributes": {"Name": "VARCHAR", "SystemTime": "VARCHAR"}}
    told = {"EventID": "JSON", "Channel": "VARCHAR", "Computer": "VARCHAR"}
    shape = {
        "Event": {
            "System": {**told, "Provider": attribute, "TimeCreated": attribute},
            "EventData": dict.fromkeys(sysmon.DATA_FIELDS, "VARCHAR"),
        }
    }
    event_id = (
        "CASE WHEN json_type({0}) = 'OBJECT' THEN json_extract_string({0}, '$.\"#text\"') "
        "ELSE json_extract_string({0}, '$') END"
    ).format("event.System.EventID")
    fields = {
        "_event_id": event_id,
        "_channel": "event.System.Channel",
        "_provider": 'event.System.Provider."#attributes".Name',
        "_computer": "event.System.Computer",
        "_time": 'event.System.TimeCreated."#attributes".SystemTime',
        **{name: f"event.EventData.{identifier(name)}" for name in sysmon.DATA_FIELDS},
    }
    listed = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in fields.items())
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE plain AS SELECT _row, _broken, {listed} FROM "
        f"(SELECT *, json_transform(data, {literal(json.dumps(shape))}).Event AS event "
        "FROM plain_records)"
    )
    kind = re.sub(r"\{(\w+)\}", lambda match: identifier(match.group(1)), sysmon.KIND)
    select = f"SELECT *, {kind} AS _kind FROM plain"
    of_kinds = Records(select=select, kinds=summarise(con, select))
    return found(con, raw_parts(of_kinds, sysmon.MAPPINGS, FILE, table))


def staged(
    con: duckdb.DuckDBPyConnection,
    read: Iterable[Record],
    table: str | None,
    batch_bytes: int = 10**9,
) -> Found:
    """The same of `Staging`, where another file has the same records."""
    staging = Staging(con, never, batch_bytes)
    for row, (broken, text) in enumerate(read, start=1):
        for number in (0, 1):
            if text is None:
                staging.add_broken(number, row, broken or "")
            else:
                staging.add(number, row, text)
    result = staging.finish()
    answers = [found(con, parts_of(result, number, FILE, None, table)) for number in (0, 1)]
    staging.drop()
    assert answers[0] == answers[1]
    return answers[0]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


def test_what_stops_duckdb_is_raised_and_leaves_no_table(
    con: duckdb.DuckDBPyConnection,
) -> None:
    staging = Staging(con, never, 1)
    with pytest.raises(duckdb.Error, match="Malformed JSON"):
        for row in range(3):
            staging.add(0, row, SPELLINGS["number"][:-1])
    staging.drop()
    assert con.execute("FROM duckdb_tables() WHERE table_name LIKE 'log_records%'").fetchall() == []


def test_nothing_is_left_of_records_that_nobody_waits_for(con: duckdb.DuckDBPyConnection) -> None:
    staging = Staging(con, lambda: True)
    staging.add(0, 1, SPELLINGS["number"])
    with pytest.raises(CancelledError):
        staging.finish()
    staging.drop()
    assert con.execute("FROM duckdb_tables() WHERE table_name LIKE 'log_records%'").fetchall() == []


@pytest.mark.parametrize("name", NAMES)
def test_real_records_give_the_rows_of_the_plain_way(
    con: duckdb.DuckDBPyConnection, shared_data: Path, name: str
) -> None:
    read = list(records(log_file(shared_data / "logs/evtx" / name)))
    assert read
    # In many batches as in one.
    assert staged(con, read, None, 300 * len(read)) == plainly(con, read, None)


XMLNS = "http://schemas.microsoft.com/win/2004/08/events/event"
GUID = "5770385F-C22A-43E0-BF4C-06F5698FFBD9"


def event(system: object, data: object) -> str:
    """As the parser spells it."""
    whole = {"#attributes": {"xmlns": XMLNS}, "System": system, "EventData": data}
    return json.dumps({"Event": whole}, separators=(",", ":"))


SYSTEM = {
    "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": GUID}},
    "EventID": 1,
    "TimeCreated": {"#attributes": {"SystemTime": "2026-06-01T10:00:00Z"}},
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Computer": "PC",
}
DATA = {"UtcTime": "2026-06-01 10:00:00.000", "Image": "C:\\a\\b.exe", "Hashes": "MD5=" + "a" * 32}
SPELLINGS = {
    "number": event(SYSTEM, DATA),
    "text": event({**SYSTEM, "EventID": "1"}, DATA),
    "last member": event({**SYSTEM, "EventID": None} | {"Channel": "x", "EventID": 3}, DATA),
    "object": event({**SYSTEM, "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 1}}, DATA),
    "object of text": event({**SYSTEM, "EventID": {"#text": "22"}}, DATA),
    "object without": event({**SYSTEM, "EventID": {"#attributes": {}}}, DATA),
    "float": event({**SYSTEM, "EventID": 1.0}, DATA),
    "null": event({**SYSTEM, "EventID": None}, DATA),
    "other kind": event({**SYSTEM, "EventID": 4624}, DATA),
    "spaces": json.dumps({"Event": {"System": SYSTEM, "EventData": DATA}}),
    "twice": event(SYSTEM, DATA).replace('"EventID":1', '"EventID":5,"EventID":1'),
    "twice, the first is of a kind": event(SYSTEM, DATA).replace(
        '"EventID":1', '"EventID":1,"EventID":5'
    ),
    "systems twice": event(SYSTEM, DATA).replace(
        '"EventData":', '"System":{"EventID":22},"EventData":'
    ),
    "events twice": event(SYSTEM, DATA)[:-1] + ',"Event":{"System":{"EventID":22}}}',
    "long number": event({**SYSTEM, "EventID": 10**30}, DATA),
    "also in data": event({**SYSTEM, "EventID": 3}, {**DATA, "EventID": 1}),
    "only in data": event({"Channel": SYSTEM["Channel"]}, {**DATA, "EventID": 1}),
    "in a text": event({**SYSTEM, "Computer": '"EventID":5,'}, DATA),
    "provider only": event({**SYSTEM, "Channel": "Other"}, DATA),
    "channel only, lower case": event(
        {"EventID": 1, "Channel": str(SYSTEM["Channel"]).lower()}, DATA
    ),
    "name in the data only": event(
        {**SYSTEM, "Provider": None, "Channel": "x"}, {"a": sysmon.CHANNEL}
    ),
    "no event": "{}",
    "no object": '"Microsoft-Windows-Sysmon"',
    "data is text": event(SYSTEM, "x"),
    "data is a list": event(SYSTEM, [DATA]),
    "system is a list": event([SYSTEM], DATA),
    "deep": event(SYSTEM, {**DATA, "Image": json.loads("[" * 200 + "]" * 200)}),
    "long": event(SYSTEM, {**DATA, "Image": "\\" + "x" * 300_000}),
    "member twice": event(SYSTEM, DATA).replace('"Image":', '"Image":"first","Image":'),
}


def test_the_parser_spells_records_as_is_taken_for_usual(shared_data: Path) -> None:
    """Else each of them is looked at for each table."""
    for name in NAMES:
        texts = [text for _, text in records(log_file(shared_data / "logs/evtx" / name)) if text]
        assert len(texts) > 1
        assert all(text.startswith(event(SYSTEM, DATA).partition("1,")[0]) for text in texts)


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_odd_records_give_the_rows_of_the_plain_way(
    con: duckdb.DuckDBPyConnection, text: str
) -> None:
    read: list[Record] = [(None, text), ("broken", None), (None, SPELLINGS["number"])]
    assert staged(con, read, None, 2000) == plainly(con, read, None)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=()), max_size=6)
    | st.sampled_from(
        ["-", "", "C:\\x\\y.exe", "D\\u", "SHA256=" + "aB" * 32, "true", "::1;a;9.9.9.9"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["#text", "#attributes", "Name", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)
KINDS = st.sampled_from([1, 3, 7, 11, 15, 22, 23, 29, "1", 5, 255])
SYSTEMS = st.fixed_dictionaries(
    {
        "Provider": st.just(SYSTEM["Provider"]) | VALUES,
        "EventID": KINDS | VALUES,
        "Channel": st.just(sysmon.CHANNEL) | VALUES,
    },
    optional={
        "Computer": VALUES,
        "TimeCreated": st.just(SYSTEM["TimeCreated"]) | VALUES,
    },
)
EVENTS = st.builds(
    lambda system, data, is_ascii: json.dumps(
        {"Event": {"#attributes": {"xmlns": XMLNS}, "System": system, "EventData": data}},
        ensure_ascii=is_ascii or re.search("[\ud800-\udfff]", str((system, data))) is not None,
        separators=(",", ":"),
    ),
    SYSTEMS,
    st.dictionaries(st.sampled_from([*sysmon.DATA_FIELDS, "EventID", "Other"]), VALUES) | VALUES,
    st.booleans(),
)
RECORDS = st.lists(
    st.tuples(st.none(), EVENTS) | st.tuples(st.text(max_size=5), st.none()), max_size=8
)


@settings(deadline=None, max_examples=10)
@given(RECORDS, st.sampled_from([None, None, "DnsEvents", "DeviceFileEvents"]))
def test_hostile_records_give_the_rows_of_the_plain_way(
    con: duckdb.DuckDBPyConnection, read: list[Record], table: str | None
) -> None:
    assert told(staged, con, read, table) == told(plainly, con, read, table)


def told(way: Any, con: duckdb.DuckDBPyConnection, read: list[Record], table: str | None) -> object:
    """What one way gives, or that DuckDB cannot take the records."""
    try:
        return way(con, read, table)
    except duckdb.Error as error:
        return type(error)
