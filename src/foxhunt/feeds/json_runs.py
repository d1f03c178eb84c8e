"""Entries of ThreatFox's JSON export in their regular form, many at once.

``"<id>": [{...}]`` with one record of plain text, numbers and truth values is what nearly all
entries are. Arrow's reader takes such text where it cannot read it otherwise than the plain
reader: no brackets and no escapes inside a record, each id and each pair of brackets as in the
first entry. Anything else is read entry by entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from io import StringIO

import pyarrow as pa
from pyarrow import json

from foxhunt.errors import FeedError
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import OUTER_ID, RawRecord

# Looked through at once, and cut into runs: some 20 thousand and 7 thousand entries.
_WINDOW = 12 * 1024 * 1024
_RUN = 4 * 1024 * 1024
# Where entries are not regular, so many are read before it is tried again.
_PAUSE = 500
_SPACE = r"[ \t\r\n]{0,64}"
_OPENING = re.compile(rf'"[0-9]{{1,20}}("{_SPACE}:{_SPACE}\[{_SPACE}\{{)')
_CLOSING = re.compile(rf'\}}{_SPACE}\]{_SPACE},{_SPACE}"')
_TEXTS = (
    *("ioc_value", "ioc_type", "threat_type", "malware", "malware_alias", "malware_printable"),
    *("first_seen_utc", "last_seen_utc", "reference", "tags", "reporter"),
)
_FIELDS = (
    *((name, pa.string()) for name in (OUTER_ID, *_TEXTS)),
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
        border: Pattern of one entry's end and the next one's beginning.
    """

    opening: str
    closing: str
    border: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> Form | None:
        """The form of the entry that ``text`` begins with, if another one follows it."""
        opening = _OPENING.match(text)
        closing = _CLOSING.search(text, opening.end()) if opening else None
        if opening is None or closing is None:
            return None
        border = f"{re.escape(closing[0])}([0-9]{{1,20}}){re.escape(opening[1])}"
        return cls(opening[1], closing[0], re.compile(border))


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
        self._table = self._read()

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

    def _read(self) -> pa.Table:
        rows, borders = self._split(self._text)
        if not (_is_regular(self._text, borders + 1) and _is_text(self._text)):
            rows, _ = self._split(self._without_odd())
        id_, opening, rest = rows.partition(self._form.opening)
        if not (opening and id_.isascii() and id_.isdigit()):
            raise FeedError("the text begins with no id")
        try:
            return _read_json(f'{{"{OUTER_ID}":"{id_}",{rest}'.encode())
        except pa.ArrowInvalid as error:
            raise FeedError(f"not the JSON of an export: {error}") from None

    def _split(self, text: str) -> tuple[str, int]:
        """An object a line, but for the beginning of the first, and how many others."""
        return self._form.border.subn(rf'}}\n{{"{OUTER_ID}":"\1",', text)

    def _without_odd(self) -> str:
        """The text with an entry of nothing in place of each that is not regular."""
        stub = f'0{self._form.opening}"tags":null'
        kept = []
        for number, piece in enumerate(self._pieces):
            is_regular = _is_regular(piece + "}", 1) and _is_text(piece)
            if not is_regular:
                self._odd[number] = _record(piece)
            kept.append(piece if is_regular else stub)
        text = self._form.closing.join(kept) + "}"
        if len(self._form.border.findall(text)) != len(kept) - 1:
            raise FeedError("not one record an entry")
        return text


def _is_regular(text: str, entries: int) -> bool:
    """Whether every bracket in ``text`` is one of its entries' own, and nothing is escaped."""
    return (
        "\\" not in text
        and text.count("{") == text.count("}") == text.count("[") == entries
        and text.count("]") == entries - 1
    )


def _is_text(text: str) -> bool:
    """Whether there is no half character in ``text``, as a bad byte leaves one."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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


def _read_json(rows: bytes) -> pa.Table:
    """Read one object a row.

    Raises:
        pa.ArrowInvalid: It is not JSON, or a field is of another type than an export's.
    """
    try:
        return _read_json_as(rows, _SCHEMAS[0])
    except pa.ArrowInvalid:
        return _read_json_as(rows, _SCHEMAS[1])


def _read_json_as(rows: bytes, schema: pa.Schema) -> pa.Table:
    return json.read_json(
        pa.BufferReader(rows),
        # One block: what is read in parallel are runs.
        json.ReadOptions(use_threads=False, block_size=len(rows) + 1),
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

    def take(self, text: JsonText) -> Iterator[JsonRun]:
        """Yield the runs that come next in ``text``, which stands at the quote of a key.

        When it goes on, ``text`` stands behind the run, at the quote of a key again.
        """
        if self._pause:
            self._pause -= 1
            return
        window = text.ahead(_WINDOW)
        cuts = list(_cuts(window))
        reads = [self._pool.submit(_run_of, window, cut) for cut in cuts]
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


def _run_of(window: str, cut: _Cut) -> JsonRun | None:
    try:
        return JsonRun(window[cut.start + 1 : cut.end], cut.form)
    except FeedError:
        return None
