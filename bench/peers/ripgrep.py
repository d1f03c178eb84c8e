"""ripgrep over a text log: ``ripgrep.py LOG PATTERNS``; it knows neither columns nor labels."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

from answer import tell


def main(log: str, patterns: str) -> None:
    """Count the lines that hold one of the patterns, in any case."""
    program = shutil.which("rg")
    if program is None:
        print(json.dumps({"missing": "ripgrep"}))
        return

    def work() -> int:
        command = [program, "--count", "--ignore-case", "--fixed-strings", "-f", patterns, log]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own command
        return int(done.stdout or 0)

    version = [program, "--version"]
    told = subprocess.run(version, capture_output=True, text=True, check=True)  # noqa: S603 fixed
    tell(work, told.stdout.splitlines()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
