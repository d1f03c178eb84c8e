"""Lines of CSV text and their fields, where a line that is broken takes no other with it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import TextIO

import pyarrow as pa

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.csv_runs import regular_end, regular_table
from foxhunt.feeds.raw import Broken

_MAX_LINE = 1024 * 1024
_CHUNK = 1024 * 1024
# As many characters are looked through for regular lines at once: some 16 thousand records.
_RUN = 4 * 1024 * 1024
# Between odd lines, fewer characters than these are read sooner line by line.
_SHORTEST_RUN = 16 * 1024
_LINE_END = re.compile(r"\r\n?|\n")
_ENTRIES = re.compile(r"#\s*Number of entries:\s*([0-9]{1,12})\s*$")


class Lines:
    """Lines without comments; the number of entries that a comment tells is kept.

    Args:
        stream: Read as it is needed.
        name: What messages call it.
        separator: Of fields, one character.
    """

    def __init__(self, stream: TextIO, name: str, separator: str = ",") -> None:
        self._stream, self._name, self._separator = stream, name, separator
        self._buffer, self._at, self._is_whole = "", 0, False
        self._are_odd_near = False
        self.number = 0
        self.entries: int | None = None
        self._consumed: list[str] = []
        # In a table that somebody made, a first field may begin with "#".
        self.record_width: int | None = None

    def raw(self) -> Iterator[str]:
        """The lines that come next, comments and all.

        Raises:
            FeedError: One is longer than 1 MiB.
        """
        while line := self._line():
            self.number += 1
            if len(line) >= _MAX_LINE:
                at = SourceSpan(self._name, line=self.number)
                raise FeedError(f"a line longer than {_MAX_LINE} characters", at=at)
            yield line

    def is_at_end(self) -> bool:
        """Whether every line was taken."""
        if self._at == len(self._buffer) and not self._is_whole:
            self._more(_CHUNK)
        return self._at == len(self._buffer)

    def take_regular(self, header: Sequence[str]) -> pa.Table | None:
        """The records of regular lines that come next; None if the next line is none."""
        if len(self._buffer) - self._at < _RUN and not self._is_whole:
            self._more(_RUN)
        end, table = self._at, None
        if not self._are_odd_near:
            end = self._buffer.rfind("\n", self._at, self._at + _RUN) + 1
            table = regular_table(self._buffer[self._at : end], header)
        if table is None:
            end = regular_end(self._buffer, self._at, len(header))
            if self._are_odd_near and end - self._at < _SHORTEST_RUN:
                return None
            # Where odd lines are many, to try a whole run before each would be quadratic.
            self._are_odd_near = end - self._at < _RUN // 4
            # No field of such lines holds a line end.
            table = regular_table(self._buffer[self._at : end].replace("\r\n", "\n"), header)
        if table is not None:
            self._at = end
            self.number += table.num_rows
        return table

    def _line(self) -> str:
        """The next line with its end, or as much of one as is too long; ``""`` after the last."""
        while True:
            found = _LINE_END.search(self._buffer, self._at)
            # Of "\r" as the last that was read, "\n" may be the next.
            if found and (found.end() < len(self._buffer) or self._is_whole):
                start, self._at = self._at, found.end()
                return self._buffer[start : self._at]
            if self._is_whole or len(self._buffer) - self._at >= _MAX_LINE:
                line, self._at = self._buffer[self._at :], len(self._buffer)
                return line
            self._more(_CHUNK)

    def _more(self, length: int) -> None:
        text = self._stream.read(length)
        self._buffer, self._at = self._buffer[self._at :] + text, 0
        self._is_whole = not text

    def __iter__(self) -> Iterator[str]:
        for line in self.raw():
            if line.startswith("#") and not self._is_record(line):
                told = _ENTRIES.match(line)
                self.entries = int(told[1]) if told else self.entries
            elif not line.isspace():
                self._consumed.append(line)
                yield line

    def _is_record(self, line: str) -> bool:
        if self.record_width is None:
            return False
        fields = split_line(line, self._separator)
        return not isinstance(fields, Broken) and len(fields) == self.record_width

    def rows(self) -> Iterator[tuple[list[str], list[str]]]:
        """Yield the fields of each row that comes next, and the lines it was read from.

        An open quote swallows the lines up to the next quote; a row that is no CSV has no fields.
        Whoever finds a row wrong reads each of its lines by itself, with `split_line`.
        """
        reader = csv.reader(self, delimiter=self._separator, skipinitialspace=True, strict=True)
        while True:
            self._consumed.clear()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                fields = []
            yield fields, list(self._consumed)


def split_line(line: str, separator: str = ",") -> list[str] | Broken:
    """The fields of one line, `Broken` if its quotes do not match."""
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        return Broken(line, f"not a line of CSV: {error}")
