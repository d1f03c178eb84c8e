"""`foxhunt doctor`: whether everything a hunt stands on is in order, and what to do if not."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from foxhunt.cli import Exit


def doctor_command(
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no server: neither reach nor key is tried.")
    ] = False,
    format_name: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How to print it.")
    ] = "text",
) -> None:
    """Check versions, disk, key, network, store, age of data and the last syncs.

    Each line is ok, warn, fail, or skipped where --offline kept it from looking; below it
    stands what to do. Exit code 0: nothing is wrong; 1: warnings; 3: something fails, so that
    a sync or a hunt could not be done.

    \b
      foxhunt doctor
      foxhunt doctor --offline --format json
    """
    import os
    from datetime import UTC, datetime

    from foxhunt.cli.output import deliver
    from foxhunt.doctor import diagnose, render_json, render_text, worst
    from foxhunt.feeds.diagnosis import Level
    from foxhunt.indicators import default_home

    checks = diagnose(default_home(), os.environ, datetime.now(UTC), is_offline=offline)
    deliver(render_json(checks) if format_name == "json" else render_text(checks), None)
    codes = {Level.FAIL: Exit.INCOMPLETE, Level.WARN: Exit.OPEN}
    raise typer.Exit(codes.get(worst(checks), Exit.CLEAN))
