"""What is asked of indicators, as filters over Arrow columns that can also skip row groups.

A condition is about columns of `foxhunt.indicators.collection.SCHEMA`. It holds for a row or does
not; null never holds. `may_hold` sees only the least and greatest value of a column in a group of
rows, and says no only where no row of the group can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.addresses import canonical_address
from foxhunt.indicators.asked import Asked
from foxhunt.indicators.domains import parents
from foxhunt.indicators.model import IndicatorType

# With their types: where Arrow has to find out the type of a Python value, it looks for a package
# each time that need not be there.
_FALSE = pa.scalar(False, pa.bool_())
# Least and greatest value of a column in a group of rows; None when nobody wrote them down.
# Any: text, numbers and times, as the column has them.
Bounds = Callable[[str], tuple[Any, Any] | None]


class Condition(Protocol):
    """What every condition provides."""

    @property
    def columns(self) -> frozenset[str]:
        """The columns that `mask` reads."""
        ...

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """For which rows it holds; booleans without null."""
        ...

    def may_hold(self, bounds: Bounds) -> bool:
        """Whether it can hold for any row of a group."""
        ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column's text is one of ``values``, exactly."""

    column: str
    values: frozenset[str]

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        return frozenset({self.column})

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        return _is_in(table[self.column], self.values)

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`."""
        return _may_be(bounds(self.column), self.values)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A column's text, or a text of its list, is one of ``words`` in any case."""

    column: str
    words: frozenset[str]

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        return frozenset({self.column})

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        words = frozenset(word.strip().lower() for word in self.words)
        column = table[self.column]
        if not pa.types.is_list(column.type):
            return _is_in(pc.utf8_lower(column.cast(pa.string())), words)
        return _has_one(pa.concat_arrays([pa.array([], column.type), *column.chunks]), words)

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`; bounds say nothing of other spellings."""
        return True


@dataclass(frozen=True, slots=True)
class Between:
    """A column's number or time is at least ``low`` and below ``high``; None leaves it open."""

    column: str
    low: int | datetime | None = None
    high: int | datetime | None = None

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        return frozenset({self.column})

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        column = table[self.column]
        held = pc.is_valid(column)
        if self.low is not None:
            held = pc.and_(held, pc.greater_equal(column, pa.scalar(self.low, column.type)))
        if self.high is not None:
            held = pc.and_(held, pc.less(column, pa.scalar(self.high, column.type)))
        return pc.fill_null(held, _FALSE)

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`."""
        found = bounds(self.column)
        if found is None:
            return True
        least, greatest = found
        return not (
            (self.low is not None and greatest < self.low)
            or (self.high is not None and least >= self.high)
        )


@dataclass(frozen=True, slots=True)
class ActiveSince:
    """The later of ``first_seen`` and ``last_seen`` is at or after ``time``."""

    time: datetime

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        return frozenset({"first_seen", "last_seen"})

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        first, last = (Between(name, self.time).mask(table) for name in sorted(self.columns))
        return pc.or_(first, last)

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`."""
        return any(Between(name, self.time).may_hold(bounds) for name in self.columns)


@dataclass(frozen=True, slots=True)
class IsValue:
    """The indicator is the value that is asked for.

    A URL is compared by its key (R4), so its scheme does not count. An address without a port
    is every ``ip:port`` with it, and otherwise each type compares its own canonical text.
    """

    asked: Asked

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        names = {"type", "value"}
        if self.asked.url is not None:
            names |= {"lookup", "port", "path"}
        if self.asked.is_address:
            names |= {"lookup"}
        return frozenset(names)

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        held = _nowhere(table)
        for type_, value in self.asked.values:
            held = pc.or_(held, _all(_is(table, "type", type_), _is(table, "value", value)))
        url = self.asked.url
        if url is not None:
            parts = {"type": IndicatorType.URL, "lookup": url.host, "port": url.port}
            same = _all(*(_is(table, name, text) for name, text in parts.items()))
            held = pc.or_(held, _all(same, _is(table, "path", url.path or "")))
        if self.asked.is_address and self.asked.host is not None:
            on_it = _is(table, "lookup", self.asked.host)
            held = pc.or_(held, _all(_is(table, "type", IndicatorType.IP_PORT), on_it))
        return held

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`."""
        types, values, lookups = bounds("type"), bounds("value"), bounds("lookup")
        if any(_may_be(types, {t}) and _may_be(values, {v}) for t, v in self.asked.values):
            return True
        if self.asked.host is None or not _may_be(lookups, {self.asked.host}):
            return False
        is_url = self.asked.url is not None and _may_be(types, {IndicatorType.URL})
        return is_url or (self.asked.is_address and _may_be(types, {IndicatorType.IP_PORT}))


@dataclass(frozen=True, slots=True)
class On:
    """The indicator is on a host: the name, what lies under it, and URLs there; or the address.

    Attributes:
        host: Canonical name or address.
        has_parents: Whether the names above count too, which cover the host (R1); those that
            match exactly only (a shared service, a public suffix) never do.
    """

    host: str
    has_parents: bool = False

    @property
    def _parents(self) -> frozenset[str]:
        is_name = canonical_address(self.host) is None
        return frozenset(parents(self.host)[1:] if is_name and self.has_parents else ())

    @property
    def _types(self) -> frozenset[str]:
        is_name = canonical_address(self.host) is None
        direct = IndicatorType.DOMAIN if is_name else IndicatorType.IP_PORT
        return frozenset({direct, IndicatorType.URL})

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        names = {"type", "lookup"}
        return frozenset(names | {"is_shared"} if self.has_parents else names)

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        lookup = table["lookup"]
        held = _is(table, "lookup", self.host)
        if canonical_address(self.host) is None:
            below = pc.fill_null(pc.ends_with(lookup, f".{self.host}"), _FALSE)
            held = pc.or_(held, below)
        held = _all(held, _is_in(table["type"], self._types))
        if self._parents:
            covers = _all(_is_in(lookup, self._parents), pc.invert(table["is_shared"]))
            above = _all(covers, _is(table, "type", IndicatorType.DOMAIN))
            held = pc.or_(held, above)
        return held

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`."""
        if not _may_be(bounds("type"), self._types):
            return False
        # What ends alike begins in any way: nothing can be skipped.
        return canonical_address(self.host) is None or _may_be(bounds("lookup"), {self.host})


@dataclass(frozen=True, slots=True)
class Not:
    """Another condition does not hold."""

    condition: Condition

    @property
    def columns(self) -> frozenset[str]:
        """See `Condition`."""
        return self.condition.columns

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """See `Condition`."""
        return pc.invert(self.condition.mask(table))

    def may_hold(self, bounds: Bounds) -> bool:
        """See `Condition`; that something may hold does not say that it always does."""
        return True


def _is(table: pa.Table, column: str, text: str) -> pa.ChunkedArray:
    return _decided(
        table[column], lambda values: pc.equal(values, pa.scalar(str(text), pa.string()))
    )


def _is_in(column: pa.ChunkedArray, values: frozenset[str]) -> pa.ChunkedArray:
    # A command line can hold bytes that are no text (lone surrogates here); no column does.
    texts = sorted(
        text for text in map(str, values) if text.encode("utf-8", "replace").decode() == text
    )
    wanted = pa.array(texts, pa.string())
    return _decided(column, lambda values: pc.is_in(values, value_set=wanted))


def _decided(
    column: pa.ChunkedArray | pa.Array, claim: Callable[[pa.Array], pa.Array]
) -> pa.ChunkedArray:
    """What ``claim`` says of each value, asked once a value where there is a dictionary."""
    if not pa.types.is_dictionary(column.type):
        return pc.fill_null(claim(column), _FALSE)
    decided = [
        pc.fill_null(pc.take(claim(chunk.dictionary), chunk.indices), _FALSE)
        for chunk in column.chunks
    ]
    return pa.chunked_array(decided, pa.bool_())


def _has_one(lists: pa.ListArray, words: frozenset[str]) -> pa.ChunkedArray:
    """Which lists hold one of ``words``, which are in lower case."""
    # The few distinct texts are lowered, not the millions of them.
    encoded = lists.values.dictionary_encode()
    wanted = _is_in(pc.utf8_lower(encoded.dictionary), words)
    held = pc.fill_null(pc.take(wanted, encoded.indices), _FALSE)
    # How many of the texts before a list's beginning and before its end are wanted.
    counts = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(held.cast(pa.int64()))])
    before = pc.take(counts, lists.offsets)
    differs = pc.not_equal(before.slice(0, len(lists)), before.slice(1))
    return pa.chunked_array([pc.and_(differs, pc.is_valid(lists))])


def _all(*claims: pa.ChunkedArray) -> pa.ChunkedArray:
    held = claims[0]
    for claim in claims[1:]:
        held = pc.and_(held, claim)
    return held


def _nowhere(table: pa.Table) -> pa.ChunkedArray:
    return pa.chunked_array([pa.repeat(_FALSE, table.num_rows)])


def _may_be(
    bounds: tuple[Any, Any] | None,  # Any: as in `Bounds`
    values: frozenset[str] | set[str] | set[IndicatorType],
) -> bool:
    return bounds is None or any(bounds[0] <= str(value) <= bounds[1] for value in values)
