"""Run foxhunt as a user does: its own process, nothing of the test's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gave."""

    code: int
    out: str
    err: str


def foxhunt(
    *arguments: str,
    home: Path,
    stdin: str = "",
    cwd: Path | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Ran:
    """Run ``foxhunt arguments`` with its store in ``home``; no feed is asked but on loopback."""
    environment = {
        # Nothing listens there: a test that asks a feed has to say which.
        "FOXHUNT_THREATFOX_API": "http://127.0.0.1:9/",
        "FOXHUNT_THREATFOX_EXPORTS": "http://127.0.0.1:9/",
        "FOXHUNT_THREATFOX_FILES": "http://127.0.0.1:9/",
        "FOXHUNT_ABUSECH_HUNTING": "http://127.0.0.1:9/",
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "FOXHUNT_HOME": str(home / "store"),
        "LANG": "C",
        **variables,
    }
    command = [sys.executable, "-X", "utf8=0", "-c", "from foxhunt.cli import main; main()"]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        env=environment,
        input=stdin.encode(),
        cwd=cwd or home,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))
