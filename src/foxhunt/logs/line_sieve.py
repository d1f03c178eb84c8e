"""Which lines of a large text file have to be read at all.

Of most records two things can be told from their bytes alone: that nothing is wrong with them, and
that no value can meet an indicator. They are counted. The other lines are copied into a file of
their own, under the header, and read as any file is.
"""

from __future__ import annotations

import os
from array import array
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

from foxhunt.arrays import Flags, Places, np
from foxhunt.logs.clean_values import (
    CLEAN,
    ReadTimes,
    in_slices,
    time_reader,
    times_in_slices,
)
from foxhunt.logs.faults import IrregularError
from foxhunt.logs.fields import Spans
from foxhunt.logs.layouts import Layout
from foxhunt.logs.model import Clean, LogFile
from foxhunt.logs.staging import Asked
from foxhunt.logs.text_blocks import Block, whole_lines

# Where more of the lines than this have to be read, all of them may as well be.
_MOST_PASSING = 0.125
_TRIED_ROWS = 200_000
# Lines of which one tells how times are spelled.
_SAMPLED = 20


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told of one block; times with the number that they are ordered by."""

    rows: int
    passed: Places
    lines: bytes
    first: tuple[int, str] | None
    last: tuple[int, str] | None


def sift_lines(
    file: LogFile, layout: Layout, asked: Asked, target: IO[bytes]
) -> tuple[Clean, array[int]]:
    """Copy the header and the lines that have to be read.

    Args:
        file: The file.
        layout: How its lines are cut.
        asked: What is told of them.
        target: Where to.

    Returns:
        What the other records are, and the numbers, from 1, of those that were copied.

    Raises:
        IrregularError: The file has to be read whole.
        LogError: It cannot be read.
        OSError: There is no room for the copy.
    """
    clean, numbers = Clean(0, None, None), array("q")
    firsts, lasts = list[tuple[int, str]](), list[tuple[int, str]]()
    rows = 0
    for told in _in_order(file, layout, asked, target):
        target.write(told.lines)
        numbers.frombytes((told.passed + rows + 1).tobytes())
        rows += told.rows
        firsts += [told.first] if told.first else []
        lasts += [told.last] if told.last else []
        if rows > _TRIED_ROWS and len(numbers) > rows * _MOST_PASSING:
            raise IrregularError
    if firsts:
        clean = Clean(rows - len(numbers), min(firsts)[1], max(lasts)[1])
    return clean, numbers


def _in_order(file: LogFile, layout: Layout, asked: Asked, target: IO[bytes]) -> Iterator[_Told]:
    """What is told of each block; blocks are looked at on every core."""
    cores = os.cpu_count() or 1
    waiting: deque[Future[_Told]] = deque()
    read: ReadTimes | None = None
    with ThreadPoolExecutor(cores) as pool:
        try:
            for text in _records(file, layout, target):
                if read is None:
                    read = _reader_of(text, layout, asked)
                waiting.append(pool.submit(_told, text, layout, asked, read))
                if len(waiting) > 2 * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _records(file: LogFile, layout: Layout, target: IO[bytes]) -> Iterator[bytes]:
    """The lines of the records, some at a time; the header is copied."""
    header = layout.header
    for lines, is_last in whole_lines(file):
        start = 0
        while header and start < len(lines):
            start = lines.index(b"\n", start) + 1
            header -= 1
        target.write(lines[:start])
        text = layout.records(lines[start:]) if is_last else lines[start:]
        if text:
            yield text


def _reader_of(text: bytes, layout: Layout, asked: Asked) -> ReadTimes:
    """What reads times that are spelled like the first one whose spelling is known."""
    lines = b"".join(text.splitlines(keepends=True)[:_SAMPLED])
    times = layout.fields(Block.of(lines), [asked.time]).columns[asked.time]
    known = (
        read for one in times.texts(np.arange(len(times.starts))) if (read := time_reader(one))
    )
    read = next(known, None)
    if read is None:
        raise IrregularError
    return read


def _told(text: bytes, layout: Layout, asked: Asked, read: ReadTimes) -> _Told:
    fields = layout.fields(Block.of(text), asked.columns)
    times = fields.columns[asked.time]
    order, is_clean = times_in_slices(times, read)
    is_clean &= ~fields.is_odd
    for name, kind in asked.typed.items():
        is_clean &= _is_typed(fields.columns[name], kind, read)
    for name in asked.empty:
        is_clean &= fields.columns[name].ends == fields.columns[name].starts
    for name, sift in asked.compared.items():
        is_clean[_positions(sift(_texts(fields.columns[name])))] = False
    at = np.flatnonzero(is_clean)
    passed = np.flatnonzero(~is_clean)
    first = last = None
    if len(at):
        ends = np.array([at[np.argmin(order[at])], at[np.argmax(order[at])]])
        first, last = (
            (int(order[place]), told.decode())
            for place, told in zip(ends, times.texts(ends), strict=True)
        )
    lines = b"".join(fields.lines.texts(passed))
    return _Told(len(is_clean), passed, lines, first, last)


def _is_typed(spans: Spans, kind: str, read: ReadTimes) -> Flags:
    if kind == "datetime":
        flags: Flags = times_in_slices(spans, read)[1] | (spans.ends == spans.starts)
        return flags
    return in_slices(spans, CLEAN[kind])


def _texts(spans: Spans) -> pa.Array:
    """The values as Arrow's texts.

    Every second piece of the bytes is a value; Arrow copies those, without the gaps between.
    """
    count = len(spans.starts)
    borders = np.empty(2 * count + 1, np.int32)
    borders[0:-1:2], borders[1::2] = spans.starts, spans.ends
    borders[-1] = borders[-2] if count else 0
    buffers = [None, pa.py_buffer(borders), pa.py_buffer(spans.data)]
    pieces = pa.Array.from_buffers(pa.string(), 2 * count, buffers)
    values = np.arange(0, 2 * count, 2)
    return pieces.take(pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(values)]))


def _positions(at: pa.Array) -> Places:
    """Arrow's int64 as numpy's; not by Arrow, which may have been imported without numpy."""
    _, values = at.buffers()
    return np.frombuffer(values, np.int64)[at.offset :][: len(at)]
