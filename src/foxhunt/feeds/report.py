"""What reading and syncing report: every record is counted once, and what was refused says why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foxhunt.errors import BenignValueError, ParseError
from foxhunt.feeds.activity import Departures
from foxhunt.feeds.ledger import Alarm
from foxhunt.indicators import Quarantined, defang

_SHOWN = 10
# The reason quotes more of a value where the value is the matter.
_SHOWN_VALUE = 60
_MEANINGS = {
    ParseError.code: "not what its type says",
    BenignValueError.code: "can never be a good indicator",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What one file of a feed held: ``read == indicators + len(quarantined)``, always.

    Attributes:
        name: The file as the user wrote it.
        format: ``"JSON export"``, ``"JSON list"``, ``"JSON record"``, ``"API answer"``,
            ``"CSV export"`` or ``"CSV table"``.
        read: Records in it.
        indicators: Records that are indicators; two may share an identity.
        quarantined: Records that are none, in the file's order.
        unknown_columns: Fields foxhunt does not know and did not read, sorted.
        notes: What else is worth knowing, as sentences.
    """

    name: str
    format: str
    read: int
    indicators: int
    quarantined: tuple[Quarantined, ...]
    unknown_columns: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did: ``read`` is the sum of the five counts and of the quarantined records.

    Attributes:
        files: One report a file, in the order given.
        new: Indicators whose identity the store did not have.
        re_seen: Those of which only ``last_seen`` changed.
        changed: Those of which anything else changed.
        unchanged: Those that are as the store has them.
        superseded: Records that a later one of the same identity, in the files or in the
            store, overrides.
        before: Indicators in the store until then.
        total: Indicators in it now, those included that the files no longer have.
        quarantined_total: Quarantined records in it now.
        snapshot: Id of the store's current snapshot.
        previous: Id of the snapshot before, equal to ``snapshot`` when nothing changed;
            None for the first.
        departures: What of the store the feed no longer has; None if what was read cannot
            tell: files, and ``get_iocs`` alone.
        alarms: What is not as it should be; a doubt among them was accepted by the user.
        taken_back: Values of the store's indicators that their feed says it retracts; they are
            quarantined from now on.
    """

    files: tuple[FileReport, ...]
    new: int
    re_seen: int
    changed: int
    unchanged: int
    superseded: int
    before: int
    total: int
    quarantined_total: int
    snapshot: str
    previous: str | None
    departures: Departures | None = None
    alarms: tuple[Alarm, ...] = ()
    taken_back: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """What became of the records, by the names of the fields."""
        return {
            "read": self.read,
            "new": self.new,
            "re_seen": self.re_seen,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "superseded": self.superseded,
            "quarantined": len(self.quarantined),
        }

    @property
    def read(self) -> int:
        """Records in all files."""
        return sum(file.read for file in self.files)

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Records of all files that are no indicators."""
        return tuple(record for file in self.files for record in file.quarantined)

    @property
    def unknown_columns(self) -> tuple[str, ...]:
        """Unknown fields of all files, sorted."""
        return tuple(sorted({name for file in self.files for name in file.unknown_columns}))


def describe_sync(report: SyncReport) -> list[str]:
    """Return the report as lines of plain text, safe to print.

    Values are defanged, control characters are written as escapes.
    """
    lines = describe_files(report.files)
    lines.append(
        f"{report.new:,} new, {report.re_seen:,} re-seen, {report.changed:,} changed, "
        f"{report.unchanged:,} unchanged, {report.superseded:,} superseded"
    )
    if report.taken_back:
        lines.append(f"retracted by the feed, now in quarantine: {len(report.taken_back):,}")
        lines.append(f"  retracted: {_examples(report.taken_back, len(report.taken_back))}")
    lines.extend(_departure_lines(report.departures))
    is_same = report.snapshot == report.previous
    lines.append(
        f"store: {_counted(report.total, 'indicator')} (before: {report.before:,}), "
        f"{report.quarantined_total:,} quarantined; "
        f"{'nothing changed, still ' if is_same else ''}snapshot {report.snapshot}"
    )
    lines.extend(_alarm_line(alarm) for alarm in report.alarms)
    return lines


def _departure_lines(gone: Departures | None) -> Iterator[str]:
    if gone is None:
        return
    expired = "" if gone.expired is None else f"{gone.expired:,} expired, "
    yield f"no longer in the feed: {expired}{gone.retracted:,} retracted (a guess)"
    if gone.retracted:
        yield f"  retracted (a guess): {_examples(gone.examples, gone.retracted)}"


def _examples(values: Sequence[str], count: int) -> str:
    shown = values[:_SHOWN]
    more = ", ..." if count > len(shown) else ""
    return ", ".join(printable(defang(value)) for value in shown) + more


def _alarm_line(alarm: Alarm) -> str:
    said = "taken in spite of" if alarm.is_doubt else "warning"
    return f"{said}: {alarm.kind}: {printable(alarm.message)}"


def describe_files(files: tuple[FileReport, ...]) -> list[str]:
    """Return what was read from each file, and what was refused, as lines of plain text."""
    return [line for file in files for line in _file_lines(file)]


def _file_lines(file: FileReport) -> Iterator[str]:
    yield (
        f"{printable(file.name)}: {file.format}, {_counted(file.read, 'record')}, "
        f"{_counted(file.indicators, 'indicator')}, {len(file.quarantined):,} quarantined"
    )
    if file.unknown_columns:
        names = ", ".join(printable(name) for name in file.unknown_columns)
        yield f"  columns not known and not read: {names}"
    yield from (f"  note: {printable(note)}" for note in file.notes)
    if file.quarantined:
        yield f"  quarantined by reason: {_by_reason(file.quarantined)}"
    for record in file.quarantined[:_SHOWN]:
        value = printable(defang(record.value[:_SHOWN_VALUE]))
        yield f"    {printable(record.source_id)} {value}: {_defanged(record.reason)}"
    if len(file.quarantined) > _SHOWN:
        yield f"    and {len(file.quarantined) - _SHOWN:,} more"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _by_reason(records: tuple[Quarantined, ...]) -> str:
    codes = Counter(record.reason.partition(":")[0] for record in records)
    return ", ".join(
        f"{count:,} {code} ({_MEANINGS.get(code, 'see docs/errors.md')})"
        for code, count in codes.most_common()
    )


def printable(text: str) -> str:
    """Return ``text`` with every character that could steer a terminal written as an escape.

    >>> printable("a" + chr(27) + "[2J")
    'a\\\\x1b[2J'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _defanged(reason: str) -> str:
    """A reason quotes the value somewhere in the middle, so every dot and scheme in it goes."""
    dotless = re.sub(r"(?<=\w)\.(?=\w)", "[.]", printable(reason))
    return re.sub(r"(?i)http(?=s?:)", "hxxp", dotless)
