"""Run foxhunt as a user does: its own process, nothing of the test's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gave."""

    code: int
    out: str
    err: str


def foxhunt(*arguments: str, home: Path, stdin: str = "", cwd: Path | None = None) -> Ran:
    """Run ``foxhunt arguments`` with its store in ``home``."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "FOXHUNT_HOME": str(home / "store"),
        "LANG": "C",
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
