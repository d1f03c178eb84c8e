"""What is wrong with exclusions, before they do harm: each, each with another, with indicators."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.exclusions.bulk import judge
from foxhunt.exclusions.lint_one import Remark, lint_one
from foxhunt.exclusions.model import CORRELATED, AnyOf, Exclusion, Scope, positive_conditions
from foxhunt.exclusions.relations import implies, may_imply
from foxhunt.indicators import IndicatorSet, IndicatorType, defang, parse_ip_port, url_key
from foxhunt.tables import Fact

_SHOWN = 3


def lint(
    exclusions: Sequence[Exclusion],
    *,
    today: date,
    indicators: IndicatorSet | None = None,
    unused: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Remark, ...]:
    """Look at exclusions one by one and in pairs; in their order, errors and warnings.

    Args:
        exclusions: Which.
        today: The day (UTC) that expiry is judged by.
        indicators: To say which of them a condition covers; None to leave that out.
        unused: Id of an exclusion that covered nothing lately to the hunts in which it did not.
    """
    remarks = [remark for one in exclusions for remark in lint_one(one, today)]
    remarks += [
        Remark("X112", False, one.id, f"covered nothing in {unused[one.id]}; still needed?", one.at)
        for one in exclusions
        if one.id in unused
    ]
    if indicators is not None:
        remarks += _covered(exclusions, indicators)
    places = {one.id: place for place, one in enumerate(exclusions)}
    remarks += _contained([one for one in exclusions if not one.is_expired(today)])
    return tuple(sorted(remarks, key=lambda remark: (places[remark.exclusion], remark.code)))


_OBSERVED = frozenset({Fact.DOMAIN, Fact.URL, Fact.REMOTE_IP, Fact.HASH, Fact.INDICATOR})


def _covered(exclusions: Sequence[Exclusion], indicators: IndicatorSet) -> Iterator[Remark]:
    """X102: a condition about what was met holds for indicators of the set."""
    wanted = {
        one: tuple(found for found in positive_conditions(one.when) if found.fact in _OBSERVED)
        for one in exclusions
    }
    asked = [replace(one, when=AnyOf(parts)) for one, parts in wanted.items() if parts]
    results = judge(asked, _observed(indicators), len(indicators))
    for one, result in zip(asked, results, strict=True):
        met = (indicators[place] for place in pc.indices_nonzero(result).to_pylist())
        found = [indicator for indicator in met if one.scope.has_indicator(indicator)]
        if found:
            shown = ", ".join(f"{defang(i.value)} ({i.malware_printable})" for i in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
            message = f"covers indicators: {shown}{more}; is that what you judged?"
            yield Remark("X102", False, one.id, message, one.at)


def _observed(indicators: IndicatorSet) -> dict[Fact, pa.Array]:
    """What an event would tell that shows just the indicator, for each of them."""
    types = indicators.table["type"].to_pylist()
    values = indicators.table["value"].to_pylist()
    told = [_values(IndicatorType(kind), value) for kind, value in zip(types, values, strict=True)]
    return {fact: pa.array([one.get(fact) for one in told], pa.string()) for fact in _OBSERVED}


def _values(kind: IndicatorType, value: str) -> dict[Fact, str]:
    found = {Fact.INDICATOR: value}
    match kind:
        case IndicatorType.DOMAIN:
            found |= {Fact.DOMAIN: value}
        case IndicatorType.IP_PORT:
            found |= {Fact.REMOTE_IP: str(parse_ip_port(value)[0])}
        case IndicatorType.URL:
            found |= {Fact.DOMAIN: value, Fact.URL: value}
            key = url_key(value)
            if key is not None:
                found |= {Fact.REMOTE_IP: key.host}
        case _ if kind.is_hash:
            found |= {Fact.HASH: value}
    return found


def _contained(exclusions: Sequence[Exclusion]) -> Iterator[Remark]:
    """X110: one exclusion holds wherever another does; of two alike, the later is named."""
    alike: set[tuple[str, str]] = set()
    # Of a thousand exclusions most pairs are seen apart by what they ask for.
    kinds = {one.facts for one in exclusions}
    asked = [
        (one, one.facts, {facts for facts in kinds if may_imply(facts, one.when)})
        for one in exclusions
    ]
    for (one, facts, _), (other, _, fitting) in itertools.permutations(asked, 2):
        if facts not in fitting or (other.id, one.id) in alike or not _is_covered(one, other):
            continue
        inner, outer = one, other
        if _is_covered(other, one):
            alike.add((one.id, other.id))
            inner, outer = other, one
        until = "" if outer.expires >= inner.expires else f" until {outer.expires}"
        message = f"{outer.id} already covers all of it{until}; delete it, or narrow the other"
        yield Remark("X110", False, inner.id, message, inner.at)


def _is_covered(inner: Exclusion, outer: Exclusion) -> bool:
    # The longer a window, the more a witness may tell: more holds, and under `not` less.
    return (
        _is_within(inner.scope, outer.scope)
        and (inner.within == outer.within or not inner.facts & CORRELATED)
        and implies(inner.when, outer.when)
    )


def _is_within(inner: Scope, outer: Scope) -> bool:
    if inner == outer:
        return True
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]] = (
        (inner.families, outer.families),
        (inner.types, outer.types),
        (inner.tables, outer.tables),
    )
    return all("*" in b or {x.casefold() for x in a} <= {x.casefold() for x in b} for a, b in pairs)
