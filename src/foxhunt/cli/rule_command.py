"""`foxhunt rule`: a family's rule as a page, as queries or as content; or all of them as files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foxhunt.cli import Exit, options
from foxhunt.cli.options import (
    Exclusions,
    FalsePositiveFiles,
    Indicators,
    Match,
    MinConfidence,
)

if TYPE_CHECKING:
    from foxhunt.content import ContentFile, Revoked, Subject
    from foxhunt.content.folder import Written
    from foxhunt.indicators import IndicatorSet
    from foxhunt.rules import MatchMode, Rule

FormatName = Literal[
    "arm-analytics",
    "arm-hunting",
    "bicep-analytics",
    "bicep-hunting",
    "csv",
    "defender",
    "esql",
    "hosts",
    "html",
    "json",
    "kql",
    "md",
    "rpz",
    "sentinel-analytics",
    "sentinel-hunting",
    "sigma",
    "splunk",
    "stix",
    "suricata",
    "zeek",
]


Family = Annotated[
    str | None, typer.Argument(metavar="FAMILY", help="Name, alias or Malpedia label.")
]
AllFamilies = Annotated[
    bool, typer.Option("--all", help="Every family, as files below the folder --out.")
]
Format = Annotated[
    FormatName,
    typer.Option("--format", help="Page (md, html), queries (kql), all of it (json), content."),
]
Content = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME,...",
        help="With --all: the formats to write, or all. Repeatable; default html,json,kql,md.",
    ),
]
DeliveryName = Annotated[
    Literal["auto", "inline", "parts", "watchlist", "ti-table", "externaldata"],
    typer.Option(
        help="How queries get their indicators: in their text, in the text of several, or "
        "from a table; auto keeps to a rule's limits."
    ),
]
DataUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Folder that externaldata reads indicators.csv from."),
]
Lookback = Annotated[str, typer.Option(metavar="SPAN", help="How far back queries look: 30d, 12h.")]
Day = Annotated[
    str | None, typer.Option(metavar="DAY", help="Only indicators first seen on this day.")
]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only first seen from this time (UTC) on.")
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only first seen before this time (UTC).")
]
Check = Annotated[
    bool,
    typer.Option("--check", help="With --all: write nothing; exit 1 if --out is not in step."),
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="File, or folder for several files and with --all."),
]


def rule_command(
    family: Family = None,
    *,
    all_families: AllFamilies = False,
    indicators: Indicators = None,
    exclusions: Exclusions = None,
    fplist: FalsePositiveFiles = None,
    match: Match = "exact",
    format_name: Format = "md",
    content: Content = None,
    delivery: DeliveryName = "auto",
    data_url: DataUrl = None,
    lookback: Lookback = "30d",
    day: Day = None,
    since: Since = None,
    until: Until = None,
    min_confidence: MinConfidence = 0,
    check: Check = False,
    out: Out = None,
) -> None:
    """Print the hunting rule of FAMILY, or write those of all families.

    With --all each family gets a folder; only what changed is rewritten, and what an earlier
    run made of a family or format that is gone is removed. What abuse.ch took back as a false
    positive is in no rule; STIX says that it is revoked.

    \b
      foxhunt rule "Unknown RAT"
      foxhunt rule AsyncRAT --format kql --min-confidence 75
      foxhunt rule "Unknown RAT" --match term --format kql
      foxhunt rule --all --out rules/ --exclusions exclusions.yaml
      foxhunt rule --all --out rules/ --content kql,csv --delivery watchlist
      foxhunt rule --all --out rules/ --check
    """
    from foxhunt.cli.selecting import false_positives, select
    from foxhunt.rulebook import family_rule, gone_rules, render, without
    from foxhunt.rules import MatchMode

    _refuse_contradictions(
        family, delivery, data_url, is_all=all_families, is_of_all=bool(content) or check
    )
    seen_since, seen_until = options.time_range(since, until, day)
    chosen = select(
        indicators,
        families=None if family is None else [family],
        min_confidence=min_confidence,
        seen_since=seen_since,
        seen_until=seen_until,
    )
    chosen, revoked = without(chosen, false_positives(fplist, is_store_used=not indicators))
    _tell_revoked(revoked)
    subject = _subjects(exclusions, delivery, data_url, lookback, revoked)
    if family is not None:
        rule = family_rule(chosen, family, MatchMode(match), revoked)
        _deliver(render(subject(rule), format_name), out)
    else:
        names, gone = _formats(content), gone_rules(chosen, revoked, MatchMode(match))
        _all(chosen, MatchMode(match), subject, names, out, gone=gone, is_check=check)


def _refuse_contradictions(
    family: str | None, delivery: str, data_url: str | None, *, is_all: bool, is_of_all: bool
) -> None:
    from foxhunt.errors import UsageError

    if (family is None) is not is_all:
        raise UsageError("give one FAMILY, or --all with --out", hint='foxhunt rule "Unknown RAT"')
    if is_of_all and not is_all:
        raise UsageError("--content and --check go with --all", hint="--format is for one family")
    if delivery == "externaldata" and data_url is None:
        raise UsageError("externaldata has to be read from somewhere", hint="--data-url URL")


def _tell_revoked(revoked: Sequence[Revoked]) -> None:
    from foxhunt.cli.output import note

    if revoked:
        note(f"left out, since abuse.ch took them back: {len(revoked):,} indicators")


def _subjects(
    exclusions: Sequence[str] | None,
    delivery: str,
    data_url: str | None,
    lookback: str,
    revoked: Sequence[Revoked],
) -> Callable[[Rule], Subject]:
    """What makes a subject of a rule, as its user wants it."""
    from foxhunt.backends import Delivery
    from foxhunt.content import Subject
    from foxhunt.exclusions import read_exclusions

    excluded, span = tuple(read_exclusions(exclusions or ())), options.time_span(lookback)

    def subject(rule: Rule) -> Subject:
        return Subject(
            rule=rule,
            exclusions=excluded,
            delivery=Delivery(delivery),
            data_url=data_url,
            lookback=span,
            revoked=tuple(one for one in revoked if one.indicator.malware == rule.malware),
        )

    return subject


def _all(
    chosen: IndicatorSet,
    mode: MatchMode,
    subject: Callable[[Rule], Subject],
    formats: Sequence[str],
    out: Path | None,
    *,
    gone: Iterator[Rule],
    is_check: bool,
) -> None:
    from foxhunt.errors import UsageError

    if out is None:
        raise UsageError("--all writes files", hint="name their folder with --out rules/")
    subjects = map(subject, itertools.chain(_rules(chosen, mode), gone))
    if is_check:
        _check(subjects, formats, out)
    else:
        _write(subjects, formats, out, len(chosen.families()))


def _deliver(files: Sequence[ContentFile], out: Path | None) -> None:
    from foxhunt import atomic
    from foxhunt.cli.output import deliver, note
    from foxhunt.errors import UsageError

    if len(files) == 1 and (out is None or not out.is_dir()):
        deliver(files[0].text, out)
        return
    if out is None:
        names = ", ".join(file.name for file in files)
        raise UsageError(f"that is {len(files)} files: {names}", hint="name a folder: --out DIR")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder, and that is {len(files)} files")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {out}: {error.strerror}") from error
    for file in files:
        atomic.write(out / file.name, file.text)
    note(f"wrote {len(files)} files to {out}")


def _formats(content: Sequence[str] | None) -> tuple[str, ...]:
    from foxhunt.content import PAGES, content_names
    from foxhunt.errors import UsageError

    names = [name.strip() for text in content or () for name in text.split(",") if name.strip()]
    if not names:
        return PAGES
    if "all" in names:
        return content_names()
    unknown = [name for name in names if name not in content_names()]
    if unknown:
        raise UsageError(
            f"--content {unknown[0]!r} is no format",
            hint=f"known: all, {', '.join(content_names())}",
        )
    return tuple(sorted(set(names)))


def _rules(indicators: IndicatorSet, mode: MatchMode) -> Iterator[Rule]:
    from foxhunt.cli.progress import progress_bar
    from foxhunt.rulebook import family_rules

    with progress_bar() as progress:
        yield from family_rules(indicators, mode, progress)


def _write(subjects: Iterator[Subject], formats: Sequence[str], out: Path, families: int) -> None:
    from foxhunt.cli.output import note
    from foxhunt.content.folder import write_folder

    report = write_folder(subjects, formats, out)
    for text in _described(report, families, out):
        note(text)
    if report.refused:
        raise typer.Exit(Exit.INCOMPLETE)


def _described(report: Written, families: int, out: Path) -> Iterator[str]:
    for name, reason in report.refused:
        yield f"not written: {name}: {reason}"
    for name, count in sorted(report.left_out.items()):
        yield f"{name}: nothing to say of {count:,} families; the manifest says why"
    yield (
        f"{families - len(report.refused):,} rules in {out}: {len(report.written):,} files "
        f"written, {report.unchanged:,} unchanged, {len(report.removed):,} removed"
    )


def _check(subjects: Iterator[Subject], formats: Sequence[str], out: Path) -> None:
    from foxhunt.cli.output import note
    from foxhunt.content.folder import stale_paths

    stale = stale_paths(subjects, formats, out)
    for path in stale[:20]:
        note(f"not in step: {path}")
    if stale:
        note(f"{len(stale):,} files of {out} are not in step; run it without --check")
        raise typer.Exit(Exit.OPEN)
    note(f"{out} is in step")
