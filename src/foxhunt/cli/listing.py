"""Rows of `foxhunt indicators` and `foxhunt families`, and what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, overload

from foxhunt.cli.selecting import check_families, load
from foxhunt.errors import NoIndicatorsError, UsageError
from foxhunt.indicators import (
    IndicatorSet,
    IndicatorStore,
    IndicatorType,
    defang,
    default_home,
    spelling_key,
)
from foxhunt.indicators.asked import host_of, understood
from foxhunt.indicators.conditions import (
    ActiveSince,
    Between,
    Condition,
    IsValue,
    On,
    OneOf,
    Spelled,
)
from foxhunt.indicators.families import family_counts, named
from foxhunt.indicators.lookup import Found, Reader, SetReader

INDICATORS = (
    "type",
    "value",
    "malware",
    "malware_printable",
    "threat_type",
    "confidence_level",
    "first_seen",
    "last_seen",
    "source",
    "source_id",
    "labels",
    "reporter",
    "tags",
)
FAMILIES = ("malware", "name", "aliases", "indicators", "by_type", "first_seen", "last_activity")
QUARANTINED = ("source_id", "type", "value", "reason")
_BATCH = 10_000

if TYPE_CHECKING:
    from foxhunt.snapshot_files import SnapshotBytes

Row = tuple[object, ...]
# Labels of a set's indicators by position, see `foxhunt.exclusions.label_indicators`.
Labelling = Callable[[IndicatorSet], Mapping[int, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What an indicator has to be to be listed; an empty one asks nothing.

    Attributes:
        value: It is this value, see `IsValue`.
        under: It is on this name, or on one below it, or on this address.
        families: It is of one of these, by name, alias or label.
        types: It is of one of these types.
        tags: It has one of these.
        reporters: It is from one of these.
        sources: It is of one of these feeds.
        min_confidence: Its ``confidence_level`` is at least this.
        seen_since: Its ``first_seen`` is at or after it.
        seen_until: Its ``first_seen`` is before it.
        active_since: It was seen first or last at or after it.
    """

    value: str | None = None
    under: str | None = None
    families: Sequence[str] = ()
    types: Sequence[str] = ()
    tags: Sequence[str] = ()
    reporters: Sequence[str] = ()
    sources: Sequence[str] = ()
    min_confidence: int = 0
    seen_since: datetime | None = None
    seen_until: datetime | None = None
    active_since: datetime | None = None

    def conditions(self, reader: Reader) -> Iterator[Condition]:
        """Each of them as a condition, those that skip the most first.

        Raises:
            UsageError: A type or family that there is not, or a text that is no value.
        """
        if self.value is not None:
            yield IsValue(understood(self.value))
        if self.under is not None:
            yield On(host_of(self.under))
        if self.types:
            yield OneOf("type", _checked_types(self.types))
        if self.families:
            names = named(reader)
            check_families(names, self.families)
            chosen = names.where(families=self.families).families()
            yield OneOf("malware", frozenset(family.malware for family in chosen))
        for column, words in (
            ("tags", self.tags),
            ("reporter", self.reporters),
            ("source", self.sources),
        ):
            if words:
                yield Spelled(column, frozenset(words))
        if self.min_confidence:
            yield Between("confidence_level", self.min_confidence)
        if self.seen_since is not None or self.seen_until is not None:
            yield Between("first_seen", self.seen_since, self.seen_until)
        if self.active_since is not None:
            yield ActiveSince(self.active_since)


def opened(files: Sequence[str] | None, begun: SnapshotBytes | None = None) -> Reader:
    """Look into ``files``, or into the store if none are named.

    Args:
        files: Of feeds.
        begun: See `IndicatorStore.reader`.

    Raises:
        HuntError: As of `load`.
    """
    return SetReader(load(files)) if files else IndicatorStore(default_home()).reader(begun)


def find(reader: Reader, filters: Filters) -> Found:
    """The indicators that fit.

    Raises:
        UsageError: As of `Filters.conditions`.
        NoIndicatorsError: None does.
        StoreError: The store is damaged.
    """
    found = reader.find(filters.conditions(reader))
    if not found.count:
        hint = None
        if filters.value is not None and reader.refused(filters.value):
            hint = "it is in quarantine: `foxhunt show` tells why"
        raise NoIndicatorsError(
            f"none of {len(reader):,} indicators is what was asked for", hint=hint
        )
    return found


def _checked_types(names: Sequence[str]) -> frozenset[str]:
    known = [str(type_) for type_ in IndicatorType]
    for name in names:
        if name not in known:
            raise UsageError(f"no indicator type {name!r}", hint=f"one of: {', '.join(known)}")
    return frozenset(names)


class IndicatorRows(Sequence[Row]):
    """One row an indicator, made when it is asked for: a table shows the first of a million."""

    def __init__(
        self, found: Found, limit: int | None, labels_of: Labelling, *, is_table: bool
    ) -> None:
        self._found = found
        self._limit = limit
        self._labels_of = labels_of
        self._is_table = is_table
        self._slices: dict[tuple[int, int], list[Row]] = {}

    def __len__(self) -> int:
        return self._found.count if self._limit is None else min(self._limit, self._found.count)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, int):
            return self[at : at + 1][0]
        start, stop, step = at.indices(len(self))
        # A table asks for its rows anew for each column.
        if (start, stop) not in self._slices:
            rows = self._rows(self._found.indicators(range(start, stop)))
            self._slices[start, stop] = rows
        return self._slices[start, stop][::step]

    def __iter__(self) -> Iterator[Row]:
        table = self._found.first(self._limit).table
        for start in range(0, len(self), _BATCH):
            yield from self._rows(IndicatorSet.from_table(table.slice(start, _BATCH)))

    def _rows(self, indicators: IndicatorSet) -> list[Row]:
        labels = self._labels_of(indicators)
        return [
            (
                str(one.type),
                defang(one.value) if self._is_table else one.value,
                one.malware,
                one.malware_printable,
                one.threat_type,
                one.confidence_level,
                one.first_seen,
                one.last_seen,
                one.source,
                one.source_id,
                "; ".join(labels.get(position, ())) or None,
                one.reporter,
                ", ".join(one.tags) if self._is_table else one.tags,
            )
            for position, one in enumerate(indicators)
        ]


def quarantined_rows(
    indicators: IndicatorSet, limit: int | None, *, is_defanged: bool
) -> list[Row]:
    """One row a refused record, at most ``limit``."""
    return [
        (one.source_id, one.type, defang(one.value) if is_defanged else one.value, one.reason)
        for one in indicators.quarantined[:limit]
    ]


def family_rows(reader: Reader, name: str | None, *, is_table: bool) -> list[Row]:
    """One row a family, by name; only those that ``name`` is a part of a name of, if given.

    Raises:
        NoIndicatorsError: There is none.
        StoreError: The store is damaged.
    """
    rows: list[Row] = []
    counts = family_counts(reader)
    for counted in counts:
        family = counted.family
        spellings = (family.malware, family.name, *family.aliases)
        if name is None or any(_is_part(name, text) for text in spellings):
            by_type = dict(counted.by_type)
            shown = ", ".join(f"{type_} {count:,}" for type_, count in by_type.items())
            rows.append(
                (
                    family.malware,
                    family.name,
                    ", ".join(family.aliases) if is_table else family.aliases,
                    family.count,
                    shown if is_table else by_type,
                    family.first_seen,
                    family.last_activity,
                )
            )
    if name is not None and not rows:
        raise NoIndicatorsError(f"none of {len(counts):,} families is called like {name[:80]!r}")
    return rows


def _is_part(name: str, text: str) -> bool:
    """Whether ``name`` is a part of ``text`` in some spelling of both."""
    key = spelling_key(name)
    return key in spelling_key(text) if key else name.strip() in text
