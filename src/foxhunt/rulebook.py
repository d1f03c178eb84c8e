"""A family's rule, and what it is rendered as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow.compute as pc

from foxhunt.content import OF_REVOKED, ContentFile, Revoked, Subject, get_content
from foxhunt.errors import UnsupportedError, UsageError
from foxhunt.exclusions import FalsePositives
from foxhunt.indicators import IndicatorSet, families_named
from foxhunt.rules import MatchMode, Rule, build_rule


def family_rule(
    indicators: IndicatorSet, name: str, mode: MatchMode, revoked: Sequence[Revoked] = ()
) -> Rule:
    """Build the rule of the family called ``name``: printable name, alias or Malpedia label.

    Of a family of which all is ``revoked`` it has no indicators.

    Raises:
        UsageError: No indicator is of it, or it names several families.
    """
    members = indicators.where(families=[name])
    families = members.families()
    if not families:
        families = families_named(_gone(indicators, revoked).families(), name)
    if not families:
        raise UsageError(f"no indicator is of the family {name!r}")
    if len(families) > 1:
        labels = ", ".join(family.malware for family in families)
        raise UsageError(f"{name!r} names several families", hint=f"give one label of: {labels}")
    return build_rule(families[0].name, families[0].malware, members, mode)


def without(
    indicators: IndicatorSet, taken_back: FalsePositives | None
) -> tuple[IndicatorSet, tuple[Revoked, ...]]:
    """The set without what abuse.ch took back, and what that was."""
    covered = taken_back.covered(indicators) if taken_back is not None else {}
    if not covered:
        return indicators, ()
    gone = indicators.take(covered)
    left = indicators.subset(at for at in range(len(indicators)) if at not in covered)
    left = IndicatorSet(left.table, indicators.quarantined)
    return left, tuple(Revoked(gone[at], entry.removed_at) for at, entry in covered.items())


def gone_rules(
    indicators: IndicatorSet, revoked: Sequence[Revoked], mode: MatchMode
) -> Iterator[Rule]:
    """Build rules of no indicators for the families of which all is ``revoked``, by name."""
    for family in _gone(indicators, revoked).families():
        yield build_rule(family.name, family.malware, IndicatorSet.of(()), mode)


def _gone(indicators: IndicatorSet, revoked: Sequence[Revoked]) -> IndicatorSet:
    left = set(indicators.table["malware"].unique().to_pylist())
    return IndicatorSet.of(one.indicator for one in revoked if one.indicator.malware not in left)


def family_rules(
    indicators: IndicatorSet, mode: MatchMode, told: Callable[[str, int, int], None]
) -> Iterator[Rule]:
    """Build every family's rule, by name.

    Args:
        indicators: Of all families.
        mode: How values are compared.
        told: Called before each with its name, how many are done and how many there are.
    """
    families, table = indicators.families(), indicators.table
    for done, family in enumerate(families):
        told(family.name, done, len(families))
        # By label alone: to look for a name would go through all families for each.
        members = table.filter(pc.equal(table["malware"], family.malware)).combine_chunks()
        yield build_rule(family.name, family.malware, IndicatorSet.from_table(members), mode)


def render(subject: Subject, format_name: str) -> tuple[ContentFile, ...]:
    """The rule in one format; most are one file.

    Raises:
        KeyError: Unknown format.
        UnsupportedError: Nothing of the rule can be said in it.
    """
    if not (subject.rule.indicators or format_name in OF_REVOKED):
        raise UnsupportedError(f"no indicator of {subject.rule.name} is left: all were taken back")
    return tuple(get_content(format_name)(subject))
