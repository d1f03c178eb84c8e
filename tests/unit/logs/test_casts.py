"""The quick readings of a time give what the one that knows all spellings gives."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from foxhunt.logs import connect
from foxhunt.logs.casts import SLASHED, UNDATED_TIME, USUAL_TIME

SPELLINGS = (
    "2026-06-01T10:20:30.123456Z",
    "2026-06-01 10:20:30",
    "2026-06-01T10:20:30.5",
    "2026-06-01 10:20:30 NZ",
    "2026-06-01 10:20:30 Etc/GMT+1",
    "2026-06-01T10:20:30+05:30",
    "2026-02-30 10:20:30",
    "1780272000.000000",
    "2147483647.999999",
    "9999999999.999999",
    "-178027200.000000",
    "0001-01-01 00:00:00",
    "20:30:11",
    "infinity",
)
MARKS = "NZGMTUC 0159-:.+/tze_\té\u0663"


def mutated(seed: int, count: int) -> set[str]:
    """Spellings of times with one to three characters put in, taken out or changed."""
    chance = random.Random(seed)  # noqa: S311 - the same texts in each run
    found = set(SPELLINGS)
    for _ in range(count):
        text = list(chance.choice(SPELLINGS))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            kept = chance.choice((0, 0, 1))
            text[at : at + chance.randint(0, 1)] = [] if kept else [chance.choice(MARKS)]
        found.add("".join(text))
    return found


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


def test_a_usual_time_is_what_the_slow_reading_makes_of_it(con: duckdb.DuckDBPyConnection) -> None:
    """Or none: then the slow one is asked. A blank or a zone in an odd place is where they part."""
    con.register("texts", pa.table({"v": sorted(mutated(7, 40_000))}))
    ((told,),) = con.execute(f"SELECT count({USUAL_TIME}(v)) FROM texts").fetchall()
    assert told > 300
    different = con.execute(
        f"SELECT v FROM texts WHERE {USUAL_TIME}(v) IS NOT NULL AND "
        f"foxhunt_years({USUAL_TIME}(v)) IS DISTINCT FROM foxhunt_years(foxhunt_other_time(v))"
    ).fetchall()
    assert different == []


def test_seconds_since_1970_are_exact_to_the_microsecond(con: duckdb.DuckDBPyConnection) -> None:
    """They go through a double."""
    different = con.execute(
        "SELECT us FROM (SELECT (hash(i) % 1147483647 + 1000000000)::BIGINT * 1000000 "
        "+ (hash(-i) % 1000000)::BIGINT AS us FROM range(200000) AS r(i)) "
        f"WHERE make_timestamp(us) <> {USUAL_TIME}((us // 1000000) || '.' "
        "|| lpad((us % 1000000)::VARCHAR, 6, '0'))"
    ).fetchall()
    assert different == []


@pytest.mark.parametrize("text", ["16/07/2026 10:00:00", "7/6/2026", "/"])
def test_a_date_with_slashes_stops_the_reading_that_cannot_tell_its_order(
    con: duckdb.DuckDBPyConnection, text: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match=SLASHED):
        con.execute(f"SELECT {UNDATED_TIME}(?)", [text]).fetchall()
