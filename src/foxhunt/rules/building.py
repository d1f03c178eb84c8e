"""From indicators to rules: one a family, or one over all that is hunted at once."""

from __future__ import annotations

from collections.abc import Iterator

from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rules.matching import TYPES_MET
from foxhunt.rules.model import AnyOf, MatchMode, Observes, Rule, Search
from foxhunt.tables import catalog

# What the pages look up, and nothing else (DESIGN 5): table, columns, types.
_HASHES = (IndicatorType.SHA256, IndicatorType.SHA1, IndicatorType.MD5)
_TERM_SEARCHES: tuple[tuple[str, tuple[str, ...], tuple[IndicatorType, ...]], ...] = (
    ("CommonSecurityLog", ("DestinationIP", "SourceIP"), (IndicatorType.IP_PORT,)),
    ("DeviceNetworkEvents", ("RemoteIP",), (IndicatorType.IP_PORT,)),
    ("DnsEvents", ("Name",), (IndicatorType.DOMAIN,)),
    ("UrlClickEvents", ("Url",), (IndicatorType.URL,)),
    ("DeviceFileEvents", ("SHA256", "SHA1", "MD5"), _HASHES),
)


def build_rule(
    name: str, malware: str, indicators: IndicatorSet, mode: MatchMode = MatchMode.EXACT
) -> Rule:
    """Build the rule that looks for ``indicators`` in every table that can show them."""
    present = {IndicatorType(text) for text in indicators.by_type()}
    searches = _term_searches(present) if mode is MatchMode.TERM else _exact_searches(present)
    return Rule(
        name=name, malware=malware, mode=mode, indicators=indicators, searches=tuple(searches)
    )


def build_rules(indicators: IndicatorSet, mode: MatchMode = MatchMode.EXACT) -> Iterator[Rule]:
    """Build one rule for each family of ``indicators``, ordered by family name."""
    for family in indicators.families():
        members = indicators.where(families=[family.malware])
        yield build_rule(family.name, family.malware, members, mode)


def _exact_searches(present: set[IndicatorType]) -> Iterator[Search]:
    for table in catalog().values():
        parts = tuple(
            Observes(observable, types, MatchMode.EXACT)
            for observable in table.observables
            if (types := _in_order(TYPES_MET[observable.shows] & present))
        )
        if parts:
            yield Search(table.name, AnyOf(parts))


def _term_searches(present: set[IndicatorType]) -> Iterator[Search]:
    for name, columns, wanted in _TERM_SEARCHES:
        types = _in_order(present & set(wanted))
        if not types:
            continue
        observables = {one.column: one for one in catalog()[name].observables}
        yield Search(
            name,
            AnyOf(
                tuple(Observes(observables[column], types, MatchMode.TERM) for column in columns)
            ),
        )


def _in_order(types: set[IndicatorType] | frozenset[IndicatorType]) -> tuple[IndicatorType, ...]:
    return tuple(type_ for type_ in IndicatorType if type_ in types)
