"""What differs between two sets, indicator by indicator; identity is ``(source, source_id)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.collection import IndicatorSet
from foxhunt.indicators.merging import identity_keys, same_values
from foxhunt.indicators.model import Indicator

_FIELDS = tuple(field.name for field in fields(Indicator))


class Kind(StrEnum):
    """What became of an indicator from one set to the other."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"  # anything but last_seen alone
    RE_SEEN = "re-seen"  # only last_seen differs


@dataclass(frozen=True, slots=True)
class Change:
    """One indicator that is not the same in both.

    Attributes:
        kind: What became of it.
        indicator: As the later set has it; as the earlier one had it if it is gone.
        fields: Of a changed or re-seen one, the earlier and the later value by field.
    """

    kind: Kind
    indicator: Indicator
    fields: Mapping[str, tuple[object, object]]


class Changes:
    """The changes from one set to another, counted at once and read when they are asked for."""

    def __init__(self, before: IndicatorSet, after: IndicatorSet) -> None:
        self._before, self._after = before.table, after.table
        at = pc.index_in(_keys(self._after), value_set=_keys(self._before))
        still = pc.index_in(_keys(self._before), value_set=_keys(self._after))
        known = _numbers(pc.is_valid(at))
        pairs = pa.table({"after": known, "before": pc.take(at, known)})
        same, same_but_seen = self._compared(pairs)
        moved = pairs.filter(pc.invert(same))
        is_re_seen = pc.filter(same_but_seen, pc.invert(same))
        self._pairs = {
            Kind.NEW: pa.table({"after": _numbers(pc.is_null(at))}),
            Kind.GONE: pa.table({"before": _numbers(pc.is_null(still))}),
            Kind.CHANGED: moved.filter(pc.invert(is_re_seen)),
            Kind.RE_SEEN: moved.filter(is_re_seen),
        }
        self.unchanged = len(pairs) - len(moved)

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return {kind: len(pairs) for kind, pairs in self._pairs.items()}

    def of(self, kind: Kind, limit: int | None = None) -> Iterator[Change]:
        """Changes of one kind, in the set's order, at most ``limit``."""
        pairs = self._pairs[kind].slice(0, limit)
        sides = [
            IndicatorSet.from_table(table.take(pairs[name])) if name in pairs.column_names else None
            for name, table in (("before", self._before), ("after", self._after))
        ]
        before, after = sides
        if before is None or after is None:
            yield from (Change(kind, one, {}) for one in after or before or ())
            return
        for old, new in zip(before, after, strict=True):
            differing = {
                name: (getattr(old, name), getattr(new, name))
                for name in _FIELDS
                if getattr(old, name) != getattr(new, name)
            }
            yield Change(kind, new, differing)

    def _compared(self, pairs: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Whether each pair is the same, and whether it is but for ``last_seen``."""
        rest: pa.ChunkedArray = pa.chunked_array([pa.repeat(True, len(pairs))])
        for name in _FIELDS:
            left = pc.take(self._before[name], pairs["before"])
            right = pc.take(self._after[name], pairs["after"])
            if name == "last_seen":
                same_seen = same_values(left, right)
            else:
                rest = pc.and_(rest, same_values(left, right))
        return pc.and_(rest, same_seen), rest


def _keys(table: pa.Table) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.string()), *identity_keys(table).chunks])


def _numbers(claims: pa.Array) -> pa.Array:
    return pc.indices_nonzero(claims).cast(pa.int64())
