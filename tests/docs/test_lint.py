"""docs/lint.md: its example is what is printed, and its table is what there is."""

from __future__ import annotations

import re
from pathlib import Path

import foxhunt.lint as lint_package
from tests.unit.cli.running import foxhunt

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "lint.md").read_text("utf-8")


def test_the_example_is_what_is_printed(tmp_path: Path) -> None:
    (block,) = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    query, _, shown = block.removeprefix("$ cat hunt.kql\n").partition("$ foxhunt lint hunt.kql\n")
    (tmp_path / "hunt.kql").write_text(query)

    assert foxhunt("lint", "hunt.kql", home=tmp_path).out == shown


def test_every_code_is_in_the_table() -> None:
    source = "".join(
        path.read_text("utf-8") for path in Path(lint_package.__path__[0]).glob("*.py")
    )
    used = set(re.findall(r"\"(L[0-9]{3})\"", source))

    assert used == set(re.findall(r"^\| (L[0-9]{3}) \|", TEXT, re.MULTILINE))
