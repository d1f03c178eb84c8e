"""Which table an export is of: by its columns, never by a guess."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foxhunt.errors import LogError, TableError
from foxhunt.logs.recognise import canonical_columns, matching_tables, plain, table_of
from foxhunt.tables import catalog, get_table


@pytest.mark.parametrize("suffix", ["", " [UTC]", "[utc]", " [UTC+00:00]"])
@pytest.mark.parametrize("name", [name for name, table in catalog().items() if table.recognised_by])
def test_the_whole_table_and_each_telling_set_are_recognised(name: str, suffix: str) -> None:
    """Under either name of the time, with the portal's zone or without."""
    table = get_table(name)
    times = [time for time in (table.time, table.other_time) if time is not None]

    assert table_of(table.columns, "x") is table
    for telling in table.recognised_by:
        for time in times:
            assert table_of([*telling, f"{time}{suffix}", "SomethingElse"], "x") is table


@pytest.mark.parametrize("zone", ["Local Time", "Heure locale", "UTC+02:00", "PST", ""])
def test_times_in_another_zone_are_not_read_as_utc(zone: str) -> None:
    """The portal writes them so for who has not set it to UTC, and no row tells the offset."""
    columns = ["Name", "QueryType", f"TimeGenerated [{zone}]"]

    for forced in (None, "DnsEvents"):
        with pytest.raises(LogError) as caught:
            table_of(columns, "x.csv", forced)
        assert str(caught.value) == (
            f"x.csv: H301: its times are not in UTC: TimeGenerated [{zone}] "
            "(export it with the time zone set to UTC, or write TimeGenerated with offsets)"
        )
    assert table_of(["TimeGenerated", *columns], "x.csv") is get_table("DnsEvents")


def test_image_loads_look_like_any_file_event_and_have_to_be_named() -> None:
    columns = get_table("DeviceImageLoadEvents").columns

    with pytest.raises(LogError, match="--table NAME=PATH says which table it is"):
        table_of(columns, "x")
    assert table_of(columns, "x", "DeviceImageLoadEvents").name == "DeviceImageLoadEvents"


def test_a_table_that_is_not_ours_is_never_read_as_one_that_is(shared_schemas: Path) -> None:
    """DeviceEvents once passed for DeviceProcessEvents, and nobody looked at its RemoteIP."""
    schemas = [json.loads(path.read_text()) for path in sorted(shared_schemas.glob("*/*.json"))]
    assert len(schemas) > 100
    refused = set()
    for schema in schemas:
        names = [column["name"] for column in schema["columns"]]
        if schema["name"] in catalog() and catalog()[schema["name"]].recognised_by:
            assert table_of(names, "x").name == schema["name"]
            continue
        with pytest.raises(LogError) as caught:
            table_of(names, "x")
        if "which is not hunted" in str(caught.value):
            refused.add(schema["name"])
            assert f"those of {schema['name']}, which" in str(caught.value)

    assert {"DeviceEvents", "OfficeActivity", "AlertEvidence"} <= refused


def test_a_foreign_table_can_be_read_as_ours_when_told() -> None:
    columns = ["Timestamp", "DeviceName", "RemoteIP", "RegistryKey"]

    with pytest.raises(LogError) as caught:
        table_of(columns, "x.csv")
    assert str(caught.value) == (
        "x.csv: H301: its columns are those of DeviceEvents, which is not hunted "
        "(--table NAME=PATH reads it all the same, as a table that is)"
    )
    assert table_of(columns, "x.csv", "DeviceNetworkEvents").name == "DeviceNetworkEvents"


def test_no_telling_set_of_one_table_is_of_two() -> None:
    """Else an export with just these columns could not be told without --table."""
    for table in catalog().values():
        for telling in table.recognised_by:
            assert matching_tables([*telling, table.time]) == (table,)


def test_there_is_no_table_without_a_time() -> None:
    """No event of it could be hunted, so the message says what is missing."""
    with pytest.raises(LogError, match="it looks like DnsEvents, but has no TimeGenerated"):
        table_of(["Name", "QueryType", "ClientIP"], "x.csv")


def test_columns_of_several_tables_are_not_guessed_between() -> None:
    """Of equal fits none is taken, and the hint shows how to say which."""
    columns = ["TimeGenerated", "SrcIpAddr", "DstIpAddr", "SourceIP", "DestinationIP"]

    with pytest.raises(LogError) as caught:
        table_of(columns, "x.csv")

    assert str(caught.value) == (
        "x.csv: H301: its columns fit CommonSecurityLog and ASimNetworkSessionLogs "
        "(say which with --table CommonSecurityLog=x.csv)"
    )
    assert table_of(columns, "x.csv", "CommonSecurityLog").name == "CommonSecurityLog"
    assert table_of([*columns, "DeviceVendor"], "x.csv").name == "CommonSecurityLog"


def test_case_tells_tables_apart_but_not_columns_of_one() -> None:
    """VMConnection has SourceIp where CommonSecurityLog has SourceIP."""
    columns = ["TimeGenerated", "sourceip", "destinationip", "devicevendor", "deviceproduct"]

    assert matching_tables(columns) == ()
    assert table_of(columns, "x", "CommonSecurityLog").name == "CommonSecurityLog"
    assert canonical_columns(get_table("CommonSecurityLog"), columns) == {
        "TimeGenerated": "TimeGenerated",
        "SourceIP": "sourceip",
        "DestinationIP": "destinationip",
        "DeviceVendor": "devicevendor",
        "DeviceProduct": "deviceproduct",
    }


def test_columns_are_found_under_the_files_own_names_the_first_first() -> None:
    names = ["\ufeffTimeGenerated [UTC]", " Name ", "name", "NAME", "Unknown", "_process", ""]

    assert canonical_columns(get_table("DnsEvents"), names) == {
        "TimeGenerated": "\ufeffTimeGenerated [UTC]",
        "Name": " Name ",
        "_process": "_process",
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Name", "Name"),
        ("\ufeffName", "Name"),
        (" Timestamp [UTC] ", "Timestamp"),
        ("Timestamp[UTC+02:00]", "Timestamp"),
        ("a [b] c", "a [b] c"),
        ("[UTC]", ""),
        ("", ""),
    ],
)
def test_a_plain_name_has_neither_mark_nor_zone(name: str, expected: str) -> None:
    assert plain(name) == expected


def test_a_forced_table_needs_a_time_whose_name_may_be_the_other_products() -> None:
    assert table_of(["timestamp"], "x", "DeviceNetworkEvents").name == "DeviceNetworkEvents"
    assert table_of(["TIMEGENERATED"], "x", "devicenetworkevents").name == "DeviceNetworkEvents"
    with pytest.raises(LogError) as caught:
        table_of([f"column{n}" for n in range(11)] + ["a" * 100], "x.csv", "DeviceNetworkEvents")
    assert str(caught.value) == (
        "x.csv: H301: it has no Timestamp, so it cannot be DeviceNetworkEvents (its columns: "
        "column0, column1, column2, column3, column4, column5, column6, column7 and 4 more)"
    )
    with pytest.raises(TableError):
        table_of(["Timestamp"], "x", "Devices")


def test_an_unknown_table_is_answered_with_its_columns_cut_short() -> None:
    with pytest.raises(LogError) as caught:
        table_of(["x" * 1000, "TimeGenerated"], "x.csv")

    assert str(caught.value) == (
        f"x.csv: H301: its columns are of no known table: {'x' * 40}, TimeGenerated "
        "(--table NAME=PATH says which table it is)"
    )
