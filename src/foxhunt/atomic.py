"""Files that are replaced whole: killed at any moment, the old one or the new one is there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from foxhunt.errors import UsageError


@contextmanager
def replacing(path: Path, *, is_durable: bool = True) -> Iterator[TextIO]:
    """Open a text file that takes the place of ``path`` when the block ends well.

    On an exception ``path`` stays as it was and nothing else is left behind.

    Args:
        path: Which.
        is_durable: Whether it has to outlive a power cut, for which the disk is waited for;
            not for what is made anew in thousands.

    Raises:
        UsageError: ``path`` cannot be written.
    """
    # A device or pipe (/dev/stdout, /dev/null) cannot be replaced, only written to.
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise UsageError(f"{path} is a folder", hint="name a file")
        with path.open("w", encoding="utf-8", newline="") as out:
            yield out
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            if is_durable:
                os.fsync(out.fileno())
        # mkstemp makes files for the owner alone; a report is as readable as any new file.
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(path: Path, text: str, *, is_durable: bool = True) -> None:
    """Put ``text`` into ``path``; see `replacing`."""
    with replacing(path, is_durable=is_durable) as out:
        out.write(text)


def _umask() -> int:
    mask = os.umask(0o022)  # there is no way to read it but to set it
    os.umask(mask)
    return mask
