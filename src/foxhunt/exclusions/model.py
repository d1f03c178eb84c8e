"""What was judged benign: by whom, why, until when, and the condition that says which events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from foxhunt.errors import SourceSpan
from foxhunt.exclusions.patterns import Pattern
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.tables import Fact

DEFAULT_WINDOW = timedelta(minutes=5)


# What the process and network events of the same host can tell where a table cannot (DESIGN 8).
CORRELATED = frozenset({Fact.PROCESS, Fact.PARENT_PROCESS, Fact.COMMAND_LINE, Fact.USER})


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when one of the event's values of ``fact`` is of one of ``patterns``.

    It is neither true nor false when the event tells no such value (R8: nothing is
    guessed).
    """

    fact: Fact
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every part does."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when one part does."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class NotOf:
    """Holds when ``part`` is known not to."""

    part: Predicate


Predicate = Condition | AllOf | AnyOf | NotOf


def conditions(predicate: Predicate) -> Iterator[Condition]:
    """Yield the conditions of a predicate, in the order they are written."""
    if isinstance(predicate, Condition):
        yield predicate
    elif isinstance(predicate, NotOf):
        yield from conditions(predicate.part)
    else:
        for part in predicate.parts:
            yield from conditions(part)


def positive_conditions(predicate: Predicate) -> Iterator[Condition]:
    """Yield those that are not under a ``not``."""
    if isinstance(predicate, Condition):
        yield predicate
    elif isinstance(predicate, AllOf | AnyOf):
        for part in predicate.parts:
            yield from positive_conditions(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an exclusion is about; ``("*",)`` means all, and has to be said.

    Attributes:
        families: Names, aliases or Malpedia labels.
        types: Types of indicator.
        tables: Names of tables.
    """

    families: tuple[str, ...]
    types: tuple[str, ...]
    tables: tuple[str, ...]

    def has_table(self, table: str) -> bool:
        """Whether events of ``table`` are in it."""
        return "*" in self.tables or table in self.tables

    def has_type(self, type_: IndicatorType) -> bool:
        """Whether indicators of ``type_`` are in it."""
        return "*" in self.types or str(type_) in self.types

    def has_indicator(self, indicator: Indicator) -> bool:
        """Whether ``indicator`` is in it, by its family and type."""
        if not self.has_type(indicator.type):
            return False
        if "*" in self.families:
            return True
        names = {
            name.casefold()
            for name in (indicator.malware, indicator.malware_printable, *indicator.malware_alias)
        }
        return any(family.casefold() in names for family in self.families)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A judgement that some events are benign. It marks them; it never deletes.

    Attributes:
        id: Stable name, printed beside every finding it suppresses.
        scenario: One of the five (`foxhunt.exclusions.scenarios`), or the owner's word.
        reason: Why this is benign, for the analyst who asks in a year.
        owner: Who decided.
        expires: First day (UTC) on which it no longer applies.
        scope: Which indicators and tables it is about.
        when: Which events.
        within: How far apart in time an event and the process or network event may be
            that tells what the event's table lacks; both ends inclusive.
        at: Where it is written.
        facts: What its conditions are about.
    """

    id: str
    scenario: str
    reason: str
    owner: str
    expires: date
    scope: Scope
    when: Predicate
    within: timedelta = DEFAULT_WINDOW
    at: SourceSpan
    facts: frozenset[Fact] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Asked for several times in a hunt, of each of a thousand.
        facts = frozenset(condition.fact for condition in conditions(self.when))
        object.__setattr__(self, "facts", facts)

    def is_expired(self, today: date) -> bool:
        """Whether it no longer applies on ``today`` (UTC)."""
        return today >= self.expires


@dataclass(frozen=True, slots=True)
class ExclusionSet:
    """Exclusions with distinct ids, in the order of their files.

    Raises:
        ValueError: Two have the same id.
    """

    exclusions: tuple[Exclusion, ...] = ()

    def __post_init__(self) -> None:
        ids = [one.id for one in self.exclusions]
        if len(set(ids)) != len(ids):
            raise ValueError("two exclusions have the same id")

    def __iter__(self) -> Iterator[Exclusion]:
        return iter(self.exclusions)

    def __len__(self) -> int:
        return len(self.exclusions)

    def active(self, today: date) -> tuple[Exclusion, ...]:
        """Those that apply on ``today`` (UTC)."""
        return tuple(one for one in self.exclusions if not one.is_expired(today))
