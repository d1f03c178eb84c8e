"""What stands near a value: on its host, above it, below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.asked import Asked
from foxhunt.indicators.conditions import IsValue, Not, On
from foxhunt.indicators.domains import parents
from foxhunt.indicators.lookup import Found, Reader
from foxhunt.indicators.model import Indicator


class Relation(StrEnum):
    """How an indicator is related to a value, the nearest first."""

    SAME_HOST = "same host"  # the name itself, URLs on it; an address with any port
    ABOVE = "above"  # a domain that covers the value's host (R1)
    BELOW = "below"  # names below the value's host, and URLs on them


@dataclass(frozen=True, slots=True)
class Related:
    """Indicators near a value, without the value itself.

    Attributes:
        shown: The nearest, each with how it is related.
        totals: How many there are of each, shown or not.
    """

    shown: tuple[tuple[Relation, Indicator], ...] = ()
    totals: Mapping[Relation, int] | None = None

    @property
    def total(self) -> int:
        """How many there are."""
        return sum((self.totals or {}).values())


def related(reader: Reader, asked: Asked, limit: int) -> Related:
    """Find what is near ``asked``, and read at most ``limit`` of it.

    Raises:
        StoreError: The snapshot is damaged.
    """
    if asked.host is None:
        return Related()
    found = reader.find([On(asked.host, has_parents=True), Not(IsValue(asked))])
    ranks = _ranks(found, asked.host)
    # Arrow's sort is stable: of one relation the set's order stays.
    chosen = pc.sort_indices(ranks).slice(0, limit).to_pylist()
    relations = tuple(Relation)
    counts = {one["values"]: one["counts"] for one in pc.value_counts(ranks).to_pylist()}
    return Related(
        tuple(
            (relations[ranks[at].as_py()], one)
            for at, one in zip(chosen, found.indicators(chosen), strict=True)
        ),
        {relation: counts[rank] for rank, relation in enumerate(relations) if rank in counts},
    )


def _ranks(found: Found, host: str) -> pa.Array:
    """Number of the relation of each row."""
    column = found.read(["lookup"], None)["lookup"]
    lookup = pa.concat_arrays([pa.array([], pa.string()), *column.chunks])
    above = pc.is_in(lookup, value_set=pa.array(parents(host)[1:], pa.string()))
    same, over, under = (pa.scalar(rank, pa.int64()) for rank in range(len(Relation)))
    is_same = pc.equal(lookup, pa.scalar(host, pa.string()))
    return pc.if_else(is_same, same, pc.if_else(above, over, under))
