"""An exclusion's scope inside a query that looks for more than it is about.

A query has a row for each indicator that an event met, so a value of two families has two
rows, and an exclusion of the one leaves the other's. Rows say the indicator's value, its type
and its family's name as people write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from foxhunt.backends.kql_conditions import Expression, all_of, any_of
from foxhunt.backends.kql_text import string_list, string_literal
from foxhunt.exclusions import Scope
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules import Observes, Rule


@dataclass(frozen=True, slots=True)
class Scoped:
    """The indicators that a query looks for.

    Attributes:
        inside: Those in the scope.
        outside: The others.
    """

    inside: tuple[Indicator, ...]
    outside: tuple[Indicator, ...]

    def conditions(self) -> Iterator[Expression]:
        """What holds for the rows of ``inside`` alone; nothing when there are no others."""
        types = {one.type for one in self.inside}
        others = [one for one in self.outside if one.type in types]
        if len(others) < len(self.outside):
            yield Expression(f"IndicatorType in ({string_list(sorted(types))})")
        if others:
            yield any_of(self._families({one.malware_printable for one in others}))

    def _families(self, others: set[str]) -> Iterator[Expression]:
        names = dict.fromkeys(one.malware_printable for one in self.inside)
        own = [name for name in names if name not in others]
        if own:
            yield Expression(f"Malware in ({string_list(own)})")
        # Families of one name (elf.mirai and win.mirai) are told apart by their values.
        taken = set(map(_said, self.outside))
        for name in names:
            values = dict.fromkeys(
                one.value
                for one in self.inside
                if one.malware_printable == name and _said(one) not in taken
            )
            if name in others and values:
                is_family = Expression(f"Malware == {string_literal(name)}")
                yield all_of([is_family, Expression(f"Indicator in ({string_list(values)})")])

    def undecided(self) -> str:
        """Names of families whose rows may be of ``inside`` or not; empty when there are none."""
        both = set(map(_said, self.inside)) & set(map(_said, self.outside))
        return ", ".join(sorted({name for _, name, _ in both}))


def split_by_scope(rule: Rule, part: Observes, scope: Scope) -> Scoped:
    """Split the indicators that a query over ``part`` looks for by whether they are in a scope."""
    about = [one for one in rule.indicators if one.type in part.types]
    inside = tuple(one for one in about if scope.has_indicator(one))
    return Scoped(inside, tuple(one for one in about if not scope.has_indicator(one)))


def _said(indicator: Indicator) -> tuple[IndicatorType, str, str]:
    """What a row says of the indicator it met."""
    return indicator.type, indicator.malware_printable, indicator.value
