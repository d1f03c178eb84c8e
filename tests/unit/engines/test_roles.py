"""Whose side an address is on, where a row does not say all of it."""

from __future__ import annotations

import duckdb
import pytest

from foxhunt.engines.roles import direction_sql
from foxhunt.tables import get_table


@pytest.mark.parametrize(
    ("source", "destination", "direction"),
    [
        ("10.1.2.3", "45.137.22.7", "outbound"),
        ("45.137.22.7", "10.1.2.3", "inbound"),
        ("::ffff:45.137.22.7", "10.1.2.3", "inbound"),
        # Unknown is unknown: no address is not one of theirs.
        (None, "10.1.2.3", None),
        ("10.1.2.3", None, None),
        ("", "10.1.2.3", None),
        ("gateway", "10.1.2.3", None),
        ("224.0.0.1", "10.1.2.3", None),
        ("10.1.2.3", "10.1.2.4", None),
    ],
)
def test_direction_is_told_by_two_known_sides(
    source: str | None, destination: str | None, direction: str | None
) -> None:
    columns = ("CommunicationDirection", "SourceIP", "DestinationIP")
    con = duckdb.connect()
    con.execute(
        'CREATE TABLE row AS SELECT CAST(NULL AS VARCHAR) AS "CommunicationDirection", '
        'CAST(? AS VARCHAR) AS "SourceIP", CAST(? AS VARCHAR) AS "DestinationIP"',
        [source, destination],
    )

    found = con.execute(f"SELECT {direction_sql(get_table('CommonSecurityLog'), columns)} FROM row")

    assert found.fetchall() == [(direction,)]
