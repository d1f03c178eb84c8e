"""Entries of ThreatFox's JSON export in their regular form, many at once.

``"<id>": [{...}]`` with one record of plain text, numbers and truth values is what nearly all
entries are. Such text is cut where one entry ends and the next begins, and Arrow's reader takes
the records where it cannot read them otherwise than the plain reader: no brackets and no escapes
inside a record, each pair of brackets as in the first entry. Anything else is read entry by entry.
Entries as ThreatFox itself writes them, a field a line, are faster cut by lines (`json_lines`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from io import StringIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from foxhunt.errors import FeedError
from foxhunt.feeds.json_lines import Frame, LinesRun
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import OUTER_ID, RawRecord, Run

# Looked through at once, and cut into runs: some 26 thousand and 6 thousand entries. Of shorter
# runs a fifth more time goes to calling Arrow, longer ones gain nothing.
_WINDOW = 16 * 1024 * 1024
_RUN = 4 * 1024 * 1024
# Where entries are not regular, so many are read before it is tried again.
_PAUSE = 500
_SPACE = r"[ \t\r\n]{0,64}"
_OPENING = re.compile(rf'"[0-9]{{1,20}}("{_SPACE}:{_SPACE}\[{_SPACE}\{{)')
_CLOSING = re.compile(rf'\}}{_SPACE}\]{_SPACE},{_SPACE}"')
_LONGEST_ID = pa.scalar(20, pa.int32())
# Of a row: its id is a list, so that nothing else can stand in its place.
_BEGIN = f'{{"{OUTER_ID}":["'
# What a record of plain text, numbers and truth values has none of; all other bytes.
_MARKS = b"[]{}\\"
_NO_MARKS = bytes(set(range(256)) - set(_MARKS))
_TEXTS = (
    *("ioc_value", "ioc_type", "threat_type", "malware", "malware_alias", "malware_printable"),
    *("first_seen_utc", "last_seen_utc", "reference", "tags", "reporter"),
)
_FIELDS = (
    (OUTER_ID, pa.list_(pa.string())),
    *((name, pa.string()) for name in _TEXTS),
    ("confidence_level", pa.int64()),
    ("is_compromised", pa.bool_()),
)
# ThreatFox wrote "0" until 2026-02 and writes 0 since (facts seen in its exports).
_SCHEMAS = tuple(pa.schema([*_FIELDS, ("anonymous", type_)]) for type_ in (pa.int64(), pa.string()))


@dataclass(frozen=True, slots=True)
class Form:
    """What stands around the records of an export: its writer's white space.

    Attributes:
        opening: From the quote after an id to the brace of its record.
        closing: From the brace after a record to the quote before the next id.
    """

    opening: str
    closing: str

    @classmethod
    def of(cls, text: str) -> Form | None:
        """The form of the entry that ``text`` begins with, if another one follows it."""
        opening = _OPENING.match(text)
        closing = _CLOSING.search(text, opening.end()) if opening else None
        return None if opening is None or closing is None else cls(opening[1], closing[0])


class JsonRun:
    """Entries, see `foxhunt.feeds.raw.Run`.

    Args:
        text: From the first digit of an id to the brace after a record.
        form: Of the text.

    Raises:
        FeedError: The text is not a number of entries with one record each, or not certainly.
    """

    def __init__(self, text: str, form: Form) -> None:
        self._text, self._form = text, form
        self._odd: dict[int, RawRecord] = {}
        self._table = _read(text if _are_regular(text, form) else self._without_odd(), form)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def columns(self) -> pa.Table:
        """See `Run.columns`."""
        return self._table

    def record(self, position: int) -> RawRecord:
        """See `Run.record`."""
        return self._odd.get(position) or _record(self._pieces[position])

    @cached_property
    def _pieces(self) -> list[str]:
        """The text of each entry between the quote before its id and its last brace."""
        return self._text[:-1].split(self._form.closing)

    def _without_odd(self) -> str:
        """The text with an entry of nothing in place of each that is not regular."""
        stub = f'0{self._form.opening}"tags":null'
        kept = []
        for number, piece in enumerate(self._pieces):
            is_regular = _marks(piece) == b"[{"
            if not is_regular:
                self._odd[number] = _record(piece)
            kept.append(piece if is_regular else stub)
        return self._form.closing.join(kept) + "}"


def _are_regular(text: str, form: Form) -> bool:
    """Whether every bracket in ``text`` is one of its entries' own, and nothing is escaped."""
    marks = _marks(text)
    entries = 0 if marks is None else len(marks) // 4 + 1
    if marks is None or marks + b"]" != b"[{}]" * entries:
        return False
    # Brackets in two texts of one record, "}]" and ": [{", may look like those of two entries.
    return text.count(form.closing) + 1 == entries


def _marks(text: str) -> bytes | None:
    """The brackets and backslashes in ``text``; None if it holds half a character."""
    try:
        return text.encode().translate(None, _NO_MARKS)
    except UnicodeEncodeError:  # as a bad byte leaves one
        return None


def _read(text: str, form: Form) -> pa.Table:
    """The records of regular entries, a row each.

    Raises:
        FeedError: It is not JSON, or a field is of another type than an export's.
    """
    # Arrow's replacing lets go of Python's lock. Were a border inside a text, that text would
    # have a line end, which Arrow refuses; were there more than an id before a record, so would
    # be its list.
    begun = pa.array([_BEGIN + text], pa.large_string())
    cut = pc.replace_substring(begun, form.closing, "}\n" + _BEGIN)
    rows = pc.replace_substring(cut, form.opening, '"],')
    try:
        table = _read_json(rows[0].as_buffer())
    except pa.ArrowInvalid as error:
        raise FeedError(f"not the JSON of an export: {error}") from None
    lists = table[OUTER_ID].combine_chunks()
    ids = lists.flatten()
    is_id = pc.and_(pc.ascii_is_decimal(ids), pc.less_equal(pc.binary_length(ids), _LONGEST_ID))
    if len(ids) != len(lists) or lists.null_count or not pc.all(is_id).as_py():
        raise FeedError("something else than an id stands before a record")
    return table.set_column(table.column_names.index(OUTER_ID), OUTER_ID, ids)


def _record(piece: str) -> RawRecord:
    """The one record of an entry.

    Raises:
        FeedError: The text is another number of entries or of records than one.
    """
    text = JsonText(StringIO(f'{{"{piece}}}]}}'), "")
    text.take("{")
    key, value = text.key(), text.value()
    text.take("}")
    # More text: the piece itself closes the object that all entries are in.
    is_entry = not text.peek() and key.isascii() and key.isdigit()
    if not (is_entry and isinstance(value, list) and len(value) == 1):
        raise FeedError("not an entry with one record")
    return key, value[0]


def _read_json(rows: pa.Buffer) -> pa.Table:
    """Read one object a row.

    Raises:
        pa.ArrowInvalid: It is not JSON, or a field is of another type than an export's.
    """
    try:
        return _read_json_as(rows, _SCHEMAS[0])
    except pa.ArrowInvalid:
        return _read_json_as(rows, _SCHEMAS[1])


def _read_json_as(rows: pa.Buffer, schema: pa.Schema) -> pa.Table:
    return json.read_json(
        pa.BufferReader(rows),
        # One block: what is read in parallel are runs.
        json.ReadOptions(use_threads=False, block_size=rows.size + 1),
        json.ParseOptions(
            explicit_schema=schema, newlines_in_values=True, unexpected_field_behavior="infer"
        ),
    )


class RunFinder:
    """Takes runs from the text of an export.

    Args:
        pool: Reads them.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._pause = 0

    def take(self, text: JsonText) -> Iterator[Run]:
        """Yield the runs that come next in ``text``, which stands at the quote of a key.

        When it goes on, ``text`` stands behind the run, at the quote of a key again.
        """
        if self._pause:
            self._pause -= 1
            return
        window = text.ahead(_WINDOW)
        cuts = list(_cuts(window))
        frame = _frame_of(window, cuts[0]) if cuts else None
        reads = [self._pool.submit(_run_of, window, cut, frame) for cut in cuts]
        for cut, read in zip(cuts, reads, strict=True):
            run = read.result()
            if run is None:
                cuts = []
                break
            text.skip(cut.following - cut.start)
            yield run
        if not cuts:
            self._pause = _PAUSE


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a run stands in a window.

    Attributes:
        form: Of its entries.
        start: Of the quote it begins with.
        end: Behind its last brace.
        following: Of the quote that the next entry begins with.
    """

    form: Form
    start: int
    end: int
    following: int


def _cuts(window: str) -> Iterator[_Cut]:
    form = Form.of(window)
    if form is None:
        return
    start = 0
    while (brace := window.rfind(form.closing, start, start + _RUN)) >= 0:
        following = brace + len(form.closing) - 1
        yield _Cut(form, start, brace + 1, following)
        start = following


def _frame_of(window: str, cut: _Cut) -> Frame | None:
    opening, closing = cut.form.opening, cut.form.closing
    return Frame.of(window[cut.start + 1 : cut.end + len(closing)], opening, closing)


def _run_of(window: str, cut: _Cut, frame: Frame | None) -> Run | None:
    text = window[cut.start + 1 : cut.end]
    if frame is not None:
        try:
            return LinesRun(text, frame)
        except FeedError:
            pass  # its lines are of another form; it may be regular JSON all the same
    try:
        return JsonRun(text, cut.form)
    except FeedError:
        return None
