"""Which texts of a column can meet an indicator at all, told from their last bytes, in numpy.

Nearly all rows of a log meet nothing. A sieve lets through every value that can meet one of its
indicators and few others, for a fraction of what it costs to find a column's distinct values:
it takes at most 16 bytes of each text, the end of what is compared, and looks them up in a
bitmap of the indicators' own ends. What it lets through is compared as ever; a text whose end
does not tell (other than printable ASCII, unusual spelling) always passes.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.arrays import Bytes, Flags, Places, Words, np
from foxhunt.indicators.urls import MAX_URL
from foxhunt.tables import Shows

_U64 = np.uint64
_WINDOW = 16
_ALL = (1 << 64) - 1
# Arrays of this many rows stay in a core's cache from one operation to the next.
_ROWS = 16_384
# 32 bits an indicator: some 3 % of other ends are let through.
_SPARE_BITS = 5
_LEAST_BITS, _MOST_BITS = 20, 27


def _byte(value: int) -> np.uint64:
    """A word of eight times the same byte."""
    return _U64(value * 0x0101010101010101)


_ONES, _HIGH_BITS, _DOTS, _FOLD = _byte(0x01), _byte(0x80), _byte(0x2E), _byte(0x20)
_COLONS = _byte(0x3A)
_ZERO, _ONE, _HALF = _U64(0), _U64(1), _U64(32)
_MIX, _MIX_AGAIN = _U64(0x9E3779B97F4A7C15), _U64(0xC2B2AE3D27D4EB4F)
# Words are read big-endian: a text's last character is the least significant byte of the later
# word. What keeps the last n bytes of the window, in its later and its earlier word; before a
# text that is shorter than the window dots are put, as if it stood below another name.
_LATER = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(_WINDOW + 1)], _U64)
_EARLIER = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(_WINDOW + 1)], _U64)
_LATER_DOTS, _EARLIER_DOTS = ~_LATER & _DOTS, ~_EARLIER & _DOTS


def _table(characters: str) -> Flags:
    """Which bytes are one of some ASCII characters."""
    flags = np.zeros(256, np.bool_)
    flags[list(characters.encode())] = True
    return flags


_DOT = np.uint8(0x2E)
_HTTP, _HTTPS = (_U64(int.from_bytes(scheme, "little")) for scheme in (b"http://", b"https://"))
_SEVEN_BYTES = _U64(_ALL >> 8)
_ENDS_HOST = ~_table(string.ascii_letters + string.digits + "._-")
_BEGINS_PATH, _BEGINS_LABEL = _table("/?#"), _table("/.")


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts one after the other in one array of bytes.

    Attributes:
        data: Their bytes, after as many zeros as a window has.
        starts: Where each begins in ``data``.
        ends: Where each ends, which is where the next one begins.
    """

    data: Bytes
    starts: Places
    ends: Places

    @classmethod
    def of(cls, array: pa.Array) -> _Texts:
        offsets_type = np.int64 if pa.types.is_large_string(array.type) else np.int32
        _, offsets_buffer, data_buffer = array.buffers()
        offsets = np.frombuffer(offsets_buffer, offsets_type)[array.offset :][: len(array) + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        data = np.zeros(last - first + _WINDOW, np.uint8)
        if data_buffer is not None:
            data[_WINDOW:] = np.frombuffer(data_buffer, np.uint8)[first:last]
        places = offsets.astype(np.int64) - (first - _WINDOW)
        return cls(data, places[:-1], places[1:])

    def holding(self, is_held: Flags) -> Flags:
        """Which texts hold a byte that is flagged; ``is_held`` has a flag for each of ``data``."""
        flags = np.zeros(len(self.ends), np.bool_)
        at = np.flatnonzero(is_held)
        holders = np.searchsorted(self.ends, at, side="right")
        # What lies between texts, or after the last, is of none.
        is_within = self.starts[np.minimum(holders, len(flags) - 1)] <= at if len(flags) else at < 0
        flags[holders[is_within & (holders < len(flags))]] = True
        return flags


@dataclass(frozen=True, slots=True)
class _Compared:
    """What of each text is compared, and which texts pass unseen since that cannot be told."""

    starts: Places
    ends: Places
    is_odd: Flags


def _beyond_ascii(texts: _Texts) -> Flags:
    is_other = texts.data > 0x7F
    return texts.holding(is_other) if is_other.any() else np.zeros(len(texts.ends), np.bool_)


def _hashes(texts: _Texts) -> _Compared:
    """A hash is compared folded and without the spaces around it: at its end they would show."""
    last = texts.data[texts.ends - 1]
    return _Compared(texts.starts, texts.ends, (last - np.uint8(0x21)) > 0x7E - 0x21)


def _names(texts: _Texts) -> _Compared:
    is_odd = _beyond_ascii(texts)
    # Blanks around a name are none of it; elsewhere they are in no indicator.
    is_odd |= texts.data[np.minimum(texts.starts, len(texts.data) - 1)] <= 0x20
    is_odd |= texts.data[texts.ends - 1] <= 0x20
    ends = texts.ends - (texts.data[texts.ends - 1] == _DOT)
    is_odd |= texts.data[ends - 1] == _DOT  # more than one dot at the end
    return _Compared(texts.starts, ends, is_odd)


def _addresses(texts: _Texts, *, met_six: bool = True) -> _Compared:
    """IPv4 in decimals is compared; whatever else may be an address may be spelled in many ways.

    A name is none. Where no indicator is IPv6, neither does an IPv6 address meet one, unless it
    may be a mapped IPv4 address: that has a dot, or ``ffff`` before its last two groups.
    """
    windows, is_odd = _windows(texts.data), np.zeros(len(texts.ends), np.bool_)
    for first in range(0, len(texts.ends), _ROWS):
        starts, ends = texts.starts[first:][:_ROWS], texts.ends[first:][:_ROWS]
        lengths = np.minimum(ends - starts, _WINDOW)
        words = windows[ends - _WINDOW].view(np.dtype(">u8")).astype(_U64)
        later, earlier = words[1::2] & _LATER[lengths], words[0::2] & _EARLIER[lengths]
        others = _outside_decimals(later) & _LATER[lengths]
        others |= _outside_decimals(earlier) & _EARLIER[lengths]
        is_none = (_letters(later) | _letters(earlier)) != 0
        if not met_six:
            is_six = (_equal(later, _COLONS) | _equal(earlier, _COLONS)) != 0
            is_six &= (_equal(later, _DOTS) | _equal(earlier, _DOTS)) == 0
            is_six &= (_doubled_f(later) | _doubled_f(earlier)) == 0
            is_six &= (texts.data[ends - 1] - np.uint8(0x21)) <= 0x7E - 0x21
            is_none |= is_six
        is_odd[first:][:_ROWS] = ((others != 0) | (ends - starts > _WINDOW)) & ~is_none
    # What follows it tells of the address before it nothing.
    if (is_zone := texts.data == 0x25).any():
        is_odd |= texts.holding(is_zone)
    return _Compared(texts.starts, texts.ends, is_odd)


def _outside_decimals(words: Words) -> Words:
    """The high bit of each byte that is none of ``./0123456789``."""
    found = words + _byte(0x7F - 0x39)
    found |= words
    found |= ~((words | _HIGH_BITS) - _byte(0x2E))
    return found & _HIGH_BITS


def _letters(words: Words) -> Words:
    """The high bit of each byte that is a letter from G on, in either case."""
    folded = (words | _FOLD) & ~_HIGH_BITS
    found = folded + _byte(0x80 - 0x67)
    found &= ~(folded + _byte(0x80 - 0x7B))
    return found & ~words & _HIGH_BITS


def _doubled_f(words: Words) -> Words:
    """Nonzero where two neighbours are F, in either case."""
    found = _equal(words | _FOLD, _byte(0x66))
    return found & (found >> _U64(8))


def _equal(words: Words, byte: np.uint64) -> Words:
    """The high bit of each byte that is the same as in ``byte``, and no other."""
    others = words ^ byte
    return ~(((others & ~_HIGH_BITS) + ~_HIGH_BITS) | others) & _HIGH_BITS


def _items(texts: _Texts) -> _Texts:
    """The pieces of texts between whatever separates answers, and more that is in no address."""
    data = texts.data
    is_between = data <= 0x2C  # blanks, quotes and the comma
    is_between |= data == 0x3B
    is_between |= (data == 0x5B) | (data == 0x5D)
    is_between |= data >= 0x7B  # braces and bars, and blanks beyond ASCII
    is_between[:_WINDOW] = False
    at = np.flatnonzero(is_between)
    # Two sorted runs each: that is merged, not sorted.
    starts = np.sort(np.concatenate([texts.starts, at + 1]), kind="stable")
    ends = np.sort(np.concatenate([texts.ends, at]), kind="stable")
    return _Texts(data, starts, ends)


def _urls(texts: _Texts) -> _Compared:
    """The host after ``http://`` or ``https://``; what has another scheme or none passes."""
    words = np.ndarray((len(texts.data) - 7,), np.dtype("<u8"), texts.data, strides=(1,))
    scheme = words[np.minimum(texts.starts, len(words) - 1)] | _FOLD
    is_https = scheme == _HTTPS
    is_odd = ~(((scheme & _SEVEN_BYTES) == _HTTP) | is_https)
    starts = np.minimum(texts.starts + 7 + is_https, texts.ends)
    others = np.append(np.flatnonzero(_ENDS_HOST[texts.data]), len(texts.data))
    ends = np.minimum(others[np.searchsorted(others, starts)], texts.ends)
    after = texts.data[np.minimum(ends, len(texts.data) - 1)]
    is_odd |= (ends < texts.ends) & ~_BEGINS_PATH[after]  # a port, credentials, an escape
    is_odd |= (ends <= starts) | (texts.ends - texts.starts > MAX_URL)
    ends = ends - (texts.data[ends - 1] == _DOT)
    last = texts.data[ends - 1]
    is_odd |= (last == _DOT) | ((last - np.uint8(0x30)) < 10)  # an address, perhaps as one number
    is_odd |= _respelled(texts)
    return _Compared(starts, ends, is_odd)


def _respelled(texts: _Texts) -> Flags:
    """Texts with a label that begins with ``0x`` (a number in an address) or ``xn--`` (IDN)."""
    data = texts.data
    is_found = np.zeros(len(data), np.bool_)
    at = np.flatnonzero((data[: len(data) - 3] | np.uint8(0x20)) == 0x78)
    is_hex = (data[at - 1] == 0x30) & _BEGINS_LABEL[data[at - 2]]
    is_idn = (data[at + 2] == 0x2D) & (data[at + 3] == 0x2D) & _BEGINS_LABEL[data[at - 1]]
    is_found[at[is_hex | is_idn]] = True
    # "0x" may be the last of the text.
    is_found[len(data) - 3 :] = (data[len(data) - 3 :] | np.uint8(0x20)) == 0x78
    is_found[:_WINDOW] = False
    return texts.holding(is_found)


def _cut_to_two_labels(later: Words, earlier: Words) -> None:
    """Zero, in place, what stands before the last two labels and the dot before them.

    A byte's lowest flag is the last dot of a word, and what lies below a flag comes after it.
    """
    last = _dots(later)
    second = last & (last - _ONE)  # without the last dot
    before = _dots(earlier)
    # With no dot in the later word the second one of the earlier counts, with one its last.
    has_last = (last != 0).astype(_U64)
    before &= (before - _ONE) | (_ZERO - has_last)
    earlier &= (before - _ONE) & ~before
    earlier *= second == 0
    later &= (second - _ONE) & ~second


def _dots(words: Words) -> Words:
    """The high bit of each byte that is a dot.

    The quick formula also flags a slash before a dot: in no name of an indicator is one, and in
    others it stands before what is compared.
    """
    others = words ^ _DOTS
    found = others - _ONES
    found &= ~others
    found &= _HIGH_BITS
    return found


def _windows(data: Bytes) -> np.ndarray[tuple[int], np.dtype[np.complex128]]:
    """The 16 bytes from each place on.

    As one number each: numpy fetches that in less than half the time of two words.
    """
    return np.ndarray((len(data) - _WINDOW + 1,), np.dtype("<c16"), data, strides=(1,))


def _keys(texts: _Texts, compared: _Compared, *, is_name: bool) -> Iterator[Words]:
    """A number for the end of each text, in its high bits; of equal ends the same."""
    windows = _windows(texts.data)
    for first in range(0, len(texts.ends), _ROWS):
        starts, ends = compared.starts[first:][:_ROWS], compared.ends[first:][:_ROWS]
        words = windows[ends - _WINDOW].view(np.dtype(">u8")).astype(_U64)
        later, earlier = words[1::2] | _FOLD, words[0::2] | _FOLD
        short = np.flatnonzero(ends - starts < _WINDOW)
        lengths = np.maximum(ends[short] - starts[short], 0)
        later[short] = later[short] & _LATER[lengths] | _LATER_DOTS[lengths]
        earlier[short] = earlier[short] & _EARLIER[lengths] | _EARLIER_DOTS[lengths]
        if is_name:
            _cut_to_two_labels(later, earlier)
        later *= _MIX
        later ^= later >> _HALF
        later += earlier
        later *= _MIX_AGAIN
        yield later


class Sieve:
    """Lets through the texts of a column that can meet one of some indicators."""

    def __init__(self, shows: Shows, lookups: pa.Array) -> None:
        """Make the bitmap.

        Args:
            shows: What the column shows; one of `SIFTED`.
            lookups: ``lookup`` of the indicators (string), see `foxhunt.indicators.SCHEMA`.
        """
        self._shows = shows
        self._compared = SIFTED[shows]
        if shows in _ADDRESSES and not pc.any(pc.match_substring(lookups, ":")).as_py():
            self._compared = partial(_addresses, met_six=False)
        bits = min(max(len(lookups).bit_length() + _SPARE_BITS, _LEAST_BITS), _MOST_BITS)
        self._shift = _U64(64 - bits)
        is_met = np.zeros(1 << bits, np.bool_)
        texts = _Texts.of(lookups)
        none = np.zeros(len(lookups), np.bool_)
        for keys in self._keys(texts, _Compared(texts.starts, texts.ends, none)):
            is_met[keys >> self._shift] = True
        self._bitmap = np.packbits(is_met, bitorder="little")

    def passing(self, values: pa.Array) -> pa.Array:
        """Positions (int64) of the values that have to be compared; never of null or empty ones.

        Args:
            values: Texts (string or large_string).
        """
        texts = _Texts.of(pc.fill_null(values, "") if values.null_count else values)
        whole = texts
        if self._shows is Shows.ANSWERS:
            texts = _items(whole)
        compared = self._compared(texts)
        found = [self._is_met(keys >> self._shift) for keys in self._keys(texts, compared)]
        flags = np.concatenate([np.zeros(0, np.bool_), *found])
        flags |= compared.is_odd
        flags &= texts.ends > texts.starts
        at = np.flatnonzero(flags)
        if texts is not whole:
            at = np.unique(np.searchsorted(whole.ends, texts.ends[at], side="left"))
        # Over the same memory, not by `pa.array`: Arrow may have been imported without numpy.
        return pa.Array.from_buffers(pa.int64(), len(at), [None, pa.py_buffer(at)])

    def _keys(self, texts: _Texts, compared: _Compared) -> Iterator[Words]:
        return _keys(texts, compared, is_name=self._shows in _BY_LABELS)

    def _is_met(self, places: Words) -> Flags:
        bits = self._bitmap[(places >> _U64(3)).astype(np.int64)]
        bits >>= (places & _U64(7)).astype(np.uint8)
        bits &= np.uint8(1)
        return bits.view(np.bool_)


_BY_LABELS, _ADDRESSES = (Shows.NAME, Shows.URL), (Shows.ADDRESS, Shows.ANSWERS)
# What a sieve can tell of, and what it compares of each text. An address or a hash is what an
# indicator's is, or another spelling, which passes; a name is one of an indicator or below it, so
# that it ends with the same two labels.
SIFTED: dict[Shows, Callable[[_Texts], _Compared]] = {
    Shows.NAME: _names,
    Shows.URL: _urls,
    Shows.ADDRESS: _addresses,
    Shows.ANSWERS: _addresses,
    Shows.MD5: _hashes,
    Shows.SHA1: _hashes,
    Shows.SHA256: _hashes,
    Shows.HASH: _hashes,
}
