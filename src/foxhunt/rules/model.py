"""The rule: which indicators of a family, looked up in which columns of which tables.

A rule is free of any query language: backends say it in one, engines run it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.tables import Observable


class MatchMode(StrEnum):
    """How values are compared (R9)."""

    EXACT = "exact"
    TERM = "term"


@dataclass(frozen=True, slots=True)
class Observes:
    """A predicate: the row's column shows one of the rule's indicators.

    Attributes:
        observable: The column, and what it shows.
        types: Types of indicator that are looked up in it.
        mode: How they are compared.
    """

    observable: Observable
    types: tuple[IndicatorType, ...]
    mode: MatchMode


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A predicate: at least one of its parts holds."""

    parts: tuple[Observes, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The part of a rule that is about one table.

    Attributes:
        table: Name of a table of the catalog.
        predicate: What makes a row of it a match.
    """

    table: str
    predicate: AnyOf

    @property
    def types(self) -> tuple[IndicatorType, ...]:
        """Types of indicator that are looked up in the table, in the order of the enum."""
        found = {type_ for part in self.predicate.parts for type_ in part.types}
        return tuple(type_ for type_ in IndicatorType if type_ in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to hunt for.

    Attributes:
        name: The family's printable name, or what the hunt is about.
        malware: Malpedia label; ``"*"`` for a rule over several families.
        mode: How values are compared.
        indicators: What is looked up; position in it identifies an indicator.
        searches: One a table, in catalog order; only tables that can show one of them.
        memo: What backends made of it and need again, by what it is.
    """

    name: str
    malware: str
    mode: MatchMode
    indicators: IndicatorSet
    searches: tuple[Search, ...]
    memo: dict[object, object] = field(default_factory=dict, init=False, compare=False, repr=False)

    def search(self, table: str) -> Search | None:
        """The part about ``table``, or None if the rule has nothing to look for there."""
        return next((one for one in self.searches if one.table == table), None)
