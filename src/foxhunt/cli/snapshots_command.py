"""`foxhunt snapshots`: what the store held before, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from foxhunt.cli.indicators_command import RowFormat, deliver_rows
from foxhunt.cli.options import Out

if TYPE_CHECKING:
    from foxhunt.indicators.changes import Change, Changes, Kind

snapshots_app = typer.Typer(
    help="List, compare, go back to and delete the snapshots of the store.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)

SNAPSHOTS = ("name", "created", "size_bytes", "is_current")
CHANGES = ("change", "type", "value", "malware_printable", "source", "source_id", "fields")
_NAME = "Name, its beginning, the beginning of its hash, `current` or `previous`."

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="KIND", help="Only new, gone, changed or re-seen. Repeatable."),
]


@snapshots_app.command("list")
def list_command(format_name: RowFormat = "table", out: Out = None) -> None:
    """List the snapshots, newest first.

    \b
      foxhunt snapshots list
    """
    from foxhunt.indicators import IndicatorStore, default_home

    rows = [
        (one.name, one.created, one.size_bytes, one.is_current)
        for one in IndicatorStore(default_home()).snapshots()
    ]
    deliver_rows(format_name, SNAPSHOTS, rows, out)


@snapshots_app.command("diff")
def diff_command(
    before: Annotated[str, typer.Argument(metavar="A", help=_NAME)] = "previous",
    after: Annotated[str, typer.Argument(metavar="B", help=_NAME)] = "current",
    *,
    only: Only = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="At most N of each kind; the counts are of all."),
    ] = None,
    format_name: RowFormat = "table",
    out: Out = None,
) -> None:
    """Show what changed from snapshot A to B: new, gone, changed, and re-seen indicators.

    Re-seen is one of which last_seen alone differs. The counts go to standard error.

    \b
      foxhunt snapshots diff
      foxhunt snapshots diff 20260713 current --only new --format csv
      foxhunt snapshots diff 5f0c3a9e previous --limit 10
    """
    from foxhunt.cli.output import note
    from foxhunt.indicators import IndicatorStore, default_home
    from foxhunt.indicators.changes import Changes

    kinds = _kinds(only)
    store = IndicatorStore(default_home())
    old, new = store.resolve(before).name, store.resolve(after).name
    changes = Changes(store.load_snapshot(old), store.load_snapshot(new))
    is_table = format_name == "table"
    rows = [_row(c, is_table=is_table) for kind in kinds for c in changes.of(kind, limit)]
    deliver_rows(format_name, CHANGES, rows, out)
    note(f"from {old} to {new}: {_counts(changes)}")


@snapshots_app.command("rollback")
def rollback_command(name: Annotated[str, typer.Argument(metavar="NAME", help=_NAME)]) -> None:
    """Make an older snapshot the current one; the next sync merges into it.

    The one that is left stays, and can be gone back to in the same way.

    \b
      foxhunt snapshots rollback previous
    """
    from foxhunt.cli.output import note
    from foxhunt.indicators import IndicatorStore, default_home

    store = IndicatorStore(default_home())
    chosen = store.resolve(name)
    left = next((one.name for one in store.snapshots() if one.is_current), "none")
    store.rollback(chosen.name)
    note(f"current is {chosen.name}; before it was {left}")


@snapshots_app.command("prune")
def prune_command(
    keep: Annotated[
        int, typer.Option(min=1, metavar="N", help="Keep the newest N, and the current one.")
    ],
) -> None:
    """Delete old snapshots. A sync keeps the newest ten by itself.

    \b
      foxhunt snapshots prune --keep 3
    """
    from foxhunt.cli.output import note
    from foxhunt.indicators import IndicatorStore, default_home
    from foxhunt.reports.text import plural

    deleted = IndicatorStore(default_home()).prune(keep)
    size = sum(one.size_bytes for one in deleted) / 1e6
    for one in deleted:
        note(f"deleted {one.name}")
    note(f"{plural(len(deleted), 'snapshot')} deleted, {size:,.1f} MB")


def _kinds(names: list[str] | None) -> list[Kind]:
    from foxhunt.errors import UsageError
    from foxhunt.indicators.changes import Kind

    known = {str(kind): kind for kind in Kind}
    for name in names or ():
        if name not in known:
            raise UsageError(f"--only {name!r} is no change", hint=f"one of: {', '.join(known)}")
    return [kind for name, kind in known.items() if not names or name in names]


def _row(change: Change, *, is_table: bool) -> tuple[object, ...]:
    from foxhunt.indicators import defang

    one = change.indicator
    fields: object = {name: list(pair) for name, pair in change.fields.items()} or None
    if is_table:
        fields = "; ".join(_in_words(name, *pair) for name, pair in change.fields.items())
    return (
        str(change.kind),
        str(one.type),
        defang(one.value) if is_table else one.value,
        one.malware_printable,
        one.source,
        one.source_id,
        fields,
    )


def _in_words(name: str, before: object, after: object) -> str:
    return f"{name} {_word(before)} -> {_word(after)}"


def _word(value: object) -> str:
    from datetime import datetime

    from foxhunt.reports.text import minute, shown

    if isinstance(value, datetime):
        return minute(value)
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    # A reference is a URL of a stranger's.
    return "none" if value is None else shown(str(value))


def _counts(changes: Changes) -> str:
    told = [f"{count:,} {kind}" for kind, count in changes.counts.items()]
    return ", ".join([*told, f"{changes.unchanged:,} unchanged"])
