"""The catalog says what Microsoft's schemas say, and names only columns it has."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pytest

from foxhunt.errors import TableError
from foxhunt.logs.views import DUCKDB_TYPES
from foxhunt.tables import EXTRA_COLUMNS, Shows, Table, catalog, get_table

TABLES = list(catalog().values())
NAMES = [table.name for table in TABLES]
each_table = pytest.mark.parametrize("table", TABLES, ids=NAMES)


def test_every_data_file_is_a_table_and_every_table_has_one() -> None:
    folder = resources.files("foxhunt.tables").joinpath("data")

    assert sorted(file.name for file in folder.iterdir()) == sorted(f"{n}.json" for n in NAMES)
    assert len(NAMES) == 11


def test_the_pages_tables_come_first_in_their_order() -> None:
    assert NAMES[:5] == [
        "CommonSecurityLog",
        "DeviceNetworkEvents",
        "DnsEvents",
        "UrlClickEvents",
        "DeviceFileEvents",
    ]


@each_table
def test_columns_and_types_are_those_of_the_schemas(table: Table, shared_schemas: Path) -> None:
    """Sentinel's first, in its order; then what only Defender has.

    Where the two differ in a type (AdditionalFields), Sentinel's is the one: the emitted
    queries run there. Defender's DeviceProcessEvents has LogonId and LogonID, which are one
    name in DuckDB, so names are compared in any case.
    """
    sentinel = _schema(shared_schemas / "sentinel" / f"{table.name}.json")
    defender = _schema(shared_schemas / "defender" / f"{table.name}.json")
    known = {name.lower() for name in sentinel}
    only_defender = {name: type_ for name, type_ in defender.items() if name.lower() not in known}

    assert sentinel
    assert list(table.columns.items()) == [*sentinel.items(), *only_defender.items()]


def _schema(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    return {one["name"]: one["type"] for one in json.loads(path.read_text("utf-8"))["columns"]}


@each_table
def test_defenders_name_of_the_time_is_the_pages(table: Table, shared_schemas: Path) -> None:
    is_defenders = (shared_schemas / "defender" / f"{table.name}.json").is_file()

    times = (table.time, table.other_time)
    assert times == (("Timestamp", "TimeGenerated") if is_defenders else ("TimeGenerated", None))


@each_table
def test_no_two_columns_differ_only_in_case(table: Table) -> None:
    """DuckDB's names have no case: one would hide the other."""
    lower = [name.lower() for name in table.columns]

    assert len(lower) == len(set(lower))
    assert not {name.lower() for name in EXTRA_COLUMNS} & set(lower)


@each_table
def test_every_type_can_be_read(table: Table) -> None:
    assert set(table.columns.values()) <= set(DUCKDB_TYPES)


@each_table
def test_every_named_column_is_one_of_the_tables(table: Table) -> None:
    named = {table.time, *table.host, *table.user, *table.process}
    named |= {table.other_time} if table.other_time else set()
    named |= {column for columns in table.recognised_by for column in columns}
    for one in table.observables:
        named |= {one.column, *one.host, *one.user} | ({one.port} if one.port else set())
    if table.direction:
        named |= {table.direction.column} if table.direction.column else set()
        named |= set(table.direction.sides or ())
    if table.action:
        named |= {table.action.column}
        named |= {table.action.allowed_if} if table.action.allowed_if else set()

    assert named <= set(table.columns) | set(EXTRA_COLUMNS)
    assert named & set(EXTRA_COLUMNS) <= {*table.user, *table.process}


@each_table
def test_columns_have_the_types_their_roles_need(table: Table) -> None:
    columns = table.columns

    assert columns[table.time] == "datetime"
    for one in table.observables:
        assert columns[one.column] == "string"
        assert one.port is None or columns[one.port] == "int"
        # A port or a side is an address's; a name or a hash has neither.
        assert one.shows is Shows.ADDRESS or (one.port, one.remote) == (None, None)
    if table.action and table.action.allowed_if:
        assert columns[table.action.allowed_if] == "bool"


@each_table
def test_texts_that_are_compared_are_in_lower_case(table: Table) -> None:
    texts: list[str] = []
    if table.direction:
        texts += [*table.direction.inbound, *table.direction.outbound]
    if table.action:
        texts += [*table.action.blocked, *table.action.allowed]

    assert texts == [text.lower() for text in texts]


@each_table
def test_every_table_says_what_it_is_and_what_it_needs(table: Table) -> None:
    assert table.observables
    assert table.title and table.connector and table.must_deliver


def test_no_export_is_recognised_as_two_tables() -> None:
    """A set of columns inside another table's set would take that table's exports."""
    for table in TABLES:
        for other in TABLES:
            if table is not other:
                assert not set(table.recognised_by) & set(other.recognised_by)


def test_a_table_is_found_in_any_case() -> None:
    assert get_table("dnsevents") is catalog()["DnsEvents"]


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TableError) as caught:
        get_table("DnsEvent")

    assert "'DnsEvent'" in caught.value.message
    assert caught.value.hint == f"known: {', '.join(NAMES)}"


def test_the_catalog_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalog()["DnsEvents"] = TABLES[0]  # type: ignore[index]  # the assignment under test
