"""Files that are read while the ones before them are hunted, several at a time.

A format takes part with `prepare`; see `Preparing` and `foxhunt.logs.registry`. It is read in
one thread, with a cursor of its own: DuckDB works without Python's lock, so both go on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Protocol

import duckdb

from foxhunt.logs.model import LogFile, RawPart

# From the table that is forced, or None, to the parts of a file; raises what `Format.read` does.
Prepared = Callable[[str | None], Iterable[RawPart]]
# Whether nobody waits for what is being read any more.
Stopped = Callable[[], bool]
# The format of a file if it is prepared, else None.
Choose = Callable[[LogFile], "Preparing | None"]

# Some files are prepared together: few enough that the first of them does not wait for long.
_GROUP_BYTES = 32 * 1024 * 1024
_PATIENCE_SECONDS = 0.05
_UNPACKED = 10  # so many bytes come out of one that is compressed


class Preparing(Protocol):
    """What a module may provide beside `Format`: the work of reading, done ahead."""

    def prepare(
        self, con: duckdb.DuckDBPyConnection, files: Sequence[LogFile], stopped: Stopped
    ) -> Sequence[Prepared]:
        """Read files into tables of ``con`` that every cursor of the connection sees.

        A file that cannot be read is no failure of the others: its `Prepared` raises it.

        Raises:
            duckdb.Error: Something stops DuckDB; then each file is read alone.
            MemoryError: So it is.
            CancelledError: ``stopped``.
        """
        ...


def never() -> bool:
    """Of a file that is read because it is asked for."""
    return False


class Ahead:
    """Prepares the files of a list in its order, in groups: the next one while one is hunted."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, files: Sequence[LogFile], choose: Choose
    ) -> None:
        """Nothing is read before the first `take`.

        Args:
            con: What the files are asked for with.
            files: All files, in the order in which they will be asked for.
            choose: Which of them are prepared, and by what.
        """
        self._con, self._files, self._choose = con, files, choose
        self._ready: dict[int, Prepared] = {}
        self._ahead: _Group | None = None  # the group after those that were taken
        self._place = 0  # of the first file that is in no group so far
        self._reader: _Reader | None = None

    def take(self, position: int) -> Prepared | None:
        """What was prepared of a file, once; None when it is to be read alone.

        Args:
            position: Its place; every place is asked for, in order.
        """
        if self._ahead is None:
            self._ahead = self._gather()
            if self._ahead is not None and position not in self._ahead.places:
                self._begin()
        group = self._ahead
        if group is not None and position in group.places:
            self._ahead = self._gather()
            self._begin()
            self._ready |= group.result(self._con, self._files)
        return self._ready.pop(position, None)

    def close(self) -> None:
        """Stop what is being read, and wait until it has stopped."""
        if self._reader is not None:
            self._reader.close()

    def _begin(self) -> None:
        """Have the group ahead read in the thread, if there is a core for it."""
        if self._ahead is None:
            return
        if self._reader is None and _cores(self._con) > 1:
            self._reader = _Reader(self._con)
        if self._reader is not None:
            self._ahead.future = self._reader.read(self._ahead, self._files)

    def _gather(self) -> _Group | None:
        """The next files that are prepared together, of one format; None when there are none."""
        places: list[int] = []
        size_bytes = 0
        chosen: Preparing | None = None
        while self._place < len(self._files) and size_bytes < _GROUP_BYTES:
            file = self._files[self._place]
            preparing = self._choose(file)
            if preparing is not None:
                size_bytes += file.size_bytes * (1 if file.compression == "none" else _UNPACKED)
                if places and (preparing is not chosen or size_bytes > _GROUP_BYTES):
                    break
                places.append(self._place)
                chosen = preparing
            self._place += 1
        return None if chosen is None else _Group(chosen, tuple(places))


@dataclass(slots=True)
class _Group:
    """Files that are prepared together.

    Attributes:
        preparing: By what.
        places: Which they are, in order.
        future: Gives what was prepared; None when nobody has begun.
    """

    preparing: Preparing
    places: tuple[int, ...]
    future: Future[Sequence[Prepared]] | None = None

    def result(
        self, con: duckdb.DuckDBPyConnection, files: Sequence[LogFile]
    ) -> dict[int, Prepared]:
        """What was prepared, by place; nothing where files have to be read alone."""
        if self.future is None and len(self.places) == 1:
            return {}
        try:
            if self.future is None:
                found = self.preparing.prepare(con, [files[one] for one in self.places], never)
            else:
                found = self.future.result()
        except (duckdb.Error, MemoryError):
            # Which file it is of, and what to say about it, reading each of them alone finds.
            return {}
        return dict(zip(self.places, found, strict=True))


class _Reader:
    """A thread with a cursor of its own."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._cursor = con.cursor()
        self._stop = Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="foxhunt-ahead")
        self._last: Future[Sequence[Prepared]] | None = None

    def read(self, group: _Group, files: Sequence[LogFile]) -> Future[Sequence[Prepared]]:
        """Have a group prepared, after those before it."""
        chosen = [files[one] for one in group.places]
        self._last = self._pool.submit(
            group.preparing.prepare, self._cursor, chosen, self._stop.is_set
        )
        return self._last

    def close(self) -> None:
        """Stop, and wait for it."""
        self._stop.set()
        # An interrupt between two statements is lost.
        while self._last is not None and not wait([self._last], timeout=0).done:
            self._cursor.interrupt()
            wait([self._last], timeout=_PATIENCE_SECONDS)
        self._pool.shutdown()
        self._cursor.close()


def _cores(con: duckdb.DuckDBPyConnection) -> int:
    """How many threads DuckDB may use: it knows of limits that are set to a container.

    Under a limit on addresses (``ulimit -v``) it is one: a thread of ours takes more of them than
    there may be left.
    """
    if sys.platform != "win32":
        import resource

        if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
            return 1
    ((threads,),) = con.execute("SELECT current_setting('threads')").fetchall()
    return int(threads)
