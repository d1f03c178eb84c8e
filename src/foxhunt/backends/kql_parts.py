"""Long lists in parts: each indicator stays in its part, whatever else comes or goes.

Indicators are told apart by the bits of a hash of theirs. A part is everything that begins
with the same bits, and one that gets too long falls into two; so an added indicator changes
one part, and nothing is numbered by a total that it would change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from foxhunt.backends.kql_indicators import Entry, Shape, inline, validity
from foxhunt.indicators import IndicatorType

_MOST_BITS = 64


# No slots: what is said of a part is kept in its `__dict__`. Dozens of columns are compared with
# the same list, in queries of four kinds.
@dataclass(frozen=True, eq=False)
class Part:
    """Entries that one query may list, and what a query says of them; each made once.

    Attributes:
        shape: How they are compared.
        entries: In their order; at least one.
        name: ``""`` for a part that holds everything, else the bits it begins with, ``"10"``.
        bits: Of each entry, if they are known.
    """

    shape: Shape
    entries: Sequence[Entry]
    name: str = ""
    bits: Sequence[int] = ()

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Lines of a ``let`` with all entries in the query's text.

        Raises:
            UnsupportedError: A value has no KQL literal.
        """
        return tuple(inline(self.shape, self.entries))

    @cached_property
    def length(self) -> int:
        """Characters of `lines`, with their ends.

        Raises:
            UnsupportedError: A value has no KQL literal.
        """
        return sum(map(len, self.lines)) + len(self.lines)

    @cached_property
    def value_length(self) -> int:
        """Characters of all values."""
        return sum([len(entry.indicator.value) for entry in self.entries])

    @cached_property
    def is_ipv4(self) -> bool:
        """Whether no entry has a colon, as IPv6 addresses have."""
        return not any(":" in entry.lookup for entry in self.entries)

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """Numbers of dots in the names whose subdomains are looked for too."""
        found = {
            entry.lookup.count(".")
            for entry in self.entries
            if entry.indicator.type is IndicatorType.DOMAIN and not entry.is_shared
        }
        return tuple(sorted(found))

    @cached_property
    def has_validity(self) -> bool:
        """Whether an entry counts for events of some times alone."""
        return any(validity(entry.indicator) != (None, None) for entry in self.entries)

    @cached_property
    def is_of_one_name(self) -> bool:
        """Whether the feed calls the family of all entries by one name."""
        return len({entry.indicator.malware_printable for entry in self.entries}) == 1

    @cached_property
    def threat_types(self) -> tuple[str, ...]:
        """Each once, sorted."""
        return tuple(sorted({entry.indicator.threat_type for entry in self.entries}))

    @cached_property
    def confidence(self) -> int:
        """The highest confidence_level."""
        return max([entry.indicator.confidence_level for entry in self.entries])

    @cached_property
    def halves(self) -> tuple[Part, ...]:
        """The parts it falls into; one of no entries is none."""
        shift = _MOST_BITS - 1 - len(self.name)
        sides: tuple[list[Entry], list[Entry]] = [], []
        bits: tuple[list[int], list[int]] = [], []
        for entry, number in zip(self.entries, self.bits or map(_bits, self.entries), strict=True):
            side = number >> shift & 1
            sides[side].append(entry)
            bits[side].append(number)
        return tuple(
            Part(self.shape, sides[side], f"{self.name}{side}", bits[side])
            for side in (0, 1)
            if sides[side]
        )

    @property
    def is_smallest(self) -> bool:
        """Whether it falls into no parts."""
        return len(self.entries) == 1 or len(self.name) == _MOST_BITS


def split(whole: Part, fits: Callable[[Part], bool]) -> Iterator[Part]:
    """Yield the parts of ``whole``, each the largest that fits, or else the smallest there is."""
    if fits(whole) or whole.is_smallest:
        yield whole
        return
    for half in whole.halves:
        yield from split(half, fits)


def _bits(entry: Entry) -> int:
    # By type and value: all that say the same of a value, of whatever family, stay together.
    text = f"{entry.indicator.type} {entry.indicator.value}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[: _MOST_BITS // 8])
