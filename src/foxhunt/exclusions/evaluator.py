"""The plain evaluator of exclusions: what a predicate means for one event.

Slow on purpose and kept for good; the engine's and the backends' results are compared
with it. Logic is Kleene's: what an event does not tell is unknown, and only what is
known to hold suppresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foxhunt.exclusions.model import AllOf, AnyOf, Condition, NotOf, Predicate
from foxhunt.exclusions.patterns import comparable
from foxhunt.tables import Fact

Facts = Mapping[Fact, Sequence[str]]


def holds(predicate: Predicate, facts: Facts) -> bool | None:
    """Whether ``predicate`` holds for an event, or None when the event does not tell.

    Args:
        predicate: The condition.
        facts: Fact to the event's values as logged; absent or empty when there are none.
            `Fact.HOURS` is the minute of the week, `Fact.INDICATOR` the canonical value.
    """
    match predicate:
        case Condition(fact, _):
            return condition_holds(predicate, facts.get(fact, ()))
        case NotOf(part):
            inner = holds(part, facts)
            return None if inner is None else not inner
        case AllOf(parts):
            results = [holds(part, facts) for part in parts]
            if False in results:
                return False
            return None if None in results else True
        case AnyOf(parts):
            results = [holds(part, facts) for part in parts]
            if True in results:
                return True
            return None if None in results else False


def condition_holds(condition: Condition, values: Sequence[str]) -> bool | None:
    """Whether one of ``values`` is of one of the condition's patterns; None without a value."""
    known = [made for value in values if (made := comparable(condition.fact, value)) is not None]
    if not known:
        return None
    return any(pattern.matches(value) for pattern in condition.patterns for value in known)


def can_hold(predicate: Predicate, told: frozenset[Fact]) -> bool:
    """Whether ``predicate`` can hold for an event that tells no more than ``told``."""
    match predicate:
        case Condition(fact, _):
            return fact in told
        case NotOf(part):
            return can_hold(part, told)
        case AllOf(parts):
            return all(can_hold(part, told) for part in parts)
        case AnyOf(parts):
            return any(can_hold(part, told) for part in parts)
