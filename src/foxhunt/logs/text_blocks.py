"""A text file as blocks of whole lines, in arrays of bytes that numpy looks at all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from foxhunt.arrays import Bytes, Places, Words, np
from foxhunt.logs.faults import IrregularError
from foxhunt.logs.model import LogFile
from foxhunt.logs.streams import MAX_LINE_BYTES, chunks

# Zeros before and after a block's text: what is loaded around a value stays in the array.
PAD = 64
_FEED, _RETURN = b"\n", b"\r"


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines, each with its line feed.

    Attributes:
        text: Their bytes.
        data: The same after, and before, `PAD` zeros.
        has_returns: Whether each line ends with a carriage return before its line feed.
    """

    text: bytes
    data: Bytes
    has_returns: bool

    @classmethod
    def of(cls, text: bytes) -> Block:
        """Look at the text.

        Raises:
            IrregularError: It is no UTF-8, has a NUL, or carriage returns at the ends of some
                lines only.
        """
        data = np.zeros(len(text) + 2 * PAD, np.uint8)
        data[PAD:-PAD] = np.frombuffer(text, np.uint8)
        if not text.isascii():
            try:
                text.decode()
            except UnicodeDecodeError:
                raise IrregularError from None
        # To look for one is much faster than to count none.
        returns = text.count(_RETURN) if _RETURN in text else 0
        is_uneven = returns and {text.count(_FEED), text.count(_RETURN + _FEED)} != {returns}
        if is_uneven or b"\0" in text:
            raise IrregularError
        return cls(text, data, bool(returns))


def whole_lines(file: LogFile) -> Iterator[tuple[bytes, bool]]:
    """Yield the file's text cut after line feeds, and whether it is the last piece.

    Blank lines at the end are left out; a last line without a line feed gets one.

    Raises:
        IrregularError: The file is torn, or a line longer than a record may be.
        LogError: It cannot be read.
    """
    held, last = b"", b""
    for chunk in chunks(file):
        if chunk is None:
            raise IrregularError
        cut = chunk.rfind(_FEED) + 1
        if cut:
            if last:
                yield last, False
            last, held = held + chunk[:cut], chunk[cut:]
        else:
            held += chunk
        if len(held) > MAX_LINE_BYTES:
            raise IrregularError
    text = last + held
    if text:
        end = _RETURN + _FEED if last.endswith(_RETURN + _FEED) else _FEED
        yield text.rstrip(_RETURN + _FEED) + end, True


def windows(data: Bytes, starts: Places) -> tuple[Words, Words]:
    """The 16 bytes from each place on, as two little-endian words."""
    # As one 16-byte number each: numpy fetches that in less than half the time of two words.
    pairs = np.ndarray((len(data) - 15,), np.dtype("<c16"), data, strides=(1,))[starts]
    words = pairs.view(np.dtype("<u8"))
    return words[0::2], words[1::2]
