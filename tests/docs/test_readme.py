"""The README's commands are run, and print what it shows; ``[...]`` stands for any lines."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.running import foxhunt

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
# Pages whose commands are run, in this order: later ones use what earlier ones made.
PAGES = ("README.md", "docs/exclusions.md")


def sessions() -> list[tuple[str, str]]:
    """Each ``$ foxhunt`` command of the console blocks, with the output shown for it."""
    found = []
    text = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = session.partition("\n")
            if command.startswith("foxhunt "):
                found.append((command, shown))
    return found


def matches(shown: str, actual: str) -> bool:
    parts = re.split(r"^\[\.\.\.\]\n", shown, flags=re.MULTILINE)
    return re.fullmatch(r"(?:.*\n)*?".join(map(re.escape, parts)), actual) is not None


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with examples/ and the demo's logs, like a checkout after `make demo`."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "examples").symlink_to(ROOT / "examples")
    make = [sys.executable, str(ROOT / "examples" / "make_example.py"), str(folder / "demo/logs")]
    subprocess.run(make, check=True, capture_output=True)
    return folder


def test_every_command_prints_what_the_readme_shows(checkout: Path) -> None:
    """In one test: later commands use what earlier ones made."""
    commands = sessions()

    assert len(commands) >= 7
    for command, shown in commands:
        ran = foxhunt(*shlex.split(command)[1:], home=checkout)
        # On a terminal notes come before the result.
        actual = (ran.err + ran.out).replace("\r\n", "\n")
        assert matches(shown, actual), f"{command}\n{actual}"


def test_it_starts_with_the_two_commands() -> None:
    first = re.search(r"```console\n(.*?)```", TEXT, re.DOTALL)

    assert first is not None
    assert re.findall(r"^\$ (.*)", first[1], re.MULTILINE) == ["make demo", "make test"]
    assert TEXT.index("make demo") < 1000
