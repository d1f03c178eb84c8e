"""`foxhunt exclusions`: write, check, list and explain what was judged benign."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit
from foxhunt.cli.options import Indicators, Out

if TYPE_CHECKING:
    from foxhunt.exclusions import Remark

exclusions_app = typer.Typer(
    help="Write, check, list and explain exclusions: what was judged benign.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)

Files = Annotated[
    list[str], typer.Argument(metavar="FILE", help="Exclusion files, or folders of them.")
]


@exclusions_app.command("init")
def init_command(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the templates.")] = Path(
        "exclusions"
    ),
) -> None:
    """Write a template for each of the five scenarios; what is there already is kept.

    A template is refused until its placeholders are filled in.

    \b
      foxhunt exclusions init
      foxhunt exclusions init --out /etc/foxhunt/exclusions
    """
    from foxhunt import atomic
    from foxhunt.cli.output import note
    from foxhunt.errors import UsageError
    from foxhunt.exclusions import scenarios

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {out}: {error.strerror}") from error
    for scenario in scenarios():
        path = out / f"{scenario.id}.yaml"
        if path.exists():
            note(f"kept {path}")
        else:
            atomic.write(path, scenario.template)
            note(f"wrote {path}")


@exclusions_app.command("check")
def check_command(files: Files, indicators: Indicators = None) -> None:
    """Check exclusion files: mistakes, and exclusions that would hide too much or nothing.

    With --indicators it also says which of them a condition covers, and by the hunts of the
    last 30 days which covered nothing. Exit code 2 means errors;
    warnings alone are 0.

    \b
      foxhunt exclusions check exclusions/
      foxhunt exclusions check lab.yaml --indicators recent.json
    """
    from foxhunt.cli.output import deliver
    from foxhunt.cli.selecting import load
    from foxhunt.exclusions import lint, read_exclusions

    exclusions = read_exclusions(files)
    known = load(indicators) if indicators else None
    now = datetime.now(UTC)
    remarks = lint(
        tuple(exclusions),
        today=now.date(),
        indicators=known,
        unused=_unused([one.id for one in exclusions], now),
    )
    errors = sum(remark.is_error for remark in remarks)
    lines = [*map(_line, remarks)]
    lines.append(f"{len(exclusions)} exclusions, {errors} errors, {len(remarks) - errors} warnings")
    deliver("\n".join(lines) + "\n", None)
    raise typer.Exit(Exit.USAGE if errors else Exit.CLEAN)


def _unused(ids: list[str], now: datetime) -> dict[str, str]:
    """Id of each exclusion that hunts had lately, and that covered nothing in any, to which."""
    from foxhunt.findings.history import FindingStore
    from foxhunt.indicators import default_home
    from foxhunt.reports.text import plural
    from foxhunt.state import State

    usage = FindingStore(State(default_home())).usage(ids, now - timedelta(days=30))
    return {
        id_: f"{plural(one.hunts, 'hunt')} since {one.since:%Y-%m-%d}"
        for id_, one in usage.items()
        if not one.events
    }


def _line(remark: Remark) -> str:
    from foxhunt.reports.text import prose

    level = "error" if remark.is_error else "warning"
    return prose(f"{remark.at}: {remark.code} {level}: {remark.exclusion}: {remark.message}")


@exclusions_app.command("list")
def list_command(
    files: Files,
    format_name: Annotated[
        Literal["table", "json", "ndjson", "csv"], typer.Option("--format", help="How to print.")
    ] = "table",
    out: Out = None,
) -> None:
    """List exclusions: id, scenario, owner, expiry, what they ask for, where they are.

    \b
      foxhunt exclusions list exclusions/
    """
    from foxhunt.cli.output import deliver, terminal_width
    from foxhunt.exclusions import read_exclusions
    from foxhunt.reports.query_result import write_rows

    columns = ("id", "scenario", "owner", "expires", "conditions", "reason", "at")
    rows = [
        (
            one.id,
            one.scenario,
            one.owner,
            one.expires,
            ", ".join(sorted(one.facts)),
            one.reason,
            str(one.at),
        )
        for one in read_exclusions(files)
    ]
    rendered = io.StringIO()
    write_rows(format_name, columns, rows, rendered, width=terminal_width() or 160)
    deliver(rendered.getvalue(), out)


@exclusions_app.command("explain")
def explain_command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FINDING|ROW",
            help="A finding's id (with --report), or a row as JSON; - reads it.",
        ),
    ],
    exclusions: Annotated[
        list[str], typer.Option("--exclusions", metavar="FILE", help="Exclusion files. Repeatable.")
    ],
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What `hunt --format json` wrote, for a finding's id."),
    ] = None,
    table: Annotated[str | None, typer.Option(metavar="NAME", help="The row's table.")] = None,
) -> None:
    """Say why an event is or is not suppressed, condition by condition.

    Only what the row itself tells is looked at: what a hunt finds in other logs of the host is
    shown as unknown here.

    \b
      foxhunt exclusions explain 3f2a9c --report hunt.json --exclusions exclusions/
      foxhunt exclusions explain '{"Name": "a.org", "ClientIP": "10.0.0.5"}' --table DnsEvents
          --exclusions lab.yaml
    """
    from foxhunt.cli.explaining import explain, rows_of
    from foxhunt.cli.output import deliver
    from foxhunt.exclusions import read_exclusions

    rows, today = rows_of(what, report, table), datetime.now(UTC).date()
    deliver("\n".join(explain(rows, tuple(read_exclusions(exclusions)), today)) + "\n", None)
