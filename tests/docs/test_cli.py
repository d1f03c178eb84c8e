"""docs/cli.md is the help of the commands, word for word, and the exit codes."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from foxhunt.cli import Exit
from foxhunt.cli.app import app
from tests.golden_files import check

CLI = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = (
    *("sync", "indicators", "show", "families", "rule", "hunt", "query", "logs", "convert"),
    *("lint", "doctor", "exclusions", "snapshots", "bundle"),
)
BELOW = {
    "exclusions": ("init", "check", "list", "explain"),
    "snapshots": ("list", "diff", "rollback", "prune"),
    "bundle": ("export", "import"),
}

_MEANINGS = {
    Exit.CLEAN: "evaluated, nothing open",
    Exit.OPEN: "open findings; of `lint` errors, of `rule --check` a folder that is not in step",
    Exit.USAGE: "wrong usage: an option, a path, a family's name, no indicators",
    Exit.INCOMPLETE: "incomplete: something asked for was not evaluated; wins over 1",
    Exit.INTERRUPTED: "interrupted with Ctrl-C; nothing half-done is left",
}


def help_of(*arguments: str) -> str:
    result = CliRunner().invoke(
        app, [*arguments, "--help"], prog_name="foxhunt", env={"COLUMNS": "100"}, color=False
    )
    assert result.exit_code == 0
    return result.output.strip()


def page() -> str:
    lines = [
        "# Command line",
        "",
        "Made from the commands' own help (`make docs`).",
        "",
        "Findings and data go to standard output, everything else to standard error. Values are",
        "defanged in tables and pages, exact in JSON, NDJSON and CSV. Files are replaced whole.",
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {int(code)} | {_MEANINGS[code]} |" for code in Exit),
        "",
        "## Environment",
        "",
        "| variable | meaning |",
        "|---|---|",
        "| `FOXHUNT_HOME` | folder of the store; else the platform's data folder |",
        "| `FOXHUNT_THREATFOX_KEY`, `FOXHUNT_THREATFOX_API` and others | [feeds](feeds.md) |",
        "| `FOXHUNT_URLHAUS_URL` and others | [other feeds](other-feeds.md) |",
        "| `FOXHUNT_KUSTO` | folder of Microsoft's KQL parser (npm), for `lint` |",
        "",
    ]
    commands = [
        (),
        *((name,) for name in COMMANDS),
        *((group, name) for group, names in BELOW.items() for name in names),
    ]
    for command in commands:
        lines += [f"## {' '.join(['foxhunt', *command])}", "", "```", help_of(*command), "```", ""]
    return "\n".join(lines)


def test_the_page_is_up_to_date() -> None:
    check(CLI, page())


def test_every_command_is_on_the_page_and_has_an_example() -> None:
    listed = re.findall(r"^  ([a-z]+) ", help_of().split("Commands:")[1], re.MULTILINE)

    assert tuple(listed) == COMMANDS
    groups = [(group, name) for group, names in BELOW.items() for name in names]
    for command in (*((name,) for name in COMMANDS if name not in BELOW), *groups):
        assert f"    foxhunt {' '.join(command)}" in help_of(*command)
