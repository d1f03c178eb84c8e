"""numpy, which few commands need and `foxhunt.cli` holds off until something asks for it here."""

from __future__ import annotations

import sys

if sys.modules.get("numpy", sys) is None:
    del sys.modules["numpy"]
import numpy as np

__all__ = ["Bytes", "Flags", "Places", "Words", "np"]

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Words = np.ndarray[tuple[int], np.dtype[np.uint64]]

# glibc gives pieces of more than 128 KiB back to the system as they are freed, and arrays of a
# block or a row group are made anew for the next: fresh pages took a third of all time. Once a
# larger piece was freed it keeps those that are smaller (mallopt(3), M_MMAP_THRESHOLD).
_KEPT_BYTES = 1 << 24
np.empty(_KEPT_BYTES, np.uint8)
