"""A line of a gigabyte: counted as unreadable, the rest hunted, in bounded memory."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

GIGABYTE = 1024**3
# Address space, of which Arrow and DuckDB reserve more than they use.
LIMIT_BYTES = 3 * GIGABYTE

BEFORE = {
    "line.csv": b"TimeGenerated,Computer,Name,QueryType\n2026-06-01T10:00:00Z,DC1,a.org,A\nx,",
    "line.json": b'{"TimeGenerated": "2026-06-01", "Name": "a.org", "QueryType": "A"}\n{"Name": "',
}
AFTER = {
    "line.csv": b",A\n2026-06-01T11:00:00Z,DC1,b.org,A\n",
    "line.json": b'"}\n{"TimeGenerated": "2026-06-02", "Name": "b.org", "QueryType": "A"}\n',
}


@pytest.mark.parametrize("name", BEFORE)
def test_a_line_of_a_gigabyte_is_counted_in_bounded_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as out:
        out.write(BEFORE[name])
        # A hole: the file reads as a gigabyte of NULs, and takes no room.
        out.seek(GIGABYTE, 1)
        out.write(AFTER[name])
    command = "from foxhunt.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", command, "logs", str(path), "--format", "json"],
        capture_output=True,
        check=False,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
    )

    text = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert '"rows": 2,' in text
    assert '"rows_refused": 1,' in text
    assert "longer than 16 MiB" in text
