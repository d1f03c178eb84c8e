"""JSON text taken value by value, with no more of it in memory than a value needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan

_CHUNK = 1024 * 1024
# One record of a real export is about 600 characters.
_MAX_PENDING = 16 * 1024 * 1024
_OF_NUMBERS = "0123456789.eE+-"


def _integer(text: str) -> int | str:
    # Python refuses numbers of more than 4300 digits, and the whole file with them.
    return int(text) if len(text) < 20 else text


def _is_broken(error: json.JSONDecodeError, length: int) -> bool:
    """Whether more text could not mend it: it is not about the end of what was read."""
    # A literal or an escape, cut in two, is complained about where it begins.
    return error.pos < length - 16 and not error.msg.startswith("Unterminated string")


class JsonText:
    """JSON text that is taken value by value.

    Args:
        stream: Read as it is needed.
        name: What messages call it.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._buffer, self._at, self._dropped = "", 0, 0
        self._is_whole = False
        # strict=False lets control characters into strings: a record with one is quarantined,
        # where strict JSON would refuse the whole file for it.
        self._decode = json.JSONDecoder(strict=False, parse_int=_integer).raw_decode

    def error(self, message: str, position: int | None = None) -> FeedError:
        where = self._dropped + (self._at if position is None else position) + 1
        return FeedError(f"{message}, at character {where}", at=SourceSpan(self._name))

    def _more(self, wanted: int = 0) -> bool:
        """Read on, ``wanted`` characters or more; False at the end of the file."""
        pending = self._buffer[self._at :]
        if len(pending) > _MAX_PENDING:
            raise self.error(f"a single value longer than {_MAX_PENDING} characters, or broken")
        # As much again as is pending: reading by chunks would be quadratic in a long value.
        chunk = self._stream.read(max(_CHUNK, wanted, len(pending)))
        self._dropped += self._at
        self._buffer, self._at = pending + chunk, 0
        self._is_whole = not chunk
        return bool(chunk)

    def ahead(self, length: int) -> str:
        """What comes next, ``length`` characters of it if there are so many; see `skip`."""
        while len(self._buffer) - self._at < length and not self._is_whole:
            self._more(length)
        return self._buffer[self._at : self._at + length]

    def skip(self, length: int) -> None:
        """Go on behind so many characters of `ahead`."""
        self._at += length

    def peek(self) -> str:
        """The next character that is not white space, ``""`` at the end."""
        while True:
            while self._at < len(self._buffer):
                char = self._buffer[self._at]
                if char not in " \t\r\n":
                    return char
                self._at += 1
            if not self._more():
                return ""

    def take(self, char: str) -> None:
        if self.peek() != char:
            found = self.peek()
            raise self.error(f"not JSON: {char!r} expected, not {found!r}" if found else "cut off")
        self._at += 1

    def value(self) -> object:
        """The next value, whole.

        Raises:
            FeedError: Not JSON, nested too deeply, or cut off.
        """
        self.peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
            except RecursionError:
                raise self.error("nested too deeply") from None
            except json.JSONDecodeError as error:
                if not _is_broken(error, len(self._buffer)) and self._more():
                    continue
                if _is_broken(error, len(self._buffer)):
                    raise self.error(f"not JSON: {error.msg}", error.pos) from None
                raise self.error("not JSON, or cut off") from None
            # "12" or "12." may go on in what was not read yet; nothing but a number can.
            if self._buffer[end - 1] not in '"]}' and not self._buffer[end:].strip(_OF_NUMBERS):
                at = self._at
                if self._more():
                    continue
                end -= at
            self._at = end
            return value

    def each_item(self) -> Iterator[object]:
        """The items of the list that begins here."""
        self.take("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() != "]":
                self.take(",")
        self.take("]")

    def key(self) -> str:
        """The next key of an object, and the colon after it.

        Raises:
            FeedError: Not JSON.
        """
        key = self.value()
        if not isinstance(key, str):
            raise self.error("not JSON: a key that is no string")
        self.take(":")
        return key

    def skip_comma(self) -> None:
        """Go on to the next key or to the end of the object, behind a value."""
        if self.peek() != "}":
            self.take(",")
