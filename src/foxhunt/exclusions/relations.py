"""How conditions relate: which holds wherever another does, which cannot hold together.

Read off their structure, never by trying values; what cannot be seen is answered in the
way that leads to no remark.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

from foxhunt.exclusions.model import AllOf, AnyOf, Condition, NotOf, Predicate, conditions
from foxhunt.exclusions.patterns import (
    MINUTES_A_WEEK,
    ContainsPattern,
    DomainPattern,
    GlobPattern,
    HashPattern,
    HoursPattern,
    IndicatorPattern,
    Network,
    NetworkPattern,
    Pattern,
    PortPattern,
    UrlPattern,
    comparable,
)
from foxhunt.tables import Fact

# Facts that an event tells at most one value of; of the others most tell one, but a DNS answer
# has several addresses, a file several hashes, a proxy's row two names.
SINGLE = frozenset(
    {Fact.HOST, Fact.SOURCE_IP, Fact.REMOTE_PORT, Fact.INDICATOR, Fact.HOURS, Fact.URL}
)
_MOST_VARIABLES = 12


def implies(a: Predicate, b: Predicate) -> bool:
    """Whether ``b`` surely holds where ``a`` does; False when that cannot be seen.

    >>> from foxhunt.exclusions.parsing import parse_pattern
    >>> one = Condition(Fact.HOST, parse_pattern(Fact.HOST, "lab-1"))
    >>> many = Condition(Fact.HOST, parse_pattern(Fact.HOST, "lab-*"))
    >>> implies(one, many), implies(many, one), implies(NotOf(many), NotOf(one))
    (True, False, True)
    """
    if isinstance(b, AllOf):
        return all(implies(a, part) for part in b.parts)
    if isinstance(a, AnyOf):
        return all(implies(part, b) for part in a.parts)
    if isinstance(b, AnyOf) and any(implies(a, part) for part in b.parts):
        return True
    if isinstance(a, AllOf):
        return any(implies(part, b) for part in a.parts)
    if isinstance(a, NotOf) and isinstance(b, NotOf):
        return implies(b.part, a.part)
    if isinstance(a, Condition) and isinstance(b, Condition) and a.fact is b.fact:
        return all(any(is_part(p, q) for q in b.patterns) for p in a.patterns)
    return False


def may_imply(facts: frozenset[Fact], predicate: Predicate) -> bool:
    """Whether something that is about ``facts`` can be seen to imply ``predicate`` at all.

    >>> from foxhunt.exclusions.parsing import parse_pattern
    >>> port = Condition(Fact.REMOTE_PORT, parse_pattern(Fact.REMOTE_PORT, "443"))
    >>> may_imply(frozenset({Fact.HOST}), port), may_imply(frozenset({Fact.HOST}), NotOf(port))
    (False, True)
    """
    match predicate:
        case Condition(fact, _):
            return fact in facts
        case NotOf():
            return True
        case AllOf(parts):
            return all(may_imply(facts, part) for part in parts)
        case AnyOf(parts):
            return any(may_imply(facts, part) for part in parts)


def is_part(p: Pattern, q: Pattern) -> bool:
    """Whether every value of pattern ``p`` is one of ``q``; False when that cannot be seen."""
    if p == q:
        return True
    match p, q:
        case NetworkPattern(inner), NetworkPattern(outer):
            return _is_subnet(inner, outer)
        case DomainPattern(name, _), DomainPattern(_, False):
            return q.matches(name)
        case UrlPattern(key), UrlPattern():
            return q.matches(key)
        case GlobPattern(inner), GlobPattern(outer):
            # As a text, p matches where q's * takes up p's *; a `?` of q must not.
            takes_up = "*" in outer or ("?" in outer and "*" not in inner)
            return takes_up and not ("*" in inner and "?" in outer) and q.matches((inner,))
        case ContainsPattern(inner), ContainsPattern(outer):
            return outer.lower() in inner.lower()
        case HoursPattern(), HoursPattern():
            return (p.start - q.start) % MINUTES_A_WEEK + _minutes(p) <= _minutes(q)
        case _:
            return False


def _is_subnet(inner: Network, outer: Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )


def _minutes(span: HoursPattern) -> int:
    return (span.end - span.start) % MINUTES_A_WEEK or MINUTES_A_WEEK


def can_meet(fact: Fact, p: Pattern, q: Pattern) -> bool:
    """Whether one value can be of both patterns; True when that cannot be seen."""
    if is_part(p, q) or is_part(q, p):
        return True
    match p, q:
        case GlobPattern(one), GlobPattern(other):
            if {"*", "?"} & {*one, *other}:
                return True
            # A value is compared whole and by its short name: ws-1.corp.local is also ws-1.
            return any(
                b in spellings
                for a, b in ((one, other), (other, one))
                if isinstance(spellings := comparable(fact, a), tuple)
            )
        case HoursPattern(), HoursPattern():
            return p.matches(q.start) or q.matches(p.start)
        # Ranges, names and URLs lie one in the other or apart; the rest is one value each.
        case (
            (NetworkPattern(), NetworkPattern())
            | (DomainPattern(), DomainPattern())
            | (UrlPattern(), UrlPattern())
            | (PortPattern(), PortPattern())
            | (HashPattern(), HashPattern())
            | (IndicatorPattern(), IndicatorPattern())
        ):
            return False
        case _:
            return True


def constant(predicate: Predicate, is_single: Callable[[Fact], bool]) -> bool | None:
    """What ``predicate`` says of every event that tells all it asks for; None if it depends.

    Tries every combination of its conditions that can be; gives up on more than twelve.

    Args:
        predicate: Which.
        is_single: Whether events are taken to tell one value of a fact at most.
    """
    facts = [condition.fact for condition in conditions(predicate)]
    if facts and len(set(facts)) == len(facts):
        return None  # each condition is free of the others, and asked once
    variables = list(dict.fromkeys(conditions(predicate)))
    if len(variables) > _MOST_VARIABLES:
        return None
    impossible = _impossible(variables, is_single)
    results = {
        _assigned(predicate, dict(zip(variables, values, strict=True)))
        for values in itertools.product((False, True), repeat=len(variables))
        if not any(values[a] and values[b] is bad for a, b, bad in impossible)
    }
    return results.pop() if len(results) == 1 else None


def _impossible(
    variables: Sequence[Condition], is_single: Callable[[Fact], bool]
) -> list[tuple[int, int, bool]]:
    """Which conditions, when true, keep which others from being true, or false."""
    found = []
    for (i, a), (j, b) in itertools.permutations(enumerate(variables), 2):
        if a.fact is not b.fact:
            continue
        if implies(a, b):
            found.append((i, j, False))
        pairs = itertools.product(a.patterns, b.patterns)
        if is_single(a.fact) and not any(can_meet(a.fact, p, q) for p, q in pairs):
            found.append((i, j, True))
    return found


def _assigned(predicate: Predicate, values: Mapping[Condition, bool]) -> bool:
    match predicate:
        case Condition():
            return values[predicate]
        case NotOf(part):
            return not _assigned(part, values)
        case AllOf(parts):
            return all(_assigned(part, values) for part in parts)
        case AnyOf(parts):
            return any(_assigned(part, values) for part in parts)
