"""The plain evaluator: what a rule means, row by row, indicator by indicator.

Slow on purpose and kept for good. The engines' and backends' results are compared
with it in tests/differential; where they differ, this is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from foxhunt.rules.matching import MatchKind, match, match_term
from foxhunt.rules.model import MatchMode, Observes, Rule, Search


@dataclass(frozen=True, slots=True)
class Hit:
    """A row met an indicator.

    Attributes:
        position: Of the indicator in the rule's set.
        kind: How; the strongest of the row's columns.
        column: The column that matched so.
    """

    position: int
    kind: MatchKind
    column: str


def evaluate(rule: Rule, search: Search, row: Mapping[str, object]) -> Iterator[Hit]:
    """Yield one hit for each indicator the row meets, by position.

    Args:
        rule: Whose indicators.
        search: The part of it for the row's table.
        row: Column to value; an absent column and None both match nothing (R8).
    """
    for position, indicator in enumerate(rule.indicators):
        best: Hit | None = None
        for part in search.predicate.parts:
            if indicator.type not in part.types:
                continue
            observed = row.get(part.observable.column)
            if not isinstance(observed, str):
                continue
            if part.mode is MatchMode.TERM:
                kind = match_term(part.observable.shows, observed, indicator)
            else:
                kind = match(part.observable.shows, observed, _port(part, row), indicator)
            # Of equally strong columns the first in the table's order counts.
            if kind is not None and (best is None or kind.rank < best.kind.rank):
                best = Hit(position, kind, part.observable.column)
        if best is not None:
            yield best


def _port(part: Observes, row: Mapping[str, object]) -> int | None:
    value = row.get(part.observable.port) if part.observable.port else None
    return value if isinstance(value, int) else None
