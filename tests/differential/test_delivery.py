"""Wherever a query gets its indicators from, it finds what the plain evaluator finds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import duckdb
import duckdb_kql
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.backends import Delivery, Emission, Query, get_backend
from foxhunt.backends.kql_indicators import (
    CSV_COLUMNS,
    MALWARE_LABEL,
    SHAPES,
    SHARED_LABEL,
    SOURCE_SYSTEM,
    csv_rows,
    entries_of,
    validity,
)
from foxhunt.indicators import (
    Indicator,
    IndicatorSet,
    IndicatorType,
    is_shared,
    parse_ip_port,
    url_key,
)
from foxhunt.lint.kusto import Kusto
from foxhunt.rules import MatchMode, build_rule
from foxhunt.tables import catalog, get_table
from tests import families
from tests.conftest import PACKAGE

from .harness import EVER, by_evaluator, by_exact_kql, load
from .reference import Row
from .test_agreement import UNSHRUNK, indicator_sets, tables_with_rows

KEPT_ELSEWHERE = (Delivery.WATCHLIST, Delivery.EXTERNALDATA, Delivery.TI_TABLE)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb_kql.connect()


def queries(indicators: IndicatorSet, delivery: Delivery, name: str = "*") -> Iterator[Query]:
    rule = build_rule("Fox", "*", indicators, MatchMode.EXACT)
    emission = Emission(delivery=delivery, data_url="https://lists.example/fox", lookback=EVER)
    for query in get_backend("kql").compile_rule(rule, (), emission):
        if name in (query.table, "*"):
            yield query


def create_lists(indicators: Iterable[Indicator]) -> None:
    """What a watchlist or a CSV file would hold, as a table."""
    rows = {
        row
        for one in indicators
        for shows, shape in SHAPES.items()
        for row in csv_rows(shape, tuple(entries_of(shows, one)))
    }
    columns = {
        name: pa.array([row[place] for row in sorted(rows)], pa.string())
        for place, name in enumerate(CSV_COLUMNS)
    }
    connection().register("arrow_list", pa.table(columns))
    connection().execute("CREATE OR REPLACE TABLE KeptList AS FROM arrow_list")


_KEYS = {
    IndicatorType.DOMAIN: "domain-name:value",
    IndicatorType.URL: "url:value",
    IndicatorType.IP_PORT: "network-traffic:dst_ref.value",
    IndicatorType.MD5: "file:hashes.MD5",
    IndicatorType.SHA1: "file:hashes.'SHA-1'",
    IndicatorType.SHA256: "file:hashes.'SHA-256'",
}


def ti_row(one: Indicator, *, age: int, is_active: bool) -> dict[str, object]:
    """A row of ThreatIntelIndicators as Sentinel makes it of an uploaded STIX indicator."""
    value, port = one.value, ""
    if one.type is IndicatorType.IP_PORT:
        address, number = parse_ip_port(one.value)
        value, port = str(address), f" AND network-traffic:dst_port = {number}"
    key = url_key(one.value) if one.type is IndicatorType.URL else None
    shared = is_shared(key.host if key else one.value)
    labels = [f"{MALWARE_LABEL}*", *([SHARED_LABEL] if shared else [])]
    return {
        "TimeGenerated": datetime.now(UTC).replace(tzinfo=None) - timedelta(days=age),
        "Id": f"Zm94---indicator--{one.source_id}",
        "SourceSystem": SOURCE_SYSTEM,
        "Tags": json.dumps(labels),
        "ObservableKey": _KEYS[one.type],
        "ObservableValue": value,
        "Pattern": f"[x = '{value}'{port}]",
        "Confidence": one.confidence_level,
        "ValidFrom": one.first_seen.replace(tzinfo=None),
        "ValidUntil": until.replace(tzinfo=None) if (until := validity(one)[1]) else None,
        "IsActive": is_active,
        "IsDeleted": False if is_active else None,
        "Revoked": None,
    }


def create_ti_table(indicators: Iterable[Indicator]) -> None:
    """Each indicator as it was republished: once withdrawn, later active again."""
    rows = [
        ti_row(one, age=age, is_active=is_active)
        for one in indicators
        for age, is_active in ((9, False), (1, True))
    ]
    columns = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    connection().register("arrow_ti", pa.table(columns))
    connection().execute(
        "CREATE OR REPLACE TABLE ThreatIntelIndicators AS SELECT * REPLACE "
        "(CAST(ValidUntil AS TIMESTAMP) AS ValidUntil, CAST(Revoked AS BOOLEAN) AS Revoked, "
        "CAST(IsDeleted AS BOOLEAN) AS IsDeleted) FROM arrow_ti"
    )


# duckdb-kql has neither of these: what they read is a table here, the rest of the query is as
# it is emitted.
_SOURCE = re.compile(
    r"_GetWatchlist\(\"foxhunt--\"\)|externaldata\(.*\) \[.*\]\s+with \(.*\)", re.MULTILINE
)


def run(query: Query) -> list[dict[str, object]]:
    text, replaced = _SOURCE.subn("KeptList", query.text)
    assert replaced == (0 if "ThreatIntelIndicators" in query.text else 1)
    relation = duckdb_kql.query(connection(), text)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


@given(indicator_sets(), tables_with_rows(), st.sampled_from(KEPT_ELSEWHERE))
@settings(max_examples=15, deadline=None, phases=UNSHRUNK)
def test_a_list_kept_elsewhere_finds_the_same(
    indicators: IndicatorSet, table: tuple[str, list[Row]], delivery: Delivery
) -> None:
    name, rows = table
    if delivery is Delivery.TI_TABLE:
        # Uploaded names are A-labels, and Kusto knows no UTS 46 (docs/limitations.md).
        rows = [row for row in rows if str(list(row.values())).isascii()]
    if not rows:
        return
    create_lists(indicators)
    create_ti_table(indicators)
    load(connection(), name, rows, name)
    time = get_table(name).time
    expected = {
        (rows[event.row - 1][time], event.column, indicators[event.position].value, event.kind)
        for event in by_evaluator(indicators, name, rows, MatchMode.EXACT)
    }

    found = {
        (hit[time], query.columns[0], hit["Indicator"], hit["Match"])
        for query in queries(indicators, delivery, name)
        for hit in run(query)
    }

    assert expected <= found
    in_text = by_exact_kql(indicators, name, rows)
    assert {(when, value) for when, _, value, _ in found} == {
        (when, value) for when, value, *_ in in_text
    }


def test_a_list_of_all_types_is_compared_with_what_a_column_shows() -> None:
    """A SHA256 column that shows a SHA-1, say: its own query would not have listed it."""
    sha1 = families.indicator(IndicatorType.SHA1, "ab12" * 10)
    sha256 = families.indicator(IndicatorType.SHA256, "cd34" * 16)
    indicators = IndicatorSet.of([sha1, sha256])
    create_lists(indicators)
    rows: list[Row] = [
        {"Timestamp": datetime(2026, 6, 1), "RecipientEmailAddress": None, "SHA256": one.value}
        for one in indicators
    ]
    load(connection(), "EmailAttachmentInfo", rows, "EmailAttachmentInfo")
    for delivery in (Delivery.WATCHLIST, Delivery.EXTERNALDATA):
        (query,) = queries(indicators, delivery, "EmailAttachmentInfo")

        assert [hit["Indicator"] for hit in run(query)] == [sha256.value]


# The columns of Sentinel's table that a query needs (Azure Monitor reference, 2026-07-27), and
# what _GetWatchlist gives for a list of ours: neither is part of the parser's own schema.
_TI_SCHEMA = {
    **{"TimeGenerated": "datetime", "ValidFrom": "datetime", "ValidUntil": "datetime"},
    **{"Id": "string", "SourceSystem": "string", "Tags": "string", "Pattern": "string"},
    **{"ObservableKey": "string", "ObservableValue": "string", "Confidence": "int"},
    **{"IsActive": "bool", "IsDeleted": "bool", "Revoked": "bool"},
}
_WATCHLIST = (
    "let _GetWatchlist = (alias: string) { datatable("
    + ", ".join(f"{name}: string" for name in CSV_COLUMNS)
    + ") [] };\n"
)


@pytest.mark.parametrize("delivery", KEPT_ELSEWHERE)
def test_microsofts_parser_accepts_it(delivery: Delivery) -> None:
    tables = {name: table.columns for name, table in catalog().items()}
    kusto = Kusto({**tables, "ThreatIntelIndicators": _TI_SCHEMA}, PACKAGE)
    judged = {
        query.heading: kusto.judge(_WATCHLIST + query.text).errors
        for query in queries(families.every_type(), delivery)
    }

    assert len(judged) > 10
    assert {heading: errors for heading, errors in judged.items() if errors} == {}


def test_what_is_withdrawn_is_not_looked_for() -> None:
    indicators = families.unknown_rat()
    create_lists(indicators)
    rows: list[Row] = [
        {"TimeGenerated": datetime(2026, 6, 1), "Name": one.value} for one in indicators
    ]
    load(connection(), "DnsEvents", rows, "DnsEvents")
    create_ti_table(indicators)
    (query,) = queries(indicators, Delivery.TI_TABLE, "DnsEvents")

    assert len(run(query)) == len(rows)
    connection().execute("UPDATE ThreatIntelIndicators SET Revoked = true WHERE IsActive")
    assert run(query) == []
