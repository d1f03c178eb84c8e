"""The fields of lines, as places in an array of their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from foxhunt.arrays import Bytes, Flags, Places


@dataclass(frozen=True, slots=True)
class Spans:
    """Where texts are.

    Attributes:
        data: Bytes, of which `text_blocks.PAD` before and after all texts are zeros.
        starts: Where each begins; ascending, none within another.
        ends: Where each ends.
    """

    data: Bytes
    starts: Places
    ends: Places

    def slice(self, first: int, rows: int) -> Spans:
        """Some that come one after the other."""
        return Spans(self.data, self.starts[first : first + rows], self.ends[first : first + rows])

    def texts(self, at: Places) -> Iterator[bytes]:
        """Yield the bytes of some."""
        for start, end in zip(self.starts[at].tolist(), self.ends[at].tolist(), strict=True):
            yield self.data[start:end].tobytes()


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of some lines that are asked for.

    Attributes:
        lines: Each line, with its line feed.
        columns: Column to its values; of no value the text is empty.
        is_odd: Which lines have to be read to know their fields.
    """

    lines: Spans
    columns: Mapping[str, Spans]
    is_odd: Flags
