"""Values that need not be read to know that they can be: times, numbers and flags in one spelling.

Of each value of a column it is told whether it is *clean*: whether reading it as `logs.casts` does
must succeed. What is not clean may still be good; it has to be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from foxhunt.arrays import Bytes, Flags, Places, Words, np
from foxhunt.logs.fields import Spans
from foxhunt.logs.text_blocks import windows

_U64 = np.uint64
# Rows at once: their arrays stay in a core's cache from one operation to the next.
_ROWS = 16_384


def _word(text: bytes) -> np.uint64:
    return _U64(int.from_bytes(text.ljust(8, b"\0"), "little"))


_HIGH = _word(b"\x80" * 8)
_ZEROS, _MORE_THAN_NINE = _word(b"0" * 8), _word(b"\x76" * 8)
_FOLD = _word(b" " * 8)
# What keeps the first n bytes of a word, and the last n.
_FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], _U64)
_LAST = np.array([((1 << 64) - 1) ^ ((1 << 8 * (8 - n)) - 1) for n in range(9)], _U64)
_TEN, _HUNDRED, _BYTE = _U64(10), _U64(100), _U64(0xFF)


def _shift(word: Words, places: int) -> Words:
    return word >> _U64(8 * places)


class _Pattern:
    """Eight characters, of which those that are ``d`` are digits and the rest as they are."""

    def __init__(self, pattern: bytes) -> None:
        self._expected = _word(pattern.replace(b"d", b"0"))
        # To a digit's value a byte's highest bit is added from 10 on, to any other's from 1 on.
        self._limits = _word(bytes(0x76 if one == ord("d") else 0x7F for one in pattern))

    def values(self, words: Words) -> tuple[Words, Words]:
        """The values of the digits, zeros elsewhere; and nonzero where a text is another."""
        values = words ^ self._expected
        return values, ((values + self._limits) | values) & _HIGH


def _number(values: Words) -> Words:
    """Eight digits' values as one number."""
    pairs = (values * _TEN + _shift(values, 1)) & _U64(0x00FF00FF00FF00FF)
    fours = (pairs * _HUNDRED + _shift(pairs, 2)) & _U64(0x0000FFFF0000FFFF)
    return (fours * _U64(10_000) + _shift(fours, 4)) & _U64(0xFFFFFFFF)


Order = np.ndarray[tuple[int], np.dtype[np.int64]]
# Of each value a number that grows with its time, and whether it is clean.
ReadTimes = Callable[[Spans], tuple[Order, Flags]]

_ISO = re.compile(rb"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.\d{1,8})?(Z?)", re.ASCII)
_EPOCH = re.compile(rb"\d{10}(?:\.\d{1,6})?", re.ASCII)
# Of the last possible fraction's digits: Defender writes seven.
_MOST_DIGITS = 8
_DAYS = np.zeros(256, _U64)
_DAYS[1:13] = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def time_reader(sample: bytes) -> ReadTimes | None:
    """What tells clean times that are spelled as ``sample`` is; None where that is not known.

    ISO 8601 in UTC (with ``Z``, or without a zone) and Zeek's epoch with up to six digits are.
    """
    iso = _ISO.fullmatch(sample)
    if iso is not None:
        return _iso_reader(iso.group(1), has_zone=bool(iso.group(2)))
    return _epochs if _EPOCH.fullmatch(sample) else None


def _iso_reader(between: bytes, *, has_zone: bool) -> ReadTimes:
    date, hours = _Pattern(b"dddd-dd-"), _Pattern(b"dd" + between + b"dd:dd")

    def minutes(first: Words, second: Words) -> tuple[Words, Flags]:
        """Minutes, in months of 32 days and years of 13, from the first 16 characters."""
        year, is_odd = date.values(first)
        day, is_other = hours.values(second)
        pairs = year * _TEN + _shift(year, 1)
        years = (pairs & _BYTE) * _HUNDRED + (_shift(pairs, 2) & _BYTE)
        month = _shift(pairs, 5) & _BYTE
        pairs = day * _TEN + _shift(day, 1)
        days, hour, minute = pairs & _BYTE, _shift(pairs, 3) & _BYTE, _shift(pairs, 6) & _BYTE
        is_clean = (is_odd | is_other) == 0
        is_clean &= (years > 0) & (days > 0) & (days <= _DAYS[month.astype(np.int64)])
        is_clean &= (hour < 24) & (minute < 60)
        order = (years * _U64(13) + month) * _U64(32) + days
        return (order * _U64(24) + hour) * _U64(60) + minute, is_clean

    def read(spans: Spans) -> tuple[Order, Flags]:
        starts = spans.starts
        order, is_clean = _by_runs(*windows(spans.data, starts), minutes)
        third, _ = windows(spans.data, starts + 16)
        digits, _ = windows(spans.data, starts + 20)
        seconds, is_odd = _SECONDS.values(third & _FIRST[3])
        second = _shift(seconds * _TEN + _shift(seconds, 1), 1) & _BYTE
        is_clean &= ((is_odd & _FIRST[3]) == 0) & (second < 60)
        if has_zone:
            is_clean &= spans.data[spans.ends - 1] == ord("Z")
        parts, is_fraction = _fraction(third, digits, spans.ends - starts - has_zone - 19)
        is_clean &= is_fraction
        order = (order * _U64(60) + second) * _U64(10_000_000) + parts
        return order.astype(np.int64), is_clean

    return read


def _by_runs(
    first: Words, second: Words, told: Callable[[Words, Words], tuple[Words, Flags]]
) -> tuple[Words, Flags]:
    """What ``told`` says of pairs of words, of equal ones that follow each other once.

    Logs are in order of time: few rows begin another minute.
    """
    is_new = np.ones(len(first), np.bool_)
    is_new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    at = np.flatnonzero(is_new)
    lengths = np.diff(at, append=len(first))
    order, is_clean = told(first[at], second[at])
    return np.repeat(order, lengths), np.repeat(is_clean, lengths)


_SECONDS, _DIGITS = _Pattern(b":dd\0\0\0\0\0"), _Pattern(b"dddddddd")


def _fraction(third: Words, digits: Words, rest: Places) -> tuple[Words, Flags]:
    """Ten millionths of the ``rest`` of a time after its seconds, and whether it is clean."""
    count = np.clip(rest - 1, 0, _MOST_DIGITS)
    values, is_odd = _DIGITS.values(digits)
    is_point = (_shift(third, 3) & _BYTE) == ord(".")
    kept = _FIRST[count]
    is_clean = (rest == 0) | (
        is_point & (rest >= 2) & (rest <= 1 + _MOST_DIGITS) & ((is_odd & kept) == 0)
    )
    return _number(values & kept) // _TEN, is_clean


_LAST_SECOND = _U64(2**31 - 1)
_EPOCH_DIGITS = 10


def _epochs(spans: Spans) -> tuple[Order, Flags]:
    """Seconds since 1970 of ten digits, and up to six after the point."""
    lengths = spans.ends - spans.starts
    first, _ = windows(spans.data, spans.starts)
    last, _ = windows(spans.data, spans.starts + 8)
    after, _ = windows(spans.data, spans.starts + _EPOCH_DIGITS + 1)
    values, is_odd = _DIGITS.values(first)
    ends, is_other = _DIGITS.values(last)
    is_odd |= is_other & _FIRST[2]
    seconds = _number(values) * _HUNDRED + (ends & _BYTE) * _TEN + (_shift(ends, 1) & _BYTE)
    rest = lengths - _EPOCH_DIGITS
    parts, is_other = _DIGITS.values(after)
    kept = _FIRST[np.clip(rest - 1, 0, 6)]
    is_odd |= is_other & kept
    is_clean = (is_odd == 0) & (seconds <= _LAST_SECOND)
    is_point = (_shift(last, 2) & _BYTE) == ord(".")
    is_clean &= (rest == 0) | (is_point & (rest >= 2) & (rest <= 7))
    micros = _number(parts & kept) // _HUNDRED
    return (seconds * _U64(1_000_000) + micros).astype(np.int64), is_clean


def clean_integers(spans: Spans) -> Flags:
    """Which are empty, or one to sixteen decimal digits."""
    lengths = spans.ends - spans.starts
    earlier, later = windows(spans.data, spans.ends - 16)
    odd = _not_digits(later) & _LAST[np.minimum(lengths, 8)]
    odd |= _not_digits(earlier) & _LAST[np.clip(lengths - 8, 0, 8)]
    flags: Flags = (odd == 0) & (lengths <= 16)
    return flags


def _not_digits(words: Words) -> Words:
    values = words ^ _ZEROS
    return ((values + _MORE_THAN_NINE) | values) & _HIGH


_TRUE, _FALSE = _word(b"true"), _word(b"false")


def clean_booleans(spans: Spans) -> Flags:
    """Which are empty, ``true`` or ``false`` in any case."""
    lengths = np.minimum(spans.ends - spans.starts, 8)
    word = (windows(spans.data, spans.starts)[0] | _FOLD) & _FIRST[lengths]
    flags: Flags = (lengths == 0) | (word == _TRUE) | (word == _FALSE)
    return flags


_NULL = _word(b"null")
_DOTS = _word(b"." * 8)
_DOT, _ZERO = ord("."), ord("0")


def clean_scalars(spans: Spans) -> Flags:
    """Which are a literal of JSON, or one of its numbers of at most 24 digits and a point."""
    lengths = spans.ends - spans.starts
    head, _ = windows(spans.data, spans.starts)
    word = head & _FIRST[4]
    literal = (lengths == 4) & ((word == _TRUE) | (word == _NULL))
    literal |= (lengths == 5) & ((head & _FIRST[5]) == _FALSE)
    parts = [(head, _FIRST[np.minimum(lengths, 8)])]
    if len(lengths) and lengths.max() > 8:
        earlier, later = windows(spans.data, spans.ends - 16)
        parts = [
            (later, _LAST[np.minimum(lengths, 8)]),
            (earlier, _LAST[np.clip(lengths - 8, 0, 8)]),
            (head, _FIRST[np.clip(lengths - 16, 0, 8)]),
        ]
    odd, dots = np.zeros(len(lengths), _U64), np.zeros(len(lengths), _U64)
    for word, kept in parts:
        is_dot = _equal(word, _DOTS) & kept
        odd |= (_not_digits(word) & kept) ^ is_dot
        # One point is all that a number has, in whichever word it is.
        odd |= is_dot & (is_dot - _U64(1))
        odd |= np.where(dots != 0, is_dot, _U64(0))
        dots |= is_dot
    first, second = spans.data[spans.starts], spans.data[spans.starts + 1]
    is_number = (odd == 0) & (lengths > 0) & (lengths <= 24)
    is_number &= (first != _DOT) & (spans.data[spans.ends - 1] != _DOT)
    is_number &= (first != _ZERO) | (lengths == 1) | (second == _DOT)
    flags: Flags = literal | is_number
    return flags


def is_null(spans: Spans) -> Flags:
    """Which are JSON's ``null``."""
    word, _ = windows(spans.data, spans.starts)
    flags: Flags = (spans.ends - spans.starts == 4) & ((word & _FIRST[4]) == _NULL)
    return flags


def same_bytes(data: Bytes, starts: Places, text: bytes) -> Flags:
    """Where ``text`` stands, of the places ``starts``, which are in ``data`` without its end."""
    is_same = np.ones(len(starts), np.bool_)
    for first in range(0, len(text), 16):
        # The last 16 bytes overlap those before them, if there are so many.
        at = max(0, min(first, len(text) - 16))
        part = text[at : at + 16]
        words = windows(data, np.minimum(starts + at, len(data) - 16))
        for word, expected in zip(words, (part[:8], part[8:]), strict=True):
            if expected:
                kept = word if len(expected) == 8 else word & _FIRST[len(expected)]
                is_same &= kept == _word(expected)
    return is_same


def _equal(words: Words, byte: np.uint64) -> Words:
    """The high bit of each byte that is the same as in ``byte``, and no other."""
    others = words ^ byte
    return ~(((others & ~_HIGH) + ~_HIGH) | others) & _HIGH


_OBJECT, _ARRAY = _word(b"{}"), _word(b"[]")


def clean_dynamics(spans: Spans) -> Flags:
    """Which are empty, or JSON's empty object or array."""
    lengths = spans.ends - spans.starts
    word = windows(spans.data, spans.starts)[0] & _FIRST[2]
    flags: Flags = (lengths == 0) | ((lengths == 2) & ((word == _OBJECT) | (word == _ARRAY)))
    return flags


# A number may also be written in a way that only reading tells.
CLEAN: dict[str, Callable[[Spans], Flags]] = {
    "int": clean_integers,
    "long": clean_integers,
    "real": clean_integers,
    "bool": clean_booleans,
    "dynamic": clean_dynamics,
}


def in_slices(spans: Spans, told: Callable[[Spans], Flags]) -> Flags:
    """What ``told`` says of all values, asked for some at a time."""
    slices = (spans.slice(first, _ROWS) for first in range(0, len(spans.starts), _ROWS))
    return np.concatenate([np.zeros(0, np.bool_), *map(told, slices)])


def times_in_slices(spans: Spans, read: ReadTimes) -> tuple[Order, Flags]:
    """What ``read`` says of all values, asked for some at a time."""
    slices = (spans.slice(first, _ROWS) for first in range(0, len(spans.starts), _ROWS))
    orders, flags = zip(*map(read, slices), strict=True)
    return np.concatenate(orders), np.concatenate(flags)
