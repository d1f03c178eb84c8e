"""Long lists in parts: each indicator stays in its part, whatever else comes or goes.

Indicators are told apart by the bits of a hash of theirs. A part is everything that begins
with the same bits, and one that gets too long falls into two; so an added indicator changes
one part, and nothing is numbered by a total that it would change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from foxhunt.backends.kql_indicators import Entry

_MOST_BITS = 64


def split(
    entries: Sequence[Entry], fits: Callable[[str, Sequence[Entry]], bool]
) -> Iterator[tuple[str, Sequence[Entry]]]:
    """Yield parts and their names, ``""`` for one that holds everything, else ``"0"``, ``"10"``.

    Args:
        entries: In any order; their order is kept within a part.
        fits: Whether entries can be one part of a name.
    """
    if entries and fits("", entries):
        yield "", entries  # most are: not worth a hash of each
    else:
        yield from _split("", [(_bits(entry), entry) for entry in entries], fits)


def _split(
    name: str,
    entries: Sequence[tuple[str, Entry]],
    fits: Callable[[str, Sequence[Entry]], bool],
) -> Iterator[tuple[str, Sequence[Entry]]]:
    kept = [entry for _, entry in entries]
    if not kept:
        return
    if (name and fits(name, kept)) or len(kept) == 1 or len(name) == _MOST_BITS:
        yield name, kept
        return
    for bit in "01":
        longer = name + bit
        yield from _split(longer, [one for one in entries if one[0].startswith(longer)], fits)


def _bits(entry: Entry) -> str:
    # By type and value: all that say the same of a value, of whatever family, stay together.
    text = f"{entry.indicator.type} {entry.indicator.value}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[: _MOST_BITS // 8]
    return f"{int.from_bytes(digest):0{_MOST_BITS}b}"
