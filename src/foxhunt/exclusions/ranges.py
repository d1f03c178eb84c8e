"""Which of many overlapping address ranges hold an address: one binary search for all of them."""

from __future__ import annotations

import socket
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

_BITS = {socket.AF_INET: 32, socket.AF_INET6: 128}
# ::ffff:0:0/96, whose addresses are IPv4's in canonical form (R2).
_MAPPED = range(0xFFFF << 32, 0x10000 << 32)


def parse_range(text: str) -> tuple[int, int, int] | None:
    """Read an address or CIDR range, or return None if it is neither.

    Host bits are dropped, as MISP drops them: lists of strangers hold a few. A range of
    v4-mapped addresses is one of IPv4. The platform's own parser is some five times
    faster than `ipaddress`, and it is no more lenient: four decimal octets, or an IPv6
    text without zone.

    Returns:
        ``(bits, first, end)``: 32 or 128, the first address and the one after the last.

    >>> parse_range("10.0.0.7/8") == (32, 10 << 24, 11 << 24)
    True
    >>> parse_range("10.0.0") is None
    True
    """
    address, slash, prefix = text.partition("/")
    for family, bits in _BITS.items():
        try:
            first = int.from_bytes(socket.inet_pton(family, address), "big")
        except (OSError, ValueError):  # ValueError: a NUL or a surrogate in the text
            continue
        if not slash:
            return _unmapped(bits, first, first + 1)
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 3 and int(prefix) <= bits):
            return None
        size = 1 << (bits - int(prefix))
        first -= first % size
        return _unmapped(bits, first, first + size)
    return None


def _unmapped(bits: int, first: int, end: int) -> tuple[int, int, int]:
    if bits == 128 and first in _MAPPED and end <= _MAPPED.stop:
        return 32, first - _MAPPED.start, end - _MAPPED.start
    return bits, first, end


class Ranges:
    """Ranges, each with the number of its owner; immutable once built."""

    def __init__(self, ranges: Iterable[tuple[int, int, int, int]]) -> None:
        """Build from ``(bits, first, end, owner)``; overlaps and repetitions are allowed."""
        by_bits: dict[int, list[tuple[int, int, int, int]]] = {32: [], 128: []}
        for row in ranges:
            by_bits[row[0]].append(row)
        self._segments = {bits: _segments(rows) for bits, rows in by_bits.items()}

    def owners(self, address: str) -> tuple[int, ...]:
        """Owners of the ranges that hold a canonical address, ascending; none for other text."""
        parsed = parse_range(address)
        if parsed is None:
            return ()
        bits, first, _ = parsed
        starts, owners = self._segments[bits]
        at = bisect_right(starts, first) - 1
        return owners[at] if at >= 0 else ()


def _segments(
    rows: list[tuple[int, int, int, int]],
) -> tuple[list[int], list[tuple[int, ...]]]:
    """Cut the number line where any range begins or ends; each piece has its owners."""
    edges = [(first, 1, owner) for _, first, _, owner in rows]
    edges += [(end, -1, owner) for _, _, end, owner in rows]
    edges.sort()
    starts: list[int] = []
    owners: list[tuple[int, ...]] = []
    active: Counter[int] = Counter()
    for start, group in groupby(edges, key=itemgetter(0)):
        for _, step, owner in group:
            active[owner] += step
            if not active[owner]:
                del active[owner]
        starts.append(start)
        owners.append(tuple(sorted(active)))
    return starts, owners
