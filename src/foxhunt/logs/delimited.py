"""Where the fields of delimited lines are: CSV in which a record is a line, and Zeek's TSV."""

from __future__ import annotations

from collections.abc import Collection

from foxhunt.arrays import Bytes, Places, np
from foxhunt.logs.faults import IrregularError
from foxhunt.logs.fields import Fields, Spans
from foxhunt.logs.layouts import Delimited
from foxhunt.logs.text_blocks import PAD, Block

_FEED, _RETURN, _QUOTE, _BACKSLASH = b'\n\r"\\'
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
    is_odd = np.zeros(len(ends), np.bool_)
    odd = [_oddly_placed(data, quotes, layout.delimiter)]
    if layout.has_escapes and b"\\" in block.text:
        odd.append(np.flatnonzero(data == _BACKSLASH))
    is_odd[np.searchsorted(lines.ends, np.concatenate(odd), side="right")] = True
    if block.has_returns:
        ends[:, -1] -= 1
    columns = {}
    for name in names:
        place = layout.told[name]
        first = ends[:, place - 1] + 1 if place else starts
        last = ends[:, place].copy()
        if len(quotes):
            is_within = data[first] == _QUOTE
            first, last = first + is_within, last - is_within
        if layout.unset is not None:
            last -= (last - first == 1) & (data[first] == layout.unset[0])
        columns[name] = Spans(data, first, last)
    return Fields(lines, columns, is_odd)


def _ends(data: Bytes, layout: Delimited) -> tuple[_Table, Places]:
    """Where each field of each line ends, and where quotes are, if fields may stand in them.

    Raises:
        IrregularError: A line has more fields or fewer, or a record more lines.
    """
    is_mark = data == layout.delimiter[0]
    is_mark |= data == _FEED
    if layout.is_quoted:
        is_mark |= data == _QUOTE
    at = np.flatnonzero(is_mark)
    marks = data[at]
    is_quote = marks == _QUOTE
    quotes = at[:0]
    if layout.is_quoted and is_quote.any():
        quotes = at[is_quote]
        # A quote within quotes is written twice: after both, it is within as before.
        is_within = np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(np.bool_)
        if is_within[-1]:
            raise IrregularError  # the last quotes are open
        is_end = ~(is_quote | is_within)
        at, marks = at[is_end], marks[is_end]
    count = len(at) // layout.width
    is_feed = marks == _FEED
    if len(at) != count * layout.width or np.count_nonzero(is_feed) != count:
        raise IrregularError
    if not is_feed.reshape(count, layout.width)[:, -1].all():
        raise IrregularError
    return at.reshape(count, layout.width), quotes


def _oddly_placed(data: Bytes, quotes: Places, delimiter: bytes) -> Places:
    """The quotes that are elsewhere than around a whole field, or the ones that they go with."""
    before, after = data[quotes[0::2] - 1], data[quotes[1::2] + 1]
    is_around = (before == delimiter[0]) | (before == _FEED) | (quotes[0::2] == PAD)
    is_around &= (after == delimiter[0]) | (after == _FEED) | (after == _RETURN)
    odd: Places = quotes[0::2][~is_around]
    return odd
