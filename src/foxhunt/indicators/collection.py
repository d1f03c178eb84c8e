"""A set of indicators as one Arrow table: what snapshots hold, rules filter and engines join."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.family import Family, distinct_families, families_named
from foxhunt.indicators.joining import lookup_of
from foxhunt.indicators.merging import Difference, difference, latest, merged
from foxhunt.indicators.model import Indicator, IndicatorType, Quarantined, Retraction
from foxhunt.indicators.retracting import (
    are_older,
    are_retracted,
    not_in,
    once_more,
    stated,
    taken_back,
)

_TIME = pa.timestamp("us", tz="UTC")

# The fields of `Indicator`, then the columns an engine joins with, computed once here so that a
# million indicators are never walked in Python to start a hunt.
SCHEMA = pa.schema(
    [
        ("type", pa.string()),
        ("value", pa.string()),
        ("source", pa.string()),
        ("source_id", pa.string()),
        ("threat_type", pa.string()),
        ("malware", pa.string()),
        ("malware_printable", pa.string()),
        ("malware_alias", pa.list_(pa.string())),
        ("confidence_level", pa.int64()),
        ("first_seen", _TIME),
        ("last_seen", _TIME),
        ("reference", pa.string()),
        ("reporter", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("is_compromised", pa.bool_()),
        # See `foxhunt.indicators.joining.Lookup`.
        ("lookup", pa.string()),
        ("port", pa.string()),
        ("path", pa.string()),
        ("is_shared", pa.bool_()),
    ]
)
_OF_FEW_VALUES = frozenset(
    ("type", "source", "threat_type", "malware", "malware_printable", "reporter")
)
_ORDER = ("type", "value", "source", "source_id")
_NUL = "\0"
_THREADS = 2
_FIELDS = tuple(Indicator.__dataclass_fields__)
_TYPES = {str(type_): type_ for type_ in IndicatorType}
# A full dump is read in batches: as Python rows it would take some ten times the memory.
_BATCH = 50_000
_MOST_KEPT = 20_000


class StoredRows(Protocol):
    """The rows of a set that are kept elsewhere; a hunt looks at few of their columns."""

    @property
    def num_rows(self) -> int:
        """How many."""
        ...

    def select(self, names: list[str]) -> pa.Table:
        """Some columns of all rows, in one chunk."""
        ...

    def take(self, positions: pa.Array) -> pa.Table:
        """Whole rows at positions, in that order."""
        ...

    def whole(self) -> pa.Table:
        """All of them, as `IndicatorSet.table`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class IndicatorSet:
    """Indicators in a fixed order, and the records that were quarantined on the way.

    Attributes:
        rows: One an indicator, columns of `SCHEMA`, or what reads them when they are asked for;
            ordered by ``(type, value, source, source_id)`` so that equal sets are equal bytes.
        quarantined: Records that are no indicators; shown by every report.
        retracted: What is to leave an older set when this one is merged into it. No snapshot
            holds them: there the indicator itself is quarantined.
        told: When the publisher last changed what he says of an indicator, columns ``source``,
            ``source_id`` and ``told``; None where he does not say. No snapshot holds it.
    """

    rows: pa.Table | StoredRows
    quarantined: tuple[Quarantined, ...] = ()
    retracted: tuple[Retraction, ...] = ()
    told: pa.Table | None = field(default=None, compare=False, repr=False)
    # A family's set is read dozens of times when its rule is written in every format.
    # No argument, or `replace` would hand the new set what was read of the old rows.
    _made: list[Indicator] = field(default_factory=list, init=False, compare=False, repr=False)

    @classmethod
    def of(
        cls, indicators: Iterable[Indicator], quarantined: Iterable[Quarantined] = ()
    ) -> IndicatorSet:
        """Build a set; of two indicators with one identity the one last active stays.

        Of two equally late ones that is the later one. Quarantined records all stay.
        """
        source = iter(indicators)
        tables: list[pa.Table] = []
        while batch := list(islice(source, _BATCH)):
            tables.append(table_of(batch))
        return cls.of_tables(tables, quarantined)

    @classmethod
    def of_tables(
        cls,
        tables: Iterable[pa.Table],
        quarantined: Iterable[Quarantined] = (),
        retracted: Iterable[Retraction] = (),
        told: pa.Table | None = None,
    ) -> IndicatorSet:
        """The same of tables as `table_of` makes them, one after the other."""
        table = pa.concat_tables([SCHEMA.empty_table(), *tables])
        return cls(_ordered(latest(table)), tuple(quarantined), tuple(retracted), told)

    @classmethod
    def union(cls, sets: Iterable[IndicatorSet]) -> IndicatorSet:
        """Merge sets, each over those before it; see `merged`."""
        table = SCHEMA.empty_table()
        quarantined: tuple[Quarantined, ...] = ()
        retracted: dict[tuple[str, str], Retraction] = {}
        told: list[pa.Table] = []
        is_ordered = True
        for given in sets:
            member = given._without(stated(quarantined, retracted.values()))
            before, table = table, merged(table, member.table)
            # Where one of them has all of the other, it is what it was.
            is_ordered = table is member.table or (table is before and is_ordered)
            quarantined = _merged_quarantine(quarantined, member)
            if retracted:  # a feed may tell of it once more
                retracted = not_in(member.table, retracted)
            if member.retracted:
                retracted |= {(one.source, one.source_id): one for one in member.retracted}
                is_gone = are_retracted(table, retracted)
                gone = taken_back(table.filter(is_gone), retracted)
                quarantined = _distinct((*once_more(quarantined, retracted), *gone))
                table = table.filter(pc.invert(is_gone))
            told += [] if member.told is None else [member.told]
        ordered = table if is_ordered else _ordered(table)
        all_told = pa.concat_tables(told) if told else None
        return cls(ordered, quarantined, tuple(retracted.values()), all_told)

    @classmethod
    def from_table(cls, table: pa.Table, quarantined: Iterable[Quarantined] = ()) -> IndicatorSet:
        """Wrap a table of `SCHEMA`, as read from a snapshot."""
        return cls(table.select(SCHEMA.names).cast(SCHEMA), tuple(quarantined))

    @property
    def table(self) -> pa.Table:
        """The rows as a table, read whole."""
        return self.rows if isinstance(self.rows, pa.Table) else self.rows.whole()

    def select(self, *names: str) -> pa.Table:
        """Some columns of `SCHEMA`, for all indicators; no other is read."""
        return self.rows.select(list(names))

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IndicatorSet):
            return NotImplemented
        told = (self.quarantined, self.retracted)
        return told == (other.quarantined, other.retracted) and self.table.equals(other.table)

    __hash__ = None  # type: ignore[assignment]  # tables have none

    def __iter__(self) -> Iterator[Indicator]:
        if len(self) > _MOST_KEPT:
            return self._stream()
        if not self._made:
            self._made.extend(self._stream())
        return iter(self._made)

    def _stream(self) -> Iterator[Indicator]:
        for batch in self.table.to_batches(max_chunksize=10_000):
            yield from _indicators(batch)

    def __getitem__(self, position: int) -> Indicator:
        return self.take((position,))[position]

    def take(self, positions: Iterable[int]) -> dict[int, Indicator]:
        """Indicators at ``positions``, by position; reads only those rows."""
        wanted = sorted(set(positions))
        rows = self.rows.take(pa.array(wanted, pa.int64()))
        return dict(zip(wanted, _indicators(rows), strict=True))

    def subset(self, positions: Iterable[int]) -> IndicatorSet:
        """The set of the indicators at ``positions``, in that order; nothing is quarantined."""
        return IndicatorSet(self.rows.take(pa.array(positions, pa.int64())))

    def merged(self, newer: IndicatorSet) -> IndicatorSet:
        """This set with ``newer`` over it: of one identity the record last active stays.

        ``first_seen`` and ``last_seen`` come from the feed alone, so an indicator
        that is fetched again is not new and does not age by our clock. What ``newer``
        does not have stays: ThreatFox drops indicators after six months, we do not.
        A record that was quarantined and is now an indicator leaves the quarantine; what
        ``newer`` takes back goes there. It stays there if the publisher's own times say that
        what ``newer`` has of it is older than its retraction.
        """
        return IndicatorSet.union((self, newer))

    def taken_back(self, newer: IndicatorSet) -> tuple[str, ...]:
        """Values of the indicators that `merged` with ``newer`` takes back."""
        if not newer.retracted:
            return ()
        named = {(one.source, one.source_id): one for one in newer.retracted}
        values: list[str] = self.table.filter(are_retracted(self.table, named))["value"].to_pylist()
        return tuple(values)

    def standing(self, newer: IndicatorSet) -> IndicatorSet:
        """``newer`` without the records that are older than this set's retraction of them."""
        return newer._without(stated(self.quarantined, ()))

    def _without(self, retracted_at: Mapping[tuple[str, str], datetime]) -> IndicatorSet:
        is_older = None if self.told is None else are_older(self.table, self.told, retracted_at)
        if is_older is None:
            return self
        return replace(self, rows=self.table.filter(pc.invert(is_older)))

    def difference(self, newer: IndicatorSet) -> Difference:
        """What `merged` with ``newer`` changes."""
        return difference(self.table, newer.table, _FIELDS)

    def where(
        self,
        *,
        families: Iterable[str] = (),
        types: Iterable[IndicatorType] = (),
        seen_since: datetime | None = None,
        seen_until: datetime | None = None,
        min_confidence: int = 0,
    ) -> IndicatorSet:
        """The indicators that fit every given condition; quarantined records stay all.

        Args:
            families: Names as `families_named` takes them; none means every family.
            types: None means every type.
            seen_since: ``first_seen`` at or after it.
            seen_until: ``first_seen`` before it.
            min_confidence: ``confidence_level`` at least this.
        """
        names, kinds = tuple(families), [str(t) for t in types]
        if not (names or kinds or seen_since or seen_until or min_confidence):
            return IndicatorSet(self.rows, self.quarantined)
        table = self.table
        if names:
            table = table.filter(pc.is_in(table["malware"], self._labels(names)))
        if kinds:
            table = table.filter(pc.is_in(table["type"], pa.array(kinds)))
        if seen_since is not None:
            table = table.filter(
                pc.greater_equal(table["first_seen"], pa.scalar(seen_since, _TIME))
            )
        if seen_until is not None:
            table = table.filter(pc.less(table["first_seen"], pa.scalar(seen_until, _TIME)))
        if min_confidence:
            table = table.filter(pc.greater_equal(table["confidence_level"], min_confidence))
        return IndicatorSet(table.combine_chunks(), self.quarantined)

    def _labels(self, names: tuple[str, ...]) -> pa.Array:
        """Malpedia labels of the families that one of ``names`` names."""
        families = self.families()
        found = [one.malware for name in names for one in families_named(families, name)]
        return pa.array(found, pa.string())

    def families(self) -> tuple[Family, ...]:
        """The malware families of the set, by name."""
        names = ("malware", "malware_printable", "malware_alias", "first_seen", "last_seen")
        found = distinct_families(self.select(*names))
        return tuple(sorted(found, key=lambda f: (f.name.casefold(), f.malware)))

    def by_type(self) -> dict[str, int]:
        """How many indicators of each type, in the order of `IndicatorType`."""
        counted = pc.value_counts(self.select("type")["type"]).to_pylist()
        counts = {row["values"]: row["counts"] for row in counted}
        return {str(t): counts[t] for t in IndicatorType if t in counts}


def table_of(indicators: Iterable[Indicator]) -> pa.Table:
    """Rows of `SCHEMA`, one an indicator, in the order given."""
    return pa.Table.from_pylist([_row(i) for i in indicators], schema=SCHEMA)


def _row(indicator: Indicator) -> dict[str, Any]:
    row = {name: getattr(indicator, name) for name in _FIELDS}
    row["type"] = str(indicator.type)
    return row | asdict(lookup_of(indicator.type, indicator.value))


def _indicators(rows: pa.Table | pa.RecordBatch) -> Iterator[Indicator]:
    """One a row; read column by column, since a dict of each row takes as long again."""
    read = {name: rows[name].to_pylist() for name in _FIELDS}
    read["type"] = [_TYPES[name] for name in read["type"]]
    for name in ("malware_alias", "tags"):
        read[name] = [tuple(texts or ()) for texts in read[name]]
    for cells in zip(*read.values(), strict=True):
        yield Indicator(**dict(zip(_FIELDS, cells, strict=True)))


def _merged_quarantine(
    quarantined: tuple[Quarantined, ...], newer: IndicatorSet
) -> tuple[Quarantined, ...]:
    ids = pa.array([record.source_id for record in quarantined], pa.string())
    identities = newer.table.select(["source", "source_id"])
    found = identities.filter(pc.is_in(identities["source_id"], value_set=ids)).to_pylist()
    corrected = {(row["source"], row["source_id"]) for row in found}
    kept = (q for q in quarantined if (q.source, q.source_id) not in corrected)
    return _distinct((*kept, *newer.quarantined))


def _distinct(records: Iterable[Quarantined]) -> tuple[Quarantined, ...]:
    """Read again, a record is the same record, whatever words refuse it now."""
    return tuple({(q.source, q.source_id, q.value): q for q in records}.values())


def _ordered(table: pa.Table) -> pa.Table:
    if table.num_rows < 2:
        return table.combine_chunks()
    columns = [table[name] for name in _ORDER]
    # One text sorts in half the time of four. NUL comes before every character, so texts that
    # hold none are in the order of their parts.
    if any(pc.any(pc.match_substring(column, _NUL)).as_py() for column in columns):
        return table.sort_by([(name, "ascending") for name in _ORDER]).combine_chunks()
    keys = pc.binary_join_element_wise(*columns, pa.scalar(_NUL, pa.string()))
    if pc.all(pc.less_equal(keys[:-1], keys[1:])).as_py():
        return table.combine_chunks()
    return _taken(table, _sorted(table["type"].combine_chunks(), keys.combine_chunks()))


def _sorted(types: pa.Array | pa.ChunkedArray, keys: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The numbers of the rows in the order of ``keys``, which begin with the type."""
    if isinstance(types, pa.ChunkedArray) or isinstance(keys, pa.ChunkedArray):
        return pc.sort_indices(keys)  # of 2 GiB of text
    coded = types.dictionary_encode()
    names = coded.dictionary.to_pylist()

    def of_type(name: str) -> pa.Array:
        code = pa.scalar(names.index(name), coded.indices.type)
        rows = pc.indices_nonzero(pc.equal(coded.indices, code))
        return rows.take(pc.array_sort_indices(keys.take(rows)))

    # Side by side: Arrow sorts with one thread.
    with ThreadPoolExecutor(_THREADS) as pool:
        return pa.concat_arrays(list(pool.map(of_type, sorted(names))))


def _taken(table: pa.Table, rows: pa.Array) -> pa.Table:
    """Rows of a table, its columns two at a time: Arrow takes them one after the other."""

    def taken(name: str) -> pa.Array | pa.ChunkedArray:
        # Many chunks cost more to take from than to put together; one column after the other,
        # or there would be the whole table once more. Of 2 GiB of text several are left.
        column = table.select([name]).combine_chunks()[name]
        if name not in _OF_FEW_VALUES or column.num_chunks != 1:
            return column.take(rows)
        # Numbers are moved about faster than texts, and the texts are put in their order then.
        coded = column.chunk(0).dictionary_encode()
        return coded.dictionary.take(coded.indices.take(rows))

    with ThreadPoolExecutor(_THREADS) as pool:
        columns = list(pool.map(taken, table.column_names))
    return pa.table(columns, schema=table.schema)
