"""One value that several feeds list: two indicators, and one finding that names both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import duckdb
import pyarrow as pa

from foxhunt.indicators import Indicator, IndicatorSet

_FOLDED = """
CREATE OR REPLACE TEMP TABLE judged AS
SELECT * EXCLUDE (leader) REPLACE (leader AS position)
FROM (SELECT judged.*, coalesce(leader, position) AS leader
  FROM judged LEFT JOIN leaders USING (position))
QUALIFY row_number() OVER (PARTITION BY part, row, leader ORDER BY serious, kind_rank, col_rank) = 1
"""


def fold_listings(
    con: duckdb.DuckDBPyConnection, indicators: IndicatorSet
) -> Mapping[int, tuple[Indicator, ...]]:
    """Let an event that met one value of several feeds be one event, of the feed that was first.

    Its verdict is the most serious that it has by any of them: an exclusion of one family, or
    an indicator that is stale in one feed, hides nothing that another feed says. What one feed
    lists twice, for two families, stays two.

    Args:
        con: With the temp table ``judged`` of `suppress`, which is written anew.
        indicators: The set that was hunted for.

    Returns:
        Position of an indicator to those of other feeds that its events stand for as well.
    """
    met = [row[0] for row in con.execute("SELECT DISTINCT position FROM judged").fetchall()]
    leaders = dict(_leaders(indicators.take(met)))
    if not leaders:
        return {}
    columns = {"position": list(leaders), "leader": list(leaders.values())}
    con.register("leaders", pa.table(columns))
    con.execute(_FOLDED)
    con.unregister("leaders")
    found: defaultdict[int, list[int]] = defaultdict(list)
    for position, leader in leaders.items():
        found[leader].append(position)
    folded = indicators.take(leaders)
    return {at: tuple(folded[position] for position in rest) for at, rest in found.items()}


def _leaders(met: Mapping[int, Indicator]) -> Iterator[tuple[int, int]]:
    """Position of each indicator that another feed listed before, and of that feed's first."""
    by_value: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for position, one in met.items():
        by_value[one.type, one.value].append(position)
    for positions in by_value.values():
        first = min(positions, key=lambda at: (met[at].first_seen, met[at].source, at))
        yield from ((at, first) for at in positions if met[at].source != met[first].source)
