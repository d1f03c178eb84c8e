"""Rows of `foxhunt indicators` and `foxhunt families`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foxhunt.errors import NoIndicatorsError, ParseError, UsageError
from foxhunt.indicators import IndicatorSet, IndicatorType, defang, parse

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
)
FAMILIES = ("malware", "name", "aliases", "indicators", "first_seen", "last_activity")
QUARANTINED = ("source_id", "type", "value", "reason")

Row = tuple[object, ...]


def narrowed(
    indicators: IndicatorSet, value: str | None, type_names: Sequence[str] | None
) -> IndicatorSet:
    """Keep the indicators of one value, of some types.

    Raises:
        UsageError: A type that does not exist.
        NoIndicatorsError: None is left.
    """
    known = {str(type_): type_ for type_ in IndicatorType}
    for name in type_names or ():
        if name not in known:
            raise UsageError(f"no indicator type {name!r}", hint=f"one of: {', '.join(known)}")
    chosen = indicators.where(types=[known[name] for name in type_names or ()])
    if value is not None:
        spellings = set(_spellings(value))
        chosen = IndicatorSet.of(one for one in chosen if (one.type, one.value) in spellings)
    if not len(chosen):
        raise NoIndicatorsError(f"none of {len(indicators):,} indicators is what was asked for")
    return chosen


def _spellings(value: str) -> list[tuple[IndicatorType, str]]:
    """The canonical value under each type that ``value`` can be of."""
    found = []
    for type_ in IndicatorType:
        try:
            found.append((type_, parse(value, type_)))
        except ParseError:
            continue
    return found


def indicator_rows(
    indicators: IndicatorSet, labels: Mapping[int, tuple[str, ...]], *, is_defanged: bool
) -> list[Row]:
    """One row an indicator, in the set's order; ``labels`` by position."""
    return [
        (
            str(one.type),
            defang(one.value) if is_defanged else one.value,
            one.malware,
            one.malware_printable,
            one.threat_type,
            one.confidence_level,
            one.first_seen,
            one.last_seen,
            one.source,
            one.source_id,
            "; ".join(labels.get(position, ())) or None,
        )
        for position, one in enumerate(indicators)
    ]


def quarantined_rows(indicators: IndicatorSet, *, is_defanged: bool) -> list[Row]:
    """One row a refused record."""
    return [
        (one.source_id, one.type, defang(one.value) if is_defanged else one.value, one.reason)
        for one in indicators.quarantined
    ]


def family_rows(indicators: IndicatorSet) -> list[Row]:
    """One row a family, by name."""
    return [
        (f.malware, f.name, ", ".join(f.aliases), f.count, f.first_seen, f.last_activity)
        for f in indicators.families()
    ]
