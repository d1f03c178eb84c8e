"""One command, measured from outside: wall time, peak memory, and what it found."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a command tells what it found."""

    HUNT = "hunt"  # foxhunt: JSON report on standard output, exit code 0 or 1
    ROWS = "rows"  # foxhunt: a header and a line a row on standard output
    PEER = "peer"  # one JSON line, which says its own time too (bench/peers/answer.py)
    BARE = "bare"  # nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run of a command gave.

    Attributes:
        seconds: A peer's own time; of all else the whole process.
        peak_mb: Most resident memory of the process.
        found: Events, or None when it counts none.
        tool: Name and version of a peer's tool.
        missing: The package that a peer lacks, or None.
        error: Why there is no figure, or None.
    """

    seconds: float = 0.0
    peak_mb: float = 0.0
    found: int | None = None
    tool: str = "foxhunt"
    missing: str | None = None
    error: str | None = None


def measure(
    command: Sequence[str], kind: Kind, environment: Mapping[str, str], timeout_seconds: float
) -> Measurement:
    """Run ``command`` once.

    Its peak memory cannot read lower than that of this process, from which Linux starts it
    (getrusage(2), ru_maxrss survives exec): callers keep themselves small.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        inherited = os.environ | environment
        process = subprocess.Popen(command, stdout=out, stderr=err, env=inherited)  # noqa: S603 our own command
        timer = threading.Timer(timeout_seconds, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, told = out.read().decode(), err.read().decode("utf-8", "replace")
    if seconds >= timeout_seconds:
        return Measurement(error=f"over {timeout_seconds:,.0f} s")
    if process.returncode not in ((0, 1) if kind is Kind.HUNT else (0,)):
        last = (told.strip().splitlines() or ["no message"])[-1]
        return Measurement(error=f"exit code {process.returncode}: {last[:200]}")
    return _read(kind, text, seconds, usage.ru_maxrss / 1024)


def _read(kind: Kind, text: str, seconds: float, peak_mb: float) -> Measurement:
    if kind is Kind.BARE:
        return Measurement(seconds=seconds, peak_mb=peak_mb)
    if kind is Kind.HUNT:
        found = json.loads(text)["summary"]["events"]
        return Measurement(seconds=seconds, peak_mb=peak_mb, found=found)
    if kind is Kind.ROWS:
        return Measurement(seconds=seconds, peak_mb=peak_mb, found=text.count("\n") - 1)
    answer = json.loads(text.strip().splitlines()[-1])
    if "missing" in answer:
        return Measurement(missing=answer["missing"])
    return Measurement(
        seconds=answer["seconds"], peak_mb=peak_mb, found=answer["found"], tool=answer["tool"]
    )


def best(runs: Sequence[Measurement]) -> Measurement:
    """The fastest of several runs of one command, with the most memory of any; or what failed."""
    failed = next((run for run in runs if run.missing or run.error), None)
    if failed is not None:
        return failed
    fastest = min(runs, key=lambda run: run.seconds)
    return Measurement(
        seconds=fastest.seconds,
        peak_mb=max(run.peak_mb for run in runs),
        found=fastest.found,
        tool=fastest.tool,
    )
