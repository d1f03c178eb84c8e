"""Where the fields of delimited lines are: CSV in which a record is a line, and Zeek's TSV."""

from __future__ import annotations

from collections.abc import Collection

from foxhunt.arrays import Bytes, Flags, Places, np
from foxhunt.logs.faults import IrregularError
from foxhunt.logs.fields import Fields, Spans
from foxhunt.logs.layouts import Delimited
from foxhunt.logs.text_blocks import PAD, Block

_FEED, _QUOTE, _BACKSLASH = ord("\n"), ord('"'), ord("\\")
# A row a line, a column a field.
_Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]


def fields_of(block: Block, layout: Delimited, names: Collection[str]) -> Fields:
    """See `foxhunt.logs.layouts.Layout.fields`."""
    data = block.data
    if any(bytes([byte]) in block.text for byte in layout.unusual):
        raise IrregularError
    ends, quotes = _ends(data, layout)
    starts = np.empty(len(ends), np.int64)
    starts[:1], starts[1:] = PAD, ends[:-1, -1] + 1
    lines = Spans(data, starts, ends[:, -1] + 1)
    if layout.closing is not None and (data[starts] == layout.closing[0]).any():
        raise IrregularError
    if block.has_returns:
        ends[:, -1] -= 1
    is_odd = np.zeros(len(ends), np.bool_)
    if quotes is not None:
        is_odd = _oddly_quoted(data, starts, ends, quotes)
    if layout.has_escapes and b"\\" in block.text:
        at = np.flatnonzero(data == _BACKSLASH)
        is_odd[np.searchsorted(lines.ends, at, side="right")] = True
    columns = {}
    for name in names:
        place = layout.told[name]
        first = ends[:, place - 1] + 1 if place else starts
        last = ends[:, place].copy()
        if quotes is not None and (is_within := quotes[:, place] > 0).any():
            first, last = first + is_within, last - is_within
        if layout.unset is not None:
            last -= (last - first == 1) & (data[first] == layout.unset[0])
        columns[name] = Spans(data, first, last)
    return Fields(lines, columns, is_odd)


def _ends(data: Bytes, layout: Delimited) -> tuple[_Table, _Table | None]:
    """Where each field of each line ends, and how many quotes it has, if any has one.

    Raises:
        IrregularError: A line has more fields or fewer, or a record more lines.
    """
    is_mark = data == layout.delimiter[0]
    is_mark |= data == _FEED
    if layout.is_quoted:
        is_mark |= data == _QUOTE
    at = np.flatnonzero(is_mark)
    marks = data[at]
    quotes = None
    is_quote = marks == _QUOTE
    if layout.is_quoted and is_quote.any():
        before = np.cumsum(is_quote)
        if before[-1] & 1:
            raise IrregularError  # the last quotes are open
        # A quote within quotes is written twice, which keeps the number even where it was.
        is_end = ~is_quote & ((before & 1) == 0)
        quotes = np.diff(before[is_end], prepend=0)
        at, marks = at[is_end], marks[is_end]
    count = len(at) // layout.width
    is_feed = marks == _FEED
    if len(at) != count * layout.width or np.count_nonzero(is_feed) != count:
        raise IrregularError
    if not is_feed.reshape(count, layout.width)[:, -1].all():
        raise IrregularError
    shape = (count, layout.width)
    return at.reshape(shape), None if quotes is None else quotes.reshape(shape)


def _oddly_quoted(data: Bytes, starts: Places, ends: _Table, quotes: _Table) -> Flags:
    """Which lines have quotes elsewhere than around a whole field."""
    is_odd = np.zeros(len(ends), np.bool_)
    width = ends.shape[1]
    at = np.flatnonzero(quotes)
    lasts = ends.ravel()
    firsts = np.where(at % width, lasts[at - 1] + 1, starts[at // width])
    is_whole = (quotes.ravel()[at] == 2) & (lasts[at] - firsts >= 2)
    is_whole &= (data[firsts] == _QUOTE) & (data[lasts[at] - 1] == _QUOTE)
    is_odd[at[~is_whole] // width] = True
    return is_odd
