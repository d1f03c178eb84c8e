"""Where the values of JSON lines are that are written alike.

A program writes a record's members in one order with the same signs between them. A *template* is
what all of some lines have around their values: where a line has it, byte for byte, and its values
are texts without escapes, numbers or literals, it is the JSON object that it seems to be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from foxhunt.arrays import Bytes, Flags, Places, np
from foxhunt.logs.clean_values import clean_scalars, is_null, same_bytes
from foxhunt.logs.fields import Fields, Spans
from foxhunt.logs.layouts import JsonLines
from foxhunt.logs.text_blocks import PAD, Block

_FEED, _QUOTE, _BACKSLASH = ord("\n"), ord('"'), ord("\\")
_TOKEN = re.compile(rb'\s*(?:("[^"\\]*")|([^\s"{}\[\],:]+)|([{}\[\],:]))')
# Optional members make many forms of one record; what is rarer than these is read.
_MOST_TEMPLATES, _MOST_NEW = 64, 16
_MOST_VALUES = 500


class _Point(NamedTuple):
    """A place in a line: so many bytes after the beginning of a piece."""

    piece: int
    offset: int


@dataclass(frozen=True, slots=True)
class Template:
    """What lines have in common.

    Attributes:
        pieces: What comes before each value, and what after the last; quotes around a text are
            the pieces'.
        is_text: Whether each value stands in quotes.
        members: Name of a member to where its value begins and ends, a text within its quotes.
        fixed: Members whose value is part of the pieces.
    """

    pieces: tuple[bytes, ...]
    is_text: tuple[bool, ...]
    members: Mapping[str, tuple[_Point, _Point]]
    fixed: Collection[str]

    @property
    def quotes(self) -> int:
        """How many quotes a line has."""
        return sum(piece.count(b'"') for piece in self.pieces)


def template_of(line: bytes, fixed: Mapping[str, str]) -> Template | None:
    """The template of a record, if there is one.

    Args:
        line: The record, without its line feed.
        fixed: Members whose text is part of the template, and what it is.
    """
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, list) or not line.lstrip().startswith(b"{"):
        return None
    members = [name for name, _ in pairs]
    if len(set(members)) < len(members):
        return None
    if any(value != fixed.get(name, value) for name, value in pairs):
        return None
    return _Walk(line, fixed).template()


class _Walk:
    """Goes through the tokens of a record, and tells values from what is around them."""

    def __init__(self, line: bytes, fixed: Mapping[str, str]) -> None:
        self._line, self._fixed = line, fixed
        self._pieces: list[bytes] = []
        self._is_text: list[bool] = []
        self._end = 0  # of the last value
        self._names: set[str] = set()

    def template(self) -> Template | None:
        members: dict[str, tuple[_Point, _Point]] = {}
        open_: list[bytes] = []
        name, is_key, begin = "", False, _Point(0, 0)
        for token in _TOKEN.finditer(self._line):
            text, bare, sign = token.groups()
            if sign in (b"{", b"["):
                if len(open_) == 1:
                    begin = self._point(token.start(3))
                open_.append(sign)
                is_key = sign == b"{"
            elif sign in (b"}", b"]"):
                open_.pop()
                if len(open_) == 1:
                    members[name] = begin, self._point(token.end(3))
            elif sign == b",":
                is_key = open_[-1] == b"{"
            elif sign is None and is_key:
                is_key = False
                name = text[1:-1].decode() if len(open_) == 1 else name
                self._names.add(name)
            elif sign is None and name not in self._fixed:
                start, end = token.span(1 if bare is None else 2)
                if bare is not None and open_[-1] == b"[" and self._is_after_number(start):
                    self._end = end
                else:
                    self._value(start, end, is_text=bare is None)
                if len(open_) == 1:
                    last = len(self._pieces) - 1
                    members[name] = _Point(last, len(self._pieces[last])), _Point(last + 1, 0)
        self._pieces.append(self._line[self._end :])
        return self._checked(members)

    def _is_after_number(self, start: int) -> bool:
        """Whether a value without quotes is of the same array as one before: they are one value."""
        between = self._line[self._end : start]
        return bool(self._is_text) and not self._is_text[-1] and between.strip() == b","

    def _value(self, start: int, end: int, *, is_text: bool) -> None:
        self._pieces.append(self._line[self._end : start + is_text])
        self._is_text.append(is_text)
        self._end = end - is_text

    def _point(self, place: int) -> _Point:
        return _Point(len(self._pieces), place - self._end)

    def _checked(self, members: Mapping[str, tuple[_Point, _Point]]) -> Template | None:
        """The template, where each piece can be found by a quote or at the line's end."""
        found = all(b'"' in piece for piece in self._pieces[:-1])
        if not found or not self._is_text or len(self._is_text) > _MOST_VALUES:
            return None
        fixed = frozenset(self._fixed).intersection(self._names)
        return Template(tuple(self._pieces), tuple(self._is_text), members, fixed)


class _Lines:
    """The lines of a block."""

    def __init__(self, block: Block) -> None:
        data = block.data
        is_mark = data == _QUOTE
        is_mark |= data == _FEED
        at = np.flatnonzero(is_mark)
        feed_marks = np.flatnonzero(data[at] == _FEED)
        feeds, self._marks = at[feed_marks], at
        self.data = data
        self.starts = np.empty(len(feeds), np.int64)
        self.starts[:1], self.starts[1:] = PAD, feeds[:-1] + 1
        self.ends = feeds - block.has_returns
        self.whole = Spans(data, self.starts, feeds + 1)
        self.is_odd = self._holding(data, block, feeds)
        # Each line's quotes are the marks before its line feed.
        self.counts = np.diff(feed_marks, prepend=-1) - 1
        self._firsts = feed_marks - self.counts

    def _holding(self, data: Bytes, block: Block, feeds: Places) -> Flags:
        """Which lines have an escape, or a character that no text of JSON has."""
        is_odd = np.zeros(len(feeds), np.bool_)
        is_control = data[PAD:-PAD] < 0x20
        if np.count_nonzero(is_control) != len(feeds) * (1 + block.has_returns):
            is_control &= (data[PAD:-PAD] != _FEED) & (data[PAD:-PAD] != ord("\r"))
            at = np.flatnonzero(is_control) + PAD
            is_odd[np.searchsorted(feeds, at)] = True
        if b"\\" in block.text:
            is_odd[np.searchsorted(feeds, np.flatnonzero(data == _BACKSLASH))] = True
        return is_odd

    def quotes(self, at: Places) -> Callable[[int], Places]:
        """Of some lines, from the number of a quote, from 0, to where it is."""
        marks, firsts = self._marks, self._firsts[at]
        return lambda number: marks[firsts + number]


def fields_of(block: Block, layout: JsonLines, names: Collection[str]) -> Fields:
    """See `foxhunt.logs.layouts.Layout.fields`."""
    lines = _Lines(block)
    count = len(lines.starts)
    is_left = ~lines.is_odd
    columns = {name: _Column(lines.starts, lines.data) for name in names}
    for template in _templates(lines, layout, is_left):
        at = np.flatnonzero(is_left & (lines.counts == template.quotes))
        if not len(at):
            continue
        values = _match(lines, at, template)
        is_left[values.at] = False
        lines.is_odd[values.at] = ~_is_told(lines.data, values, template, layout)
        for name, column in columns.items():
            ends = template.members.get(layout.told[name])
            if ends is not None:
                column.fill(values, *ends, is_all=len(values.at) == count)
    spans = {name: column.spans() for name, column in columns.items()}
    return Fields(lines.whole, spans, lines.is_odd | is_left)


def _templates(lines: _Lines, layout: JsonLines, is_left: Flags) -> Iterator[Template]:
    """The templates that are known, then those of lines that have none of them."""
    known = tuple(layout.templates)
    yield from known
    for _ in range(_MOST_NEW):
        if len(layout.templates) >= _MOST_TEMPLATES or not is_left.any():
            return
        at = int(np.argmax(is_left))
        line = lines.data[lines.starts[at] : lines.ends[at]].tobytes()
        template = template_of(line, layout.fixed)
        if template is None or template in layout.templates:
            # What has a template that it is not told by, too: a number with an exponent.
            is_left[at] = False
            lines.is_odd[at] = True
        else:
            layout.templates.append(template)
            yield template


def _is_told(data: Bytes, values: _Values, template: Template, layout: JsonLines) -> Flags | bool:
    """Which of the lines that have a template are of those that the layout tells of."""
    if not template.members.keys().isdisjoint(layout.unwanted):
        return np.zeros(len(values.at), np.bool_)
    if not layout.telling or template.fixed:
        return np.ones(len(values.at), np.bool_)
    name = next((name for name in layout.telling if name in template.members), None)
    if name is None or not layout.telling[name]:
        return np.zeros(len(values.at), np.bool_)
    # Of a line in which it has no value another tells: that one is read.
    return ~_is_none(Spans(data, *map(values.places_of, template.members[name])))


@dataclass(frozen=True, slots=True)
class _Values:
    """Lines that have a template.

    Attributes:
        at: Which.
        kept: Which these are of those that were looked at.
        places: Where the pieces begin of all that were looked at, by number of the piece.
    """

    at: Places
    kept: Places | slice
    places: Sequence[Places]

    def places_of(self, point: _Point) -> Places:
        """Where a point is in each line."""
        places: Places = self.places[point.piece][self.kept] + point.offset
        return places


def _match(lines: _Lines, at: Places, template: Template) -> _Values:
    data, line_starts, line_ends = lines.data, lines.starts[at], lines.ends[at]
    quotes, used = lines.quotes(at), 0
    places: list[Places] = []
    for piece in template.pieces:
        quote = piece.find(b'"')
        places.append(line_ends - len(piece) if quote < 0 else quotes(used) - quote)
        used += piece.count(b'"')
    is_same = places[0] == line_starts
    for place, piece in zip(places, template.pieces, strict=True):
        is_same &= same_bytes(data, np.maximum(place, 0), piece)
    is_same &= places[-1] + len(template.pieces[-1]) == line_ends
    for number, is_text in enumerate(template.is_text):
        if not is_text:
            first, last = places[number] + len(template.pieces[number]), places[number + 1]
            is_same &= first < last
            # Of a line without the template they may be anywhere.
            first = np.clip(first, PAD, len(data) - PAD)
            last = np.clip(last, first, len(data) - PAD)
            is_same &= _clean_bare(Spans(data, first, last), is_same)
    kept = slice(None) if is_same.all() else np.flatnonzero(is_same)
    return _Values(at[kept], kept, places)


# JSON's numbers (RFC 8259), and several as arrays have them (Zeek's TTLs).
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:, ?{_NUMBER})*".encode())


def _clean_bare(spans: Spans, is_asked: Flags) -> Flags:
    """Which values without quotes are a scalar, or several numbers; asked of some."""
    is_clean = clean_scalars(spans)
    at = np.flatnonzero(is_asked & ~is_clean)
    is_clean[at] = [_NUMBERS.fullmatch(text) is not None for text in spans.texts(at)]
    return is_clean


def _is_none(spans: Spans) -> Flags:
    """Which are null, and not a text of these letters."""
    is_none: Flags = is_null(spans) & (spans.data[spans.starts - 1] != _QUOTE)
    return is_none


class _Column:
    """The values of one column; of a line without one an empty text at its start."""

    def __init__(self, starts: Places, data: Bytes) -> None:
        self._data, self._none = data, starts
        self._starts: Places | None = None
        self._ends: Places | None = None

    def fill(self, values: _Values, first: _Point, last: _Point, *, is_all: bool) -> None:
        starts, ends = values.places_of(first), values.places_of(last)
        ends = np.where(_is_none(Spans(self._data, starts, ends)), starts, ends)
        if is_all:
            self._starts, self._ends = starts, ends
            return
        if self._starts is None or self._ends is None:
            self._starts, self._ends = self._none.copy(), self._none.copy()
        self._starts[values.at], self._ends[values.at] = starts, ends

    def spans(self) -> Spans:
        if self._starts is None or self._ends is None:
            return Spans(self._data, self._none, self._none)
        return Spans(self._data, self._starts, self._ends)
