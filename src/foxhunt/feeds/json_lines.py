"""Entries of ThreatFox's JSON export that are written a field a line, as its publisher writes them.

Where each line of a record is a name and one text, number or truth value, in the same order as in
the first record, a record is cut into its fields without reading JSON: lines are compared and
sliced, many at once. A text with a quote or a backslash in it is read record by record; text of
any other form is not taken at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import FeedError
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import OUTER_ID, RawRecord
from foxhunt.feeds.threatfox import FIRST_SEEN, LAST_SEEN, VALUE

_FIELD = re.compile(r'([ \t]*"([^"\\]+)"[ \t]*:[ \t]*)(?:"(?:[^"\\]|\\.)*"|[^",\s]+)(,?)')
_MOST_FIELDS = 100
# Compared and sliced; of all others each distinct line is read once.
_OF_MANY_VALUES = frozenset(VALUE + FIRST_SEEN + LAST_SEEN + ("reference",))
# What stands in place of a text; numbers of more digits are for the plain reader.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WORDS: dict[str, bool | None] = {"null": None, "true": True, "false": False}
_KINDS: dict[type, pa.DataType] = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
_NO_TEXT = pa.scalar(None, pa.string())
_FALSE = pa.scalar(False, pa.bool_())
_LONGEST_ID, _ONE = pa.scalar(20, pa.int32()), pa.scalar(1, pa.int64())
# Something else than what a line of a regular field has.
_OTHER = object()


@dataclass(frozen=True, slots=True)
class _Field:
    """A line of a record: ``prefix``, the value, ``tail`` (a comma, or nothing)."""

    name: str
    prefix: str
    tail: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The lines of an entry but for its values.

    Attributes:
        before_id: What the line of an id begins with, up to its first digit.
        after_id: What it ends with.
        opens: The line that a record begins with.
        fields: Its lines.
        closes: The line that the last record of an entry ends with; others add a comma.
        ends: The line that an entry ends with.
    """

    before_id: str
    after_id: str
    opens: str
    fields: tuple[_Field, ...]
    closes: str
    ends: str

    @classmethod
    def of(cls, text: str, opening: str, closing: str) -> Frame | None:
        """The frame of the entry that ``text`` begins with; None if it has none.

        Args:
            text: From the first digit of an id.
            opening: What stands between an id and the first field of its record, less white
                space at its end.
            closing: What stands between the brace after a record, inclusive, and the next id.
        """
        after_id, _, opens = opening.partition("\n")
        brace, *between = closing.split("\n")
        first = text.find("\n", text.find(opening) + len(opening) - 1) + 1
        if brace != "}" or len(between) != 2 or not opens or "\n" in opens or not first:
            return None
        lines = text[first : text.find(closing) + 1].split("\n", _MOST_FIELDS)
        length = next((n for n, line in enumerate(lines) if line.strip(" \t,") == "}"), 0)
        matches = [_FIELD.fullmatch(line) for line in lines[:length]]
        fields = tuple(_Field(m[2], m[1], m[3]) for m in matches if m)
        tails = "".join(field.tail or " " for field in fields)
        names = {field.name for field in fields} - {OUTER_ID}
        if not len(names) == length > 0 or tails != "," * (length - 1) + " ":
            return None
        closes = lines[length].removesuffix(",")
        return cls(between[1], after_id, opens, fields, closes, between[0])


class LinesRun:
    """Entries, see `foxhunt.feeds.raw.Run`; an entry may have more than one record.

    Args:
        text: From the first digit of an id to the brace after a record.
        frame: Of its entries.

    Raises:
        FeedError: The text is not a number of such entries, or not certainly.
    """

    def __init__(self, text: str, frame: Frame) -> None:
        self._frame = frame
        try:
            whole = pa.array([f"{frame.before_id}{text}\n{frame.ends}"], pa.string())
        except UnicodeEncodeError:  # half a character, as a bad byte leaves one
            raise FeedError("not UTF-8") from None
        self._lines = pc.split_pattern(whole, "\n").values
        opens = pc.indices_nonzero(pc.equal(self._lines, pa.scalar(frame.opens, pa.string())))
        self._opens = opens.cast(pa.int64())
        self._ids = self._read_ids(self._are_last())
        self._table, is_odd = self._read_fields("\\" in text)
        self._odd = {at: self._parsed(at) for at in pc.indices_nonzero(is_odd).to_pylist()}

    def __len__(self) -> int:
        return len(self._opens)

    def columns(self) -> pa.Table:
        """See `Run.columns`; a record that columns cannot show has no id."""
        return self._table

    def record(self, position: int) -> RawRecord:
        """See `Run.record`."""
        return self._odd.get(position) or self._parsed(position)

    def _line(self, number: int) -> pa.Array:
        """Of each record the line so many below the one it begins with."""
        return self._lines.take(pc.add(self._opens, pa.scalar(number, pa.int64())))

    def _are_last(self) -> pa.Array:
        """Of each record whether it is the last of its entry.

        Raises:
            FeedError: There are other lines than those of records in their entries.
        """
        length = len(self._frame.fields) + 2
        records = len(self._opens)
        if not records or self._opens[-1].as_py() + length + 1 != len(self._lines):
            raise FeedError("other lines than those of records")
        closing = self._line(length - 1)
        is_last = pc.equal(closing, pa.scalar(self._frame.closes, pa.string()))
        is_more = pc.equal(closing, pa.scalar(self._frame.closes + ",", pa.string()))
        # Behind the last record of an entry: its end, and the id of the next one.
        steps = pc.if_else(is_last, *(pa.scalar(n, pa.int64()) for n in (length + 2, length)))
        found = pc.subtract(self._opens[1:], self._opens[:-1])
        is_right = pc.all(pc.equal(found, steps[:-1]), min_count=0).as_py()
        ends = self._line(length).filter(is_last)
        are_ends = pc.all(pc.equal(ends, pa.scalar(self._frame.ends, pa.string())), min_count=0)
        is_known = pc.all(pc.or_(is_last, is_more)).as_py()
        whole = self._opens[0].as_py() == 1 and is_last[-1].as_py() and is_known and is_right
        if not (whole and are_ends.as_py()):
            raise FeedError("other lines than those of records")
        return is_last

    def _read_ids(self, is_last: pa.Array) -> pa.Array:
        """The id of each record; of the second one of an entry with ``.2`` behind it.

        Raises:
            FeedError: One is no number.
        """
        is_first = pa.concat_arrays([pa.array([True], pa.bool_()), is_last[:-1]])
        lines = self._line(-1).filter(is_first)
        before, after = self._frame.before_id, self._frame.after_id
        is_id = pc.and_(pc.starts_with(lines, before), pc.ends_with(lines, after))
        ids = _between(lines, before, after)
        is_number = pc.and_(
            pc.ascii_is_decimal(ids), pc.less_equal(pc.binary_length(ids), _LONGEST_ID)
        )
        if not pc.all(pc.and_(is_id, is_number)).as_py():
            raise FeedError("something else than an id stands before a record")
        if len(ids) == len(self._opens):
            return ids
        entry = pc.subtract(pc.cumulative_sum(is_first.cast(pa.int64())), _ONE)
        starts = pc.indices_nonzero(is_first).cast(pa.int64())
        positions = pa.array(range(len(self._opens)), pa.int64())
        number = pc.add(pc.subtract(positions, starts.take(entry)), _ONE).cast(pa.string())
        numbered = pc.binary_join_element_wise(ids.take(entry), number, pa.scalar(".", pa.string()))
        return pc.if_else(is_first, ids.take(entry), numbered)

    def _read_fields(self, has_escapes: bool) -> tuple[pa.Table, pa.Array]:
        """The columns, and of each record whether one of its lines is not regular."""
        is_odd = pa.repeat(_FALSE, len(self._opens))
        columns = []
        for number, field in enumerate(self._frame.fields, start=1):
            column, is_read = _column(self._line(number), field, has_escapes)
            columns.append(column)
            if is_read is not None:
                is_odd = pc.or_(is_odd, pc.invert(is_read))
        ids = pc.if_else(is_odd, _NO_TEXT, self._ids)
        names = [OUTER_ID, *(field.name for field in self._frame.fields)]
        return pa.table([ids, *columns], names=names), is_odd

    def _parsed(self, position: int) -> RawRecord:
        """One record, by the plain reader.

        Raises:
            FeedError: Its lines are not those of one record.
        """
        start = self._opens[position].as_py()
        lines = self._lines[start : start + len(self._frame.fields) + 2].to_pylist()
        text = JsonText(StringIO("\n".join(lines).rstrip(",")), "")
        record = text.value()
        if text.peek():
            raise FeedError("more than a record between two braces")
        return self._ids[position].as_py(), record


def _between(lines: pa.Array, before: str, after: str) -> pa.Array:
    """What stands in each line between what it begins and what it ends with."""
    start, stop = len(before.encode()), -len(after.encode()) or None
    # As bytes: as text, every character up to the first one would be counted.
    return pc.binary_slice(lines.cast(pa.binary()), start, stop).cast(pa.string())


def _column(lines: pa.Array, field: _Field, has_escapes: bool) -> tuple[pa.Array, pa.Array | None]:
    """The values in lines of one field, and of each whether it was read; None if all were."""
    if field.name in _OF_MANY_VALUES:
        return _texts(lines, field, has_escapes)
    return _distinct(lines, field)


def _texts(lines: pa.Array, field: _Field, has_escapes: bool) -> tuple[pa.Array, pa.Array | None]:
    """The texts of a field of many values, or nulls; see `_column`."""
    before, after = f'{field.prefix}"', f'"{field.tail}'
    shortest = pa.scalar(len(before.encode()) + len(after), pa.int32())
    is_text = pc.and_(
        pc.and_(pc.starts_with(lines, before), pc.ends_with(lines, after)),
        pc.greater_equal(pc.binary_length(lines), shortest),
    )
    is_all_text = pc.all(is_text).as_py()
    texts = _between(lines if is_all_text else pc.if_else(is_text, lines, _NO_TEXT), before, after)
    is_marked = pc.match_substring(texts, '"')
    if has_escapes:
        is_marked = pc.or_(is_marked, pc.match_substring(texts, "\\"))
    has_marks = pc.any(is_marked).as_py()
    if is_all_text and not has_marks:
        return texts, None
    if has_marks:
        texts = pc.if_else(is_marked, _NO_TEXT, texts)
    is_null = pc.equal(lines, pa.scalar(f"{field.prefix}null{field.tail}", pa.string()))
    return texts, pc.or_(pc.is_valid(texts), is_null)


def _distinct(lines: pa.Array, field: _Field) -> tuple[pa.Array, pa.Array | None]:
    """The values of a field of few values; see `_column`. Of two kinds of values one is read."""
    coded = lines.dictionary_encode()
    found = [_value(line, field) for line in coded.dictionary.to_pylist()]
    kind = next((type(value) for value in found if type(value) in _KINDS), str)
    is_read = [value is None or type(value) is kind for value in found]
    values = [value if type(value) is kind else None for value in found]
    column = pa.array(values, _KINDS[kind]).take(coded.indices)
    return column, None if all(is_read) else pa.array(is_read, pa.bool_()).take(coded.indices)


def _value(line: str, field: _Field) -> object:
    """What a line says; `_OTHER` if it is not certain."""
    is_framed = line.startswith(field.prefix) and line.endswith(field.tail)
    text = line[len(field.prefix) : len(line) - len(field.tail)] if is_framed else ""
    inner = text[1:-1]
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in inner and "\\" not in inner:
        return inner
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _NUMBER.fullmatch(text) else _OTHER
