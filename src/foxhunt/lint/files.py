"""One file after the other through the checks of its own; many files by several processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from foxhunt.errors import ContentError, SourceSpan
from foxhunt.lint.documents import read_document
from foxhunt.lint.folders import Identity, identity
from foxhunt.lint.model import Document, Issue, Level
from foxhunt.lint.remarks import query_issues
from foxhunt.lint.rules import length, rule_issues

# Below it, other processes would start for longer than they work.
_WORTH_A_PROCESS_BYTES = 2_000_000
# A folder is looked at by one process, since its files hold the same queries; of a very large
# one, parts.
_BATCH_BYTES = 3_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is to be said of a file.

    Attributes:
        is_empty: Whether it can be read and holds neither query nor rule.
        queries: How many it holds.
        issues: In no order.
        identity: None if it cannot be read.
    """

    is_empty: bool = False
    queries: int = 0
    issues: tuple[Issue, ...] = ()
    identity: Identity | None = None


def look_at_all(paths: Sequence[Path], tell: Callable[[str, int, int], None]) -> Iterator[Looked]:
    """Yield what is to be said of each file, in their order."""
    sizes = [_size(path) for path in paths]
    cores = os.cpu_count() or 1
    if cores == 1 or sum(sizes) < _WORTH_A_PROCESS_BYTES:
        for done, path in enumerate(paths):
            tell(path.name, done, len(paths))
            yield look_at(path)
        return
    # The largest first: one that begins last would keep the other cores waiting.
    batches = sorted(_batches(paths, sizes), key=lambda at: -sum(sizes[at.start : at.stop]))
    found: dict[int, Looked] = {}
    # Spawned, not forked: V8 and Arrow have threads.
    pool = ProcessPoolExecutor(cores, get_context("spawn"), initializer=_end_on_interrupt)
    try:
        tasks = {pool.submit(_look_at_batch, paths[at.start : at.stop]): at for at in batches}
        for task in as_completed(tasks):
            found.update(zip(tasks[task], task.result(), strict=True))
            tell(paths[tasks[task].start].parent.name, len(found), len(paths))
    finally:
        pool.shutdown(cancel_futures=True)
    yield from (found.pop(at) for at in range(len(paths)))


def _end_on_interrupt() -> None:
    # Ctrl-C reaches every process: one that worked would print a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone: reading it says so
        return 0


def _batches(paths: Sequence[Path], sizes: Sequence[int]) -> Iterator[range]:
    """Places of files of one folder, of no more than some bytes."""
    for _, places in groupby(range(len(paths)), key=lambda at: paths[at].parent):
        first, last, held = None, 0, 0
        for at in places:
            if first is not None and held + sizes[at] > _BATCH_BYTES:
                yield range(first, at)
                first, held = None, 0
            first = at if first is None else first
            last, held = at, held + sizes[at]
        if first is not None:
            yield range(first, last + 1)


def _look_at_batch(paths: Sequence[Path]) -> list[Looked]:
    return [look_at(path) for path in paths]


def look_at(path: Path) -> Looked:
    """Read a file and put its queries and rules through their checks."""
    try:
        document = read_document(path)
    except ContentError as error:
        return Looked(issues=(_unread(path, error),))
    if not document.queries and not document.computed and not document.rules:
        return Looked(is_empty=True)
    return Looked(
        queries=len(document.queries),
        issues=tuple(_issues(document)),
        identity=identity(document),
    )


def _unread(path: Path, error: ContentError) -> Issue:
    return Issue(
        code="L100",
        level=Level.NOT_JUDGED,
        at=error.at or SourceSpan(str(path)),
        message=error.message,
        fix=error.hint or "check the file",
    )


def _issues(document: Document) -> Iterator[Issue]:
    for query in document.queries:
        yield from query_issues(query)
        yield from length(query)
    for node in document.computed:
        yield Issue(
            code="L106",
            level=Level.NOT_JUDGED,
            at=node.at,
            message="the query is computed when it is deployed",
            fix="lint what it comes to",
        )
    yield from rule_issues(document)
