"""A file's text and the places in it; texts inside it that know where each character stands."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from foxhunt.errors import ContentError, SourceSpan


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file.

    Attributes:
        file: The file's name, as the user wrote it.
        text: All of it, line breaks as ``\\n``.
    """

    file: str
    text: str
    _starts: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = [0, *(n + 1 for n, char in enumerate(self.text) if char == "\n")]
        object.__setattr__(self, "_starts", starts)

    def at(self, offset: int) -> SourceSpan:
        """Line and column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return SourceSpan(self.file, line, offset - self._starts[line - 1] + 1)

    def refuse(self, message: str, offset: int, *, hint: str | None = None) -> NoReturn:
        """Say that the file cannot be read.

        Raises:
            ContentError: Always.
        """
        raise ContentError(message, at=self.at(offset), hint=hint)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that a file holds, quoted or not.

    Attributes:
        text: What it says, without quotes and escapes.
        source: The file.
        offsets: For each character of the text, its offset in the file; a blank that the
            file's format made has that of the character before it.
    """

    text: str
    source: Source
    offsets: Sequence[int]

    def at(self, offset: int) -> SourceSpan:
        """The place in the file of a character of the text; of one past the end, the last's."""
        if not self.offsets:
            return self.source.at(0)
        return self.source.at(self.offsets[min(max(offset, 0), len(self.offsets) - 1)])

    def cut(self, start: int, end: int | None = None) -> Passage:
        """A part of it."""
        return Passage(self.text[start:end], self.source, self.offsets[start:end])


def whole(text: str, file: str = "") -> Passage:
    """A text that is a file."""
    return Passage(text, Source(file, text), range(len(text)))


def aligned(text: str, source: Source, start: int, visible: Iterable[int]) -> Passage:
    """A text of which only the characters that are no blanks are known to stand where.

    Args:
        text: What it says.
        source: The file.
        start: Where it begins, quote included.
        visible: Offsets of its characters that are no blanks, in their order.
    """
    places: Iterator[int] = iter(visible)
    offsets, last = array("I"), start
    for char in text:
        if not char.isspace():
            last = next(places, last)
        offsets.append(last)
    return Passage(text, source, offsets)
