"""The command line: arguments in, exit code out; everything else is done below."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from enum import IntEnum
from types import ModuleType, TracebackType
from typing import NoReturn, cast


class Exit(IntEnum):
    """Exit codes. Scripts depend on them; docs/cli.md is tested against this."""

    CLEAN = 0  # evaluated, nothing open
    OPEN = 1  # open findings
    USAGE = 2  # wrong usage
    INCOMPLETE = 3  # something asked for was not evaluated; wins over OPEN
    INTERRUPTED = 130  # Ctrl-C; nothing half-done is left


def main() -> NoReturn:
    """Run the command line; the entry point of the command ``foxhunt``."""
    # A fault of ours, or no memory left: Python would end with 1, which says "open findings".
    sys.excepthook = _crashed
    _spare_addresses()
    _hold_off_numpy()
    # What a command makes is in use to its end. To look for garbage at every 700 new objects, as
    # Python does, took a tenth of the time of imports and of a hunt with many findings.
    gc.set_threshold(100_000)
    _end(_run())


def _spare_addresses() -> None:
    """Under ``ulimit -v``, let Arrow reserve no more addresses than it uses.

    Its own allocator takes a gigabyte before any work (Arrow 26, environment variables of C++).
    """
    if sys.platform == "win32":
        return
    import resource

    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def _hold_off_numpy() -> None:
    """Let Arrow do without numpy until `foxhunt.engines.sieve` imports it.

    Where it is installed Arrow imports it as well, for conversions that nothing here asks for:
    a tenth of a second of every command.
    """
    sys.modules.setdefault("numpy", cast(ModuleType, None))  # "None" is Python's way to say so


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):  # before the command could take it
        _end(Exit.INTERRUPTED)
    # DuckDB's by its name: an error that nothing raised has no need of its module.
    if issubclass(kind, MemoryError) or kind.__name__ == "OutOfMemoryException":
        what = "out of memory; raise the limit (`ulimit -v`, the container's)"
    else:
        from traceback import print_exception

        print_exception(kind, error, trace)
        what = "stopped by the error above"
    print(f"foxhunt: {what}; nothing was evaluated to its end", file=sys.stderr)
    _end(Exit.INCOMPLETE)


def _end(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed, or nobody reads it any more
            stream.flush()
    # Not sys.exit: native threads (Arrow, DuckDB) may still run while the interpreter takes itself
    # down. Under load one of some thousand runs ended with SIGABRT, which is no answer.
    os._exit(code)


def _run() -> int:
    """Run one command, and return its exit code."""
    from foxhunt.cli.app import app
    from foxhunt.errors import HuntError

    try:
        app(prog_name="foxhunt")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except RuntimeError as error:
        # Ctrl-C while DuckDB works; its Python client raises no KeyboardInterrupt (2.0.0).
        if str(error) != "Query interrupted":
            raise
        return Exit.INTERRUPTED
    except HuntError as error:
        print(f"foxhunt: {_printable(str(error))}", file=sys.stderr)
        return _exit_code(error)
    return Exit.CLEAN


def _exit_code(error: object) -> Exit:
    from foxhunt.errors import (
        ExclusionError,
        FeedKeyError,
        FeedQueryError,
        MappingError,
        NoIndicatorsError,
        QueryError,
        TableError,
        UsageError,
    )

    # What the user can put right on the command line; anything else was asked for in good form
    # and could not be evaluated.
    is_usage = isinstance(
        error,
        UsageError
        | TableError
        | NoIndicatorsError
        | QueryError
        | ExclusionError
        | FeedKeyError
        | FeedQueryError
        | MappingError,
    )
    return Exit.USAGE if is_usage else Exit.INCOMPLETE


def _printable(text: str) -> str:
    # An error may quote a log or a feed: nothing of it may steer the terminal.
    return "".join(c if c.isprintable() or c == "\n" else f"<U+{ord(c):04X}>" for c in text)
