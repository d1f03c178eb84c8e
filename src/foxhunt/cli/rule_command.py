"""`foxhunt rule`: a family's rule as a page or as queries; or all of them as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit, options
from foxhunt.cli.options import Exclusions, Indicators, Match, MinConfidence

if TYPE_CHECKING:
    from foxhunt.exclusions import Exclusion
    from foxhunt.indicators import IndicatorSet
    from foxhunt.rules import MatchMode, Rule


def rule_command(
    family: Annotated[
        str | None, typer.Argument(metavar="FAMILY", help="Name, alias or Malpedia label.")
    ] = None,
    *,
    all_families: Annotated[
        bool, typer.Option("--all", help="Every family, as files below the folder --out.")
    ] = False,
    indicators: Indicators = None,
    exclusions: Exclusions = None,
    match: Match = "exact",
    format_name: Annotated[
        Literal["md", "html", "kql", "json"],
        typer.Option("--format", help="Page (md, html), queries (kql) or all of it (json)."),
    ] = "md",
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only indicators first seen on this day.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only first seen from this time (UTC) on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only first seen before this time (UTC).")
    ] = None,
    min_confidence: MinConfidence = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="PATH", help="File to write; with --all, the folder.")
    ] = None,
) -> None:
    """Print the hunting rule of FAMILY, or write those of all families.

    With --all each family gets a folder of rule.md, rule.html, rule.kql and rule.json; only
    what changed is rewritten, and what an earlier run made of a family that is gone is removed.

    \b
      foxhunt rule "Unknown RAT"
      foxhunt rule AsyncRAT --format kql --min-confidence 75
      foxhunt rule "Unknown RAT" --match term --format kql
      foxhunt rule --all --out rules/ --exclusions exclusions.yaml
    """
    from foxhunt.cli.output import deliver
    from foxhunt.cli.selecting import select
    from foxhunt.errors import UsageError
    from foxhunt.exclusions import read_exclusions
    from foxhunt.rulebook import family_rule, render_rule
    from foxhunt.rules import MatchMode

    if (family is None) is not all_families:
        raise UsageError("give one FAMILY, or --all with --out", hint='foxhunt rule "Unknown RAT"')
    seen_since, seen_until = options.time_range(since, until, day)
    chosen = select(
        indicators,
        families=None if family is None else [family],
        min_confidence=min_confidence,
        seen_since=seen_since,
        seen_until=seen_until,
    )
    mode, excluded = MatchMode(match), tuple(read_exclusions(exclusions or ()))
    if family is None:
        _write_all(chosen, mode, excluded, out)
    else:
        rule = family_rule(chosen, family, mode)
        deliver(render_rule(rule, format_name, excluded), out)


def _write_all(
    indicators: IndicatorSet, mode: MatchMode, exclusions: Sequence[Exclusion], out: Path | None
) -> None:
    from foxhunt.cli.output import note
    from foxhunt.cli.progress import progress_bar
    from foxhunt.errors import UsageError
    from foxhunt.rulebook import write_rules
    from foxhunt.rules import build_rule

    if out is None:
        raise UsageError("--all writes files", hint="name their folder with --out rules/")
    families = indicators.families()
    with progress_bar() as progress:

        def rules() -> Iterator[Rule]:
            for done, family in enumerate(families):
                progress(family.name, done, len(families))
                members = indicators.where(families=[family.malware])
                yield build_rule(family.name, family.malware, members, mode)

        report = write_rules(rules(), out, exclusions)
    for name, error in report.refused:
        note(f"not written: {name}: {error}")
    note(
        f"{len(families) - len(report.refused):,} rules in {out}: {len(report.written):,} files "
        f"written, {report.unchanged:,} unchanged, {len(report.removed):,} removed"
    )
    if report.refused:
        raise typer.Exit(Exit.INCOMPLETE)
