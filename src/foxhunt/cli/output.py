"""Where text goes: results to standard output or a file, everything else to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from foxhunt import atomic


def deliver(text: str, out: Path | None) -> None:
    """Write a result to ``out``, replaced atomically, or to standard output.

    A reader that closes the pipe early (``| head``) ends the writing, not the command:
    the exit code must still say what was found.
    """
    if out is not None:
        atomic.write(out, text)
        note(f"wrote {out}")
        return
    try:
        # Bytes, so that the locale can neither refuse a character nor change one.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes once more at exit, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Tell the person something that is not the result."""
    print(text.rstrip("\n"), file=sys.stderr)


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is, or None when it is none."""
    # Some pseudo-terminals say 0; this function then says 80.
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
