"""What every peer tells its caller: one JSON line on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec


def tell(work: Callable[[], int | None], tool: str) -> None:
    """Time ``work`` alone (start and imports are not the peer's matter) and print the answer.

    Args:
        work: Does it, and returns how many rows were found, or None when it only reads.
        tool: Name and version of what does the work.
    """
    begun = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "found": found, "tool": tool}))


def need(package: str) -> None:
    """End with the answer "not installed" unless ``package`` is there."""
    if find_spec(package) is None:
        print(json.dumps({"missing": package}))
        sys.exit(0)
