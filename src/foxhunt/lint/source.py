"""A file's text and the places in it; texts inside it that know where each character stands."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, overload

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
        starts = [0, *(one.end() for one in re.finditer("\n", self.text))]
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


class Offsets(Sequence[int]):
    """Offsets that are counted when the first is asked for: of most texts none ever is."""

    def __init__(self, count: Callable[[], Iterable[int]]) -> None:
        self._count = count
        self._counted: array[int] | None = None

    @property
    def _all(self) -> array[int]:
        if self._counted is None:
            self._counted = array("I", self._count())
        return self._counted

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> array[int]: ...
    def __getitem__(self, at: int | slice) -> int | array[int]:
        return self._all[at]

    def __len__(self) -> int:
        return len(self._all)


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


def aligned(text: str, source: Source, start: int, visible: Callable[[], Iterator[int]]) -> Passage:
    """A text of which only the characters that are no blanks are known to stand where.

    Args:
        text: What it says.
        source: The file.
        start: Where it begins, quote included.
        visible: Gives the offsets of its characters that are no blanks, in their order.
    """

    def count() -> Iterator[int]:
        places, last = visible(), start
        for char in text:
            if not char.isspace():
                last = next(places, last)
            yield last

    return Passage(text, source, Offsets(count))
