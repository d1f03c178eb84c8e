"""Expected texts that live in tests/golden, and the one way to compare with them."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def check(path: str | Path, actual: str) -> None:
    """Assert that ``actual`` is, byte for byte, what the golden file holds.

    With ``REWRITE_GOLDEN`` set in the environment the file is written instead, for a person
    to read the diff.

    Args:
        path: Below tests/golden, or absolute.
        actual: The text.
    """
    # Bytes, since text mode would change the line breaks of CSV.
    expected, data = GOLDEN / path, actual.encode("utf-8")
    if os.environ.get("REWRITE_GOLDEN"):
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_bytes(data)
    assert expected.is_file(), f"no golden file {expected}; write it with REWRITE_GOLDEN=1"
    assert data.decode("utf-8") == expected.read_bytes().decode("utf-8")
