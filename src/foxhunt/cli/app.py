"""The commands, by name. One, and what it needs, is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from foxhunt import __version__

# To build them all takes 40 ms, an eighth of what a look-up may take.
_COMMANDS = {
    "sync": "sync_command:sync_command",
    "indicators": "indicators_command:indicators_command",
    "show": "show_command:show_command",
    "families": "indicators_command:families_command",
    "rule": "rule_command:rule_command",
    "hunt": "hunt_command:hunt_command",
    "query": "query_command:query_command",
    "logs": "logs_command:logs_command",
    "convert": "convert_command:convert_command",
    "lint": "lint_command:lint_command",
    "doctor": "doctor_command:doctor_command",
    "exclusions": "exclusions_command:exclusions_app",
    "snapshots": "snapshots_command:snapshots_app",
    "bundle": "bundle_command:bundle_app",
}


class _Commands(Mapping[str, TyperCommand]):
    """The commands and groups of commands, each built when it is asked for."""

    def __getitem__(self, name: str) -> TyperCommand:
        module, _, attribute = _COMMANDS[name].partition(":")
        found = getattr(import_module(f"foxhunt.cli.{module}"), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(rich_markup_mode=None, add_completion=False)
            alone.command(name)(found)
            found = alone
        return cast(TyperCommand, typer.main.get_command(found))

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Group(TyperGroup):
    def __init__(self, **settings: Any) -> None:  # typer's own, passed on
        super().__init__(**settings)
        self.commands = cast(Any, _Commands())  # nothing is ever added to it


app = typer.Typer(
    cls=_Group,
    # Rich help costs a third of the start-up budget, and plain text greps.
    rich_markup_mode=None,
    # A traceback with frame locals would print values of logs, and secrets.
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"foxhunt {__version__}")
        raise typer.Exit


@app.callback()
def about(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hunt logs for the malware indicators that ThreatFox publishes.

    A hunt reads indicators and logs and tells which of your machines met which malware.
    Findings and data go to standard output, everything else to standard error.

    \b
      foxhunt sync --file recent.json
      foxhunt hunt /var/log/zeek
      foxhunt rule "Unknown RAT" --format kql

    Exit codes: 0 evaluated, nothing open; 1 open findings; 2 wrong usage; 3 incomplete,
    something asked for was not evaluated; 130 interrupted.
    """
