"""When the indicators that something met count, for the events of a part (R6)."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pyarrow as pa

from foxhunt.findings import ValidityPolicy
from foxhunt.indicators import IndicatorSet
from foxhunt.sql import literal


def load_validity(
    con: duckdb.DuckDBPyConnection,
    indicators: IndicatorSet,
    positions: list[int],
    policy: ValidityPolicy,
) -> None:
    """Make the temp table ``validity`` (R6): position, valid_from, valid_until.

    Args:
        con: Where to.
        indicators: The set that is hunted for.
        positions: Of the indicators that something met; no other is looked at.
        policy: How long an indicator counts.
    """
    wanted = pa.array(positions, pa.int64())
    rows = indicators.select("type", "first_seen", "last_seen").take(wanted)
    con.register("validity_rows", rows.append_column("position", wanted))
    aging = ", ".join(literal(type_) for type_ in policy.lifetimes) or "NULL"
    ends = " ".join(
        f"WHEN {literal(type_)} THEN "
        f"greatest(first_seen, last_seen) + INTERVAL {_seconds(lifetime)} SECOND"
        for type_, lifetime in policy.lifetimes.items()
    )
    end = f"CASE type {ends} ELSE TIMESTAMPTZ 'infinity' END" if ends else "TIMESTAMPTZ 'infinity'"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE validity AS SELECT position, "
        f"CAST(CASE WHEN type IN ({aging}) "
        f"THEN first_seen - INTERVAL {_seconds(policy.lead)} SECOND "
        f"ELSE TIMESTAMPTZ '-infinity' END AS TIMESTAMP) AS valid_from, "
        f"CAST({end} AS TIMESTAMP) AS valid_until FROM validity_rows"
    )
    con.unregister("validity_rows")


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
