"""Options that several commands share, declared once, and what their text means."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from foxhunt.errors import UsageError

Logs = Annotated[
    list[str] | None,
    typer.Argument(metavar="LOGS", help="Log files, globs or folders (read with all below them)."),
]
Indicators = Annotated[
    list[str] | None,
    typer.Option(
        "--indicators",
        metavar="FILE",
        help="File of a feed to take indicators from (ThreatFox, URLhaus, STIX, MISP ...; zip, "
        "gz) instead of the store. Repeatable.",
    ),
]
Mapping = Annotated[
    str | None,
    typer.Option(
        "--mapping",
        metavar="FILE.yaml",
        help="What the columns of a CSV file are that is no known feed's (docs/other-feeds.md).",
    ),
]
Families = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        metavar="NAME",
        help="Only this malware family: name, alias or label. Repeatable.",
    ),
]
MinConfidence = Annotated[
    int,
    typer.Option(
        "--min-confidence", min=0, max=100, metavar="N", help="Only confidence_level N or more."
    ),
]
Match = Annotated[
    Literal["exact", "term"],
    typer.Option(
        "--match",
        help="exact: label borders, ports, URL paths count. term: as the published pages' "
        "queries, for comparison.",
    ),
]
Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        metavar="NAME=PATH",
        help="Read PATH as table NAME, whatever it looks like. Repeatable.",
    ),
]
Exclusions = Annotated[
    list[str] | None,
    typer.Option(
        "--exclusions",
        metavar="FILE",
        help="YAML file or folder that says what was judged benign. Repeatable.",
    ),
]
WarningListFolder = Annotated[
    Path | None,
    typer.Option(
        "--warninglists",
        metavar="DIR",
        help="MISP warning lists: they label well-known values and lower severity a step.",
    ),
]
FalsePositiveFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--fplist",
        metavar="FILE",
        help="abuse.ch's false-positive list (get_fplist, JSON or CSV): findings of what is on it "
        "are suppressed, and no rule is about it. Repeatable; default: the one sync keeps, if the "
        "store is used.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write to FILE instead of standard output."),
]


def forced_tables(options: list[str] | None) -> tuple[tuple[str, str], ...]:
    """Split each ``--table NAME=PATH``.

    Raises:
        UsageError: One without a name or a path.
    """
    pairs = []
    for option in options or ():
        name, equals, path = option.partition("=")
        if not (name and equals and path):
            raise UsageError(f"--table {option!r} is not NAME=PATH", hint="DnsEvents=dns.csv")
        pairs.append((name.strip(), path))
    return tuple(pairs)


def parse_time(text: str | None, option: str) -> datetime | None:
    """Read a day or a time of ISO 8601; without an offset it is UTC, a day is its midnight.

    Raises:
        UsageError: Neither.
    """
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no day or time", hint="2026-06-01 or 2026-06-01T13:00:00Z"
        ) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def time_span(text: str) -> timedelta:
    """Read a span of whole days, hours or minutes.

    Raises:
        UsageError: It is none, or longer than ten years.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,6})([dhm])", text.strip())
    if match is not None:
        units = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
        span = int(match[1]) * units[match[2]]
        if span <= timedelta(days=3660):
            return span
    raise UsageError(f"{text!r} is no span of up to ten years", hint="30d, 12h or 90m")


def time_range(
    since: str | None, until: str | None, day: str | None = None
) -> tuple[datetime | None, datetime | None]:
    """Read ``--since`` (inclusive), ``--until`` (exclusive) and ``--day`` (both at once).

    Raises:
        UsageError: Not a time, an empty range, or ``--day`` with another.
    """
    if day is not None:
        if since is not None or until is not None:
            raise UsageError("--day stands for --since and --until; give one or the other")
        try:
            start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        except ValueError:
            raise UsageError(f"--day {day!r} is no day", hint="2026-06-01") from None
        return start, start + timedelta(days=1)
    first, last = parse_time(since, "--since"), parse_time(until, "--until")
    if first is not None and last is not None and first >= last:
        raise UsageError(f"nothing lies between --since {since} and --until {until}")
    return first, last
