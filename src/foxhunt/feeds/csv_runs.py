"""Lines of ThreatFox's CSV in their regular form, many at once.

``"a", "b", ...`` with every field in quotes and no quote inside one is what nearly all lines of an
export look like. Such lines are cut at their quotes: where every other piece is a separator, the
pieces between them are the fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from foxhunt.feeds.raw import RawRecord

# Of a field: no quote, no line end, nothing that is no text (half a character is a bad byte). Not
# a comma first, so that `", "` stands between two fields and nowhere else. Shorter by far than
# what the line or csv's own limit may be.
_FIELD = '"(?:[^",\x00-\x1f\x7f\ud800-\udfff][^"\x00-\x1f\x7f\ud800-\udfff]{0,4000}+)?+"'
# So many fields of that length stay below the limit of a line.
_MAX_FIELDS = 100
# Bytes, fewer than the characters that csv takes in a field, 131072.
_MAX_LINE = 100_000
_CONTROLS = bytes([*range(0x20), 0x7F])
_NO_CONTROLS = bytes(set(range(256)) - set(_CONTROLS))
_SEPARATORS, _NOTHING = pa.array([", ", ","], pa.string()), pa.array([""], pa.string())


def may_be_regular(header: list[str]) -> bool:
    """Whether lines under ``header`` are looked through for regular ones at all."""
    return 1 < len(header) <= _MAX_FIELDS and all(name.isprintable() for name in header)


@cache
def _pattern(width: int) -> re.Pattern[str]:
    return re.compile(rf"(?:{_FIELD}(?:, ?{_FIELD}){{{width - 1}}}\r?\n)++")


def regular_end(text: str, start: int, width: int) -> int:
    """Where the regular lines of ``width`` fields end that begin at ``start``."""
    found = _pattern(width).match(text, start)
    return found.end() if found else start


def regular_table(text: str, header: Sequence[str]) -> pa.Table | None:
    """The records of lines, a row each; None if not each line is certainly regular.

    Args:
        text: Whole lines, with one kind of line end or it is None.
        header: The names of the columns.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return None
    lines = data.count(b"\n")
    end = b"\r\n" if data.endswith(b"\r\n") else b"\n"
    if not lines or data.translate(None, _NO_CONTROLS) != end * lines:
        return None
    try:
        parts = _between_quotes(data, 2 * len(header) + 1)
    except pa.ArrowInvalid:
        return None
    if parts.num_rows != lines or not _are_separated(parts):
        return None
    fields = parts.columns[1::2]
    longest = sum(pc.max(pc.binary_length(field)).as_py() for field in fields)
    return pa.table(fields, names=header) if longest <= _MAX_LINE else None


def _between_quotes(data: bytes, parts: int) -> pa.Table:
    """What stands before, between and behind the quotes of each line.

    Raises:
        pa.ArrowInvalid: A line has another number of quotes.
    """
    names = list(map(str, range(parts)))
    return csv.read_csv(
        pa.BufferReader(data),
        # One block: a line must not be cut.
        csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
        csv.ParseOptions(delimiter='"', quote_char=False, ignore_empty_lines=False),
        csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )


def _are_separated(parts: pa.Table) -> bool:
    """Whether what stands outside of the quotes are separators."""
    first, *between, last = parts.columns[0::2]
    expected = [(first, _NOTHING), *((column, _SEPARATORS) for column in between), (last, _NOTHING)]
    return all(pc.all(pc.is_in(column, texts)).as_py() for column, texts in expected)


class CsvRun:
    """Regular lines, see `foxhunt.feeds.raw.Run`.

    Args:
        table: Of `regular_table`.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def columns(self) -> pa.Table:
        """See `Run.columns`; no row is empty."""
        return self._table

    def record(self, position: int) -> RawRecord:
        """See `Run.record`."""
        return None, self._table.slice(position, 1).to_pylist()[0]
