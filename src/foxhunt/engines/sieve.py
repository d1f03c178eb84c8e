"""Which texts of a column can meet an indicator at all, told from their last bytes, in numpy.

Nearly all rows of a log meet nothing. A sieve lets through every value that can meet one of its
indicators and few others, for a fraction of what it costs to find a column's distinct values:
it takes at most 16 bytes of each text, the end of what is compared, and looks them up in a
bitmap of the indicators' own ends. What it lets through is compared as ever; a text whose end
does not tell (other than printable ASCII, unusual spelling) always passes.
"""

from __future__ import annotations

import string
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.indicators.urls import MAX_URL
from foxhunt.tables import Shows

if sys.modules.get("numpy", sys) is None:  # `foxhunt.cli` held it off
    del sys.modules["numpy"]
import numpy as np

_U64 = np.uint64
_Bits = np.ndarray[tuple[int], np.dtype[np.uint64]]
_Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
_Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

_WINDOW = 16
_ALL = (1 << 64) - 1
# Arrays of this many rows stay in a core's cache from one operation to the next.
_ROWS = 16_384
# 32 bits an indicator: some 3 % of other ends are let through.
_SPARE_BITS = 5
_LEAST_BITS, _MOST_BITS = 16, 27


def _byte(value: int) -> np.uint64:
    """A word of eight times the same byte."""
    return _U64(value * 0x0101010101010101)


_ONES, _HIGH_BITS, _DOTS, _FOLD = _byte(0x01), _byte(0x80), _byte(0x2E), _byte(0x20)
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

    data: _Bytes
    starts: _Places
    ends: _Places

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
        # The zeros before the first text belong to it: the caller flags none of them.
        flags[np.searchsorted(self.ends, np.flatnonzero(is_held), side="right")] = True
        return flags


@dataclass(frozen=True, slots=True)
class _Compared:
    """What of each text is compared, and which texts pass unseen since that cannot be told."""

    starts: _Places
    ends: _Places
    is_odd: Flags


def _unprintable(texts: _Texts) -> Flags:
    is_other = (texts.data - np.uint8(0x21)) > 0x7E - 0x21
    is_other[:_WINDOW] = False
    return texts.holding(is_other)


def _hashes(texts: _Texts) -> _Compared:
    """A hash is compared folded and without the spaces around it: at its end they would show."""
    last = texts.data[texts.ends - 1]
    return _Compared(texts.starts, texts.ends, (last - np.uint8(0x21)) > 0x7E - 0x21)


def _names(texts: _Texts) -> _Compared:
    is_odd = _unprintable(texts)
    ends = texts.ends - (texts.data[texts.ends - 1] == _DOT)
    is_odd |= texts.data[ends - 1] == _DOT  # more than one dot at the end
    return _Compared(texts.starts, ends, is_odd)


def _addresses(texts: _Texts) -> _Compared:
    """Whatever has other characters than IPv4 in decimals may be spelled in many ways."""
    is_other = (texts.data - np.uint8(0x2E)) > 0x39 - 0x2E
    is_other[:_WINDOW] = False
    return _Compared(texts.starts, texts.ends, texts.holding(is_other))


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
    is_odd |= _respelled(texts) | _unprintable(texts)
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


def _cut_to_two_labels(later: _Bits, earlier: _Bits) -> None:
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


def _dots(words: _Bits) -> _Bits:
    """The high bit of each byte that is a dot.

    The quick formula also flags a slash before a dot: in no name of an indicator is one, and in
    others it stands before what is compared.
    """
    others = words ^ _DOTS
    found = others - _ONES
    found &= ~others
    found &= _HIGH_BITS
    return found


def _keys(texts: _Texts, compared: _Compared, *, is_name: bool) -> Iterator[_Bits]:
    """A number for the end of each text, in its high bits; of equal ends the same."""
    # As one 16-byte number each: numpy fetches that in less than half the time of two words.
    windows = np.ndarray(
        (len(texts.data) - _WINDOW + 1,), np.dtype("<c16"), texts.data, strides=(1,)
    )
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
        compared = SIFTED[self._shows](texts)
        found = [self._is_met(keys >> self._shift) for keys in self._keys(texts, compared)]
        flags = np.concatenate([np.zeros(0, np.bool_), *found])
        flags |= compared.is_odd
        flags &= texts.ends > texts.starts
        at = np.flatnonzero(flags)
        # Over the same memory, not by `pa.array`: Arrow may have been imported without numpy.
        return pa.Array.from_buffers(pa.int64(), len(at), [None, pa.py_buffer(at)])

    def _keys(self, texts: _Texts, compared: _Compared) -> Iterator[_Bits]:
        return _keys(texts, compared, is_name=self._shows in _BY_LABELS)

    def _is_met(self, places: _Bits) -> Flags:
        bits = self._bitmap[(places >> _U64(3)).astype(np.int64)]
        bits >>= (places & _U64(7)).astype(np.uint8)
        bits &= np.uint8(1)
        return bits.view(np.bool_)


_BY_LABELS = (Shows.NAME, Shows.URL)
# What a sieve can tell of, and what it compares of each text. An address or a hash is what an
# indicator's is, or another spelling, which passes; a name is one of an indicator or below it, so
# that it ends with the same two labels.
SIFTED: dict[Shows, Callable[[_Texts], _Compared]] = {
    Shows.NAME: _names,
    Shows.URL: _urls,
    Shows.ADDRESS: _addresses,
    Shows.MD5: _hashes,
    Shows.SHA1: _hashes,
    Shows.SHA256: _hashes,
    Shows.HASH: _hashes,
}
