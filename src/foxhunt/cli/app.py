"""The commands, by name. What a command needs is imported when it runs (help in under 0.3 s)."""

from __future__ import annotations

from typing import Annotated

import typer

from foxhunt import __version__
from foxhunt.cli.bundle_command import bundle_app
from foxhunt.cli.convert_command import convert_command
from foxhunt.cli.doctor_command import doctor_command
from foxhunt.cli.exclusions_command import exclusions_app
from foxhunt.cli.hunt_command import hunt_command
from foxhunt.cli.indicators_command import families_command, indicators_command
from foxhunt.cli.lint_command import lint_command
from foxhunt.cli.logs_command import logs_command
from foxhunt.cli.query_command import query_command
from foxhunt.cli.rule_command import rule_command
from foxhunt.cli.show_command import show_command
from foxhunt.cli.snapshots_command import snapshots_app
from foxhunt.cli.sync_command import sync_command

app = typer.Typer(
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


app.command("sync")(sync_command)
app.command("indicators")(indicators_command)
app.command("show")(show_command)
app.command("families")(families_command)
app.command("rule")(rule_command)
app.command("hunt")(hunt_command)
app.command("query")(query_command)
app.command("logs")(logs_command)
app.command("convert")(convert_command)
app.command("lint")(lint_command)
app.command("doctor")(doctor_command)
app.add_typer(exclusions_app, name="exclusions")
app.add_typer(snapshots_app, name="snapshots")
app.add_typer(bundle_app, name="bundle")
