"""Whether what a feed says now is plausible, judged by what it said before.

Pure: what was read and what the ledger knows go in, alarms come out. An alarm that doubts the
data keeps them out of the store until the user accepts them; from then on what was accepted is
what is expected. docs/feeds.md gives each rule with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import ImplausibleFeedError, UsageError
from foxhunt.feeds.ledger import THREATFOX, Alarm, AlarmKind, Part, PastPart
from foxhunt.feeds.plan import Way
from foxhunt.feeds.reading import FeedRead
from foxhunt.feeds.secrets import EXPIRY_VARIABLE
from foxhunt.feeds.threatfox import SOURCE

FILE_WAY = "file"

# One malformed record among 4,500 is what July 2026 had; the OpenCTI connector that ignored
# every line (connectors#5581) would have been found at any threshold.
_MAX_REJECTED = 0.01
_REJECTED_COUNT_FROM = 2
_ACCEPTED_MAY_GROW = 1.5
# Seven exports of July 2026: 4,140 to 5,014 records; sixty-five of that month: 4,000 to 5,300.
_COUNT_FALLS_TO = 0.5
_COUNT_RISES_TO = 2.0
_COUNTS_COMPARED = 10
# Numbers so small that chance doubles them.
_COUNT_SLACK = 100
# With fewer records an empty column may be chance.
_COLUMNS_JUDGED_FROM = 100
_COLUMNS_NAMED = 5
_STALE_AFTER = timedelta(hours=24)
_EXPIRY_WARNED = timedelta(days=14)
# abuse.ch gets samples, URLs and indicators all day. The servers of which Feodo Tracker and SSLBL
# tell may rest for months, and what is new since a short gap (get_iocs) may well be nothing.
_NEVER_REST = (Way.RECENT, Way.FULL, Way.FULL_KEYED, "urlhaus", "malwarebazaar")
_MAY_REST = ("feodotracker", "sslbl")
_NEVER_RESTING_SOURCES = frozenset({THREATFOX, "urlhaus", "malwarebazaar"})

# How a column looks that the feed does not fill (see the defaults of `foxhunt.feeds.threatfox`).
_UNFILLED: Mapping[str, Callable[[pa.Table], bool]] = {
    "confidence_level": lambda table: _all(pc.equal(table["confidence_level"], 50)),
    "is_compromised": lambda table: _is_null(table["is_compromised"]),
    "last_seen": lambda table: _is_null(table["last_seen"]),
    "malware_alias": lambda table: _is_empty(table["malware_alias"]),
    "malware_printable": lambda table: _all(pc.equal(table["malware_printable"], table["malware"])),
    "reference": lambda table: _is_null(table["reference"]),
    "reporter": lambda table: _is_null(table["reporter"]),
    "tags": lambda table: _is_empty(table["tags"]),
    "threat_type": lambda table: _all(pc.equal(table["threat_type"], "unknown")),
}


def measured(way: str, read: FeedRead) -> Part:
    """Measure one file or answer.

    A column that no record fills counts as missing: to the reader, and to a hunt, a field that
    was renamed and one that is empty are the same.
    """
    report, table = read.report, read.indicators.table
    missing: list[str] = []
    # Other feeds fill other columns.
    if table.num_rows >= _COLUMNS_JUDGED_FROM and pc.all(pc.equal(table["source"], SOURCE)).as_py():
        missing = [name for name, is_unfilled in _UNFILLED.items() if is_unfilled(table)]
        # What get_iocs answers is new, and may not have been seen again yet.
        if way.startswith(Way.GET_IOCS) and "last_seen" in missing:
            missing.remove("last_seen")
    return Part(
        way=way,
        name=report.name,
        read=report.read,
        quarantined=len(report.quarantined),
        unknown_columns=report.unknown_columns,
        missing_columns=tuple(missing),
    )


def alike(way: str) -> tuple[str, ...]:
    """The ways whose answers are comparable with those of ``way``."""
    full = (Way.FULL.value, Way.FULL_KEYED.value)
    return full if way in full else (way,)


def judge(part: Part, history: Sequence[PastPart]) -> tuple[Alarm, ...]:
    """Doubts about one answer from the network.

    Args:
        part: What was read.
        history: What was taken by the ways `alike`, the newest first.
    """
    since_accepted = _since_accepted(history)
    accepted = next((past.part for past in since_accepted if past.is_accepted), None)
    found = (
        _columns(part, [past.part for past in since_accepted]),
        _rejected(part, accepted.rejected_share if accepted else 0.0),
        _count(part, [past.part.read for past in since_accepted]),
    )
    return tuple(alarm for alarm in found if alarm is not None)


def judge_file(
    part: Part, sources: Iterable[str], newest: datetime | None, now: datetime
) -> tuple[Alarm, ...]:
    """Warnings about a file that the user chose: it may be old, and of any size.

    Args:
        part: What was read.
        sources: Feeds whose indicators are in it.
        newest: When its newest indicator was last active; None without any.
        now: Aware.
    """
    found = [_columns(part, ()), _rejected(part, 0.0)]
    if not _NEVER_RESTING_SOURCES.isdisjoint(sources):
        found.append(_stale(part, newest, now))
    return tuple(replace(alarm, is_doubt=False) for alarm in found if alarm is not None)


def staleness(part: Part, newest: datetime | None, now: datetime) -> Alarm | None:
    """An alarm if the newest indicator of an answer is older than 24 hours.

    A doubt about feeds that never rest, a warning about those that may; nothing can be said of
    an answer that holds what is new alone.

    Args:
        part: What was read.
        newest: When its newest indicator was last active; None (nothing was read) is for `judge`.
        now: Aware.
    """
    if part.way not in (*_NEVER_REST, *_MAY_REST):
        return None
    alarm = _stale(part, newest, now)
    return None if alarm is None else replace(alarm, is_doubt=part.way in _NEVER_REST)


def is_stale(newest: datetime, now: datetime) -> bool:
    """Whether it is more than 24 hours ago that the newest indicator was active."""
    return now - newest > _STALE_AFTER


def implausible(doubts: Sequence[Alarm]) -> ImplausibleFeedError:
    """The error that says which alarms kept an answer out of the store, and how to take it."""
    return ImplausibleFeedError(
        "; ".join(alarm.message for alarm in doubts),
        hint="nothing was taken; look at it, then `foxhunt sync --accept` takes it all the same",
    )


def key_expiry(environ: Mapping[str, str], now: datetime) -> Alarm | None:
    """A warning from 14 days before the day on which the user says the key ends, then a doubt.

    abuse.ch's answers say nothing of an end (2026-09), so nobody else can.

    Args:
        environ: ``os.environ``.
        now: Aware.

    Raises:
        UsageError: What is there is no day.
    """
    text = environ.get(EXPIRY_VARIABLE, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{EXPIRY_VARIABLE} is no day: {text[:40]!r}", hint="2027-01-31") from None
    left = datetime(day.year, day.month, day.day, tzinfo=UTC) - now
    if left > _EXPIRY_WARNED:
        return None
    is_over = left <= timedelta()
    when = f"has expired on {day}" if is_over else f"expires on {day}"
    return Alarm(AlarmKind.KEY_EXPIRES, f"the key {when}", is_doubt=is_over)


def _since_accepted(history: Sequence[PastPart]) -> Sequence[PastPart]:
    """What a user accepted is the new normal: what was before it says nothing any more."""
    for number, past in enumerate(history, start=1):
        if past.is_accepted:
            return history[:number]
    return history


def _columns(part: Part, known: Sequence[Part]) -> Alarm | None:
    unknown = set(part.unknown_columns).difference(*(past.unknown_columns for past in known))
    missing = set(part.missing_columns).difference(*(past.missing_columns for past in known))
    said = []
    if missing:
        said.append(f"no record has {_named(missing)}")
    if unknown:
        said.append(f"columns that foxhunt does not know: {_named(unknown)}")
    if not said:
        return None
    return Alarm(AlarmKind.COLUMNS, f"{part.name}: {'; '.join(said)}", is_doubt=True)


def _named(columns: set[str]) -> str:
    rest = len(columns) - _COLUMNS_NAMED
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(sorted(columns)[:_COLUMNS_NAMED]) + more


def _rejected(part: Part, accepted_share: float) -> Alarm | None:
    limit = max(_MAX_REJECTED, accepted_share * _ACCEPTED_MAY_GROW)
    if part.quarantined < _REJECTED_COUNT_FROM or part.rejected_share <= limit:
        return None
    message = (
        f"{part.name}: {part.quarantined:,} of {part.read:,} records "
        f"({part.rejected_share:.1%}) are no indicators"
    )
    return Alarm(AlarmKind.REJECTED, message, is_doubt=True)


def _count(part: Part, earlier: Sequence[int]) -> Alarm | None:
    if part.read == 0 and part.way in _NEVER_REST:
        return Alarm(AlarmKind.COUNT, f"{part.name}: it holds no record at all", is_doubt=True)
    if not earlier:
        return None
    usual = median(earlier[:_COUNTS_COMPARED])
    is_usual = usual * _COUNT_FALLS_TO <= part.read <= usual * _COUNT_RISES_TO
    if is_usual or abs(part.read - usual) <= _COUNT_SLACK:
        return None
    verb = "fell" if part.read < usual else "rose"
    message = f"{part.name}: the number of records {verb} to {part.read:,} from about {usual:,.0f}"
    return Alarm(AlarmKind.COUNT, message, is_doubt=True)


def _stale(part: Part, newest: datetime | None, now: datetime) -> Alarm | None:
    if newest is None or not is_stale(newest, now):
        return None
    age = now - newest
    days, hours = age.days, age // timedelta(hours=1)
    ago = f"{hours} hours" if days < 3 else f"{days:,} days"
    message = f"{part.name}: the newest indicator is of {newest:%Y-%m-%d %H:%M} UTC, {ago} ago"
    return Alarm(AlarmKind.STALE, message, is_doubt=True)


def _all(claims: pa.ChunkedArray) -> bool:
    return bool(pc.all(claims).as_py())


def _is_null(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count == len(column))


def _is_empty(column: pa.ChunkedArray) -> bool:
    return not pc.any(pc.greater(pc.list_value_length(column), 0)).as_py()
