"""What a command does not wait for: modules that it does not need are not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from foxhunt.indicators import IndicatorStore

from ..indicators.lookup_samples import every_kind

# The rule, its tables, feeds' client, reports and DuckDB each take longer than a look-up.
HEAVY = (
    *("foxhunt.rules", "foxhunt.tables", "foxhunt.logs", "duckdb", "httpx", "jinja2", "yaml"),
    "numpy._core",
)
_SAY = (
    "import atexit, json, os, sys; os._exit = lambda code: sys.stderr.write("
    "chr(10) + json.dumps(sorted(sys.modules))); from foxhunt.cli import main; main()"
)


def imported(home: Path, *arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    ran = subprocess.run(
        [sys.executable, "-c", _SAY, *arguments],
        capture_output=True,
        env={**os.environ, "FOXHUNT_HOME": str(home)},
        check=False,
        timeout=60,
    )
    return set(json.loads(ran.stderr.decode().splitlines()[-1]))


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), (*HEAVY, "pyarrow", "foxhunt.indicators")),
        (("show", "evil.org"), HEAVY),
        (("families",), HEAVY),
    ],
)
def test_a_look_up_imports_only_what_it_needs(
    tmp_path: Path, arguments: tuple[str, ...], heavy: tuple[str, ...]
) -> None:
    IndicatorStore(tmp_path).merge(every_kind())

    found = imported(tmp_path, *arguments)

    assert "foxhunt.cli.app" in found
    assert found.isdisjoint(heavy)
