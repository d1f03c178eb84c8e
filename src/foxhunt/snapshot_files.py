"""Files of snapshots as files: where they are, what their names say, their bytes and hash.

What is in them is `foxhunt.indicators`'. This module needs neither it nor Arrow: to hash a million
indicators takes as long as to import Arrow, so a look-up begins with the one and does the other
meanwhile.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

SUFFIX = ".parquet"
FOLDER = "indicators"
CURRENT = "current"
_NAME = re.compile(r"(?P<time>[0-9]{8}T[0-9]{6}\.[0-9]{6}Z)-(?P<hash>[0-9a-f]{16})")
_TIME = "%Y%m%dT%H%M%S.%fZ"


def snapshot_name(data: bytes, created: datetime) -> str:
    """Name the snapshot that holds ``data``."""
    return f"{created.astimezone(UTC).strftime(_TIME)}-{_digest(data)}"


def created_at(name: str) -> datetime | None:
    """When the snapshot called ``name`` was written; None if that is no snapshot's name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return datetime.strptime(match["time"], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def is_content(data: bytes, name: str) -> bool:
    """Whether ``data`` are the bytes that were written as the snapshot called ``name``."""
    return created_at(name) is not None and _digest(data) == name.rpartition("-")[2]


class SnapshotBytes:
    """The bytes of a snapshot, mapped and hashed in a thread beside the caller's own work.

    Attributes:
        name: The snapshot's.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        """Begin to read ``file``, which is closed at its end.

        Args:
            name: The snapshot's name, which holds a hash of its bytes.
            file: Those bytes.
        """
        self.name = name
        self._file = file
        self._data: bytes | mmap.mmap = b""
        self._failure: OSError | None = None
        self._is_whole = False
        self._reading = threading.Thread(target=self._read_and_hash, daemon=True)
        self._reading.start()

    def whole(self) -> bytes | mmap.mmap | None:
        """The bytes; None if they are not those that were written under the name.

        Raises:
            OSError: They cannot be read.
        """
        self._reading.join()
        if self._failure is not None:
            raise self._failure
        return self._data if self._is_whole else None

    def _read_and_hash(self) -> None:
        try:
            with self._file as file:
                # Mapped, not copied: a snapshot never changes once it has its name.
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # of an empty file there is nothing to map
            return
        except OSError as error:
            self._failure = error
            return
        data = cast(bytes, self._data)  # what is hashed may be any buffer
        self._is_whole = is_content(data, self.name)


def begin_current(home: Path) -> SnapshotBytes | None:
    """Begin with the bytes of the current snapshot of the store in ``home``.

    Returns:
        None if there is none, or it cannot be opened: who opens the store says why.
    """
    folder = home / FOLDER
    try:
        name = (folder / CURRENT).read_bytes().decode("ascii", "replace").strip()
        if created_at(name) is None:
            return None
        return SnapshotBytes(name, (folder / (name + SUFFIX)).open("rb"))
    except OSError:
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
