"""Lines of ThreatFox's CSV in their regular form, many at once.

``"a", "b", ...`` with every field in quotes and no quote inside one is what nearly all lines of an
export look like. Found by one pattern, such lines need no reader that looks at each character.
"""

from __future__ import annotations

import re
from functools import cache, cached_property

import pyarrow as pa
from pyarrow import csv

from foxhunt.feeds.raw import RawRecord

# Of a field: no quote, no line end, nothing that is no text (half a character is a bad byte). Not
# a comma first, so that `", "` stands between two fields and nowhere else. Shorter by far than
# what the line or csv's own limit may be.
_FIELD = '"(?:[^",\x00-\x1f\x7f\ud800-\udfff][^"\x00-\x1f\x7f\ud800-\udfff]{0,4000}+)?+"'


# So many fields of that length stay below the limit of a line.
_MAX_FIELDS = 100


def may_be_regular(header: list[str]) -> bool:
    """Whether lines under ``header`` are looked through for regular ones at all."""
    return len(header) <= _MAX_FIELDS and all(name.isprintable() for name in header)


@cache
def _pattern(width: int) -> re.Pattern[str]:
    return re.compile(rf"(?:{_FIELD}(?:, ?{_FIELD}){{{width - 1}}}\r?\n)++")


def regular_end(text: str, start: int, width: int) -> int:
    """Where the regular lines of ``width`` fields end that begin at ``start``."""
    found = _pattern(width).match(text, start)
    return found.end() if found else start


class CsvRun:
    """Regular lines, see `foxhunt.feeds.raw.Run`."""

    def __init__(self, text: str, header: list[str]) -> None:
        self._text, self._header = text, header

    def __len__(self) -> int:
        return self._text.count("\n")

    def columns(self) -> pa.Table:
        """See `Run.columns`; no row is empty."""
        return self._table

    def record(self, position: int) -> RawRecord:
        """See `Run.record`."""
        return None, self._table.slice(position, 1).to_pylist()[0]

    @cached_property
    def _table(self) -> pa.Table:
        data = self._text.replace('", "', '","').encode()
        return csv.read_csv(
            pa.BufferReader(data),
            # One block: a line must not be cut, and what is done in parallel are runs.
            csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=self._header),
            csv.ParseOptions(),
            csv.ConvertOptions(column_types=dict.fromkeys(self._header, pa.string())),
        )
