"""The ledger: every sync there was, what it read, what was alarming about it, how it ended.

Kept in `foxhunt.state` for a year. The next sync's plan and the judgement of the next answer
(`foxhunt.feeds.health`) go by it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from foxhunt.state import State

THREATFOX = "threatfox"
_KEPT = timedelta(days=366)
_COLUMNS = (
    "id, feed, origin, outcome, accepted, began, ended, newest, counts, alarms, snapshot, error"
)


class Origin(StrEnum):
    """Where what came into the store was taken from."""

    NETWORK = "network"
    FILES = "files"
    BUNDLE = "bundle"
    REPLACED = "replaced"  # a bundle that took the place of all there was


class SyncOutcome(StrEnum):
    """How a sync ended."""

    TAKEN = "taken"
    REFUSED = "refused"  # an alarm doubts the data; the store is as it was
    FAILED = "failed"  # something could not be fetched, read or written; likewise


class AlarmKind(StrEnum):
    """What an alarm is about."""

    COLUMNS = "columns"  # of the feed's format: new ones, or some that say nothing any more
    REJECTED = "rejected"
    COUNT = "count"
    STALE = "stale"
    KEY_REFUSED = "key-refused"
    KEY_EXPIRES = "key-expires"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is not as it should be.

    Attributes:
        kind: About what.
        message: In a sentence.
        is_doubt: Whether the data themselves are in doubt, and are not taken unless the user
            accepts them; if not, it is a warning.
    """

    kind: AlarmKind
    message: str
    is_doubt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file or answer of a sync, measured.

    Attributes:
        way: How it was asked for, e.g. ``"recent"``; ``"file"``.
        name: What reports call it.
        read: Records in it.
        quarantined: Those that are no indicators.
        unknown_columns: Fields foxhunt does not know, sorted.
        missing_columns: Fields that it knows and no record says anything in, sorted.
    """

    way: str
    name: str
    read: int
    quarantined: int
    unknown_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()

    @property
    def rejected_share(self) -> float:
        """Of the records, 0 to 1."""
        return self.quarantined / self.read if self.read else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPart:
    """A part of an earlier sync whose records were taken.

    Attributes:
        began: When that sync began; aware, UTC.
        is_accepted: Whether it was taken in spite of an alarm.
        part: What was read.
    """

    began: datetime
    is_accepted: bool
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncEntry:
    """One sync.

    Attributes:
        feed: Whose, e.g. ``"threatfox"``.
        origin: From where.
        outcome: How it ended.
        is_accepted: Whether it was taken in spite of an alarm.
        began: When it began to fetch; aware, UTC.
        ended: When it was over.
        newest: When the newest indicator was last active, by the feed's own dates; None if
            nothing was read.
        counts: What became of the records, by the names of `SyncReport`; empty if not taken.
        alarms: All of them.
        parts: What was read; empty if it failed before.
        snapshot: The store's snapshot afterwards, None if not taken.
        error: Why it was not taken, or None.
    """

    feed: str = THREATFOX
    origin: Origin
    outcome: SyncOutcome
    is_accepted: bool = False
    began: datetime
    ended: datetime
    newest: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()
    parts: tuple[Part, ...] = ()
    snapshot: str | None = None
    error: str | None = None

    @property
    def reaches(self) -> datetime:
        """Until when the store has what the feed had, if this was taken.

        When it began, not when it ended: what came in meanwhile is still to be fetched. A stale
        feed that the user accepted reaches no further than its newest indicator.
        """
        is_stale = any(alarm.kind is AlarmKind.STALE for alarm in self.alarms)
        return min(self.began, self.newest) if is_stale and self.newest else self.began


class Ledger:
    """The syncs of a home folder.

    Every method raises:
        StoreError: ``state.db`` cannot be read or written.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, entry: SyncEntry) -> None:
        """Write a sync down, and forget those of more than a year ago."""
        row = (
            *(entry.feed, entry.origin, entry.outcome, entry.is_accepted),
            *(_text(entry.began), _text(entry.ended), entry.newest and _text(entry.newest)),
            json.dumps(dict(entry.counts)),
            json.dumps([asdict(alarm) for alarm in entry.alarms]),
            *(entry.snapshot, entry.error),
        )
        with self._state.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO syncs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row
            )
            connection.executemany(
                "INSERT INTO sync_parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(cursor.lastrowid, *_part_row(part)) for part in entry.parts],
            )
            old = (_text(entry.began - _KEPT),)
            connection.execute(
                "DELETE FROM sync_parts WHERE sync_id IN (SELECT id FROM syncs WHERE began < ?)",
                old,
            )
            connection.execute("DELETE FROM syncs WHERE began < ?", old)

    def last_taken(self, feed: str = THREATFOX, *, snapshot: str | None = None) -> SyncEntry | None:
        """The last sync over the network whose records were taken, None if there was none.

        What came before a bundle that replaced the store does not count.

        Args:
            feed: Whose.
            snapshot: Only syncs that made this snapshot or an older one (names sort by time):
                in a store that was rolled back, what later ones brought is not there.
        """
        found = self._entries(
            "WHERE feed = ? AND origin = 'network' AND outcome = 'taken' "
            "AND snapshot <= coalesce(?, snapshot) AND id > coalesce((SELECT max(id) FROM syncs "
            "WHERE origin = 'replaced' AND snapshot <= coalesce(?, snapshot)), 0) "
            "ORDER BY began DESC LIMIT 1",
            (feed, snapshot, snapshot),
        )
        return found[0] if found else None

    def latest(self, limit: int = 20) -> tuple[SyncEntry, ...]:
        """The last syncs of any kind, the newest first."""
        return self._entries("ORDER BY id DESC LIMIT ?", (limit,))

    def latest_of_each(self) -> tuple[SyncEntry, ...]:
        """The last sync of each feed, in whatever way; the feed that was synced first, first."""
        return self._entries(
            "WHERE id IN (SELECT max(id) FROM syncs GROUP BY feed) "
            "ORDER BY (SELECT min(s.id) FROM syncs s WHERE s.feed = syncs.feed)",
            (),
        )

    def history(self, ways: tuple[str, ...], limit: int = 20) -> tuple[PastPart, ...]:
        """What was last taken by one of ``ways``, the newest first, at most ``limit``."""
        marks = ", ".join("?" * len(ways))
        with self._state.reading() as connection:
            if connection is None:
                return ()
            rows = connection.execute(
                "SELECT s.began, s.accepted, p.way, p.name, p.read, p.quarantined, "
                "p.unknown_columns, p.missing_columns "
                "FROM sync_parts p JOIN syncs s ON s.id = p.sync_id "
                f"WHERE s.outcome = 'taken' AND p.way IN ({marks}) "
                "ORDER BY p.sync_id DESC LIMIT ?",
                (*ways, limit),
            ).fetchall()
        return tuple(
            PastPart(began=_time(row[0]), is_accepted=bool(row[1]), part=_part(row[2:]))
            for row in rows
        )

    def _entries(self, clause: str, values: tuple[object, ...]) -> tuple[SyncEntry, ...]:
        with self._state.reading() as connection:
            if connection is None:
                return ()
            rows = connection.execute(f"SELECT {_COLUMNS} FROM syncs {clause}", values).fetchall()
            return tuple(_entry(connection, row) for row in rows)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _part_row(part: Part) -> tuple[object, ...]:
    columns = (json.dumps(part.unknown_columns), json.dumps(part.missing_columns))
    return (part.way, part.name, part.read, part.quarantined, *columns)


# Any of SQLite's values; the schema says which.
def _part(row: tuple[str, str, int, int, str, str]) -> Part:
    return Part(
        way=row[0],
        name=row[1],
        read=row[2],
        quarantined=row[3],
        unknown_columns=tuple(json.loads(row[4])),
        missing_columns=tuple(json.loads(row[5])),
    )


def _entry(connection: sqlite3.Connection, row: tuple[object, ...]) -> SyncEntry:
    identity, feed, origin, outcome, accepted, *texts = row
    began, ended, newest, counts, alarms, snapshot, error = map(_optional, texts)
    parts = connection.execute(
        "SELECT way, name, read, quarantined, unknown_columns, missing_columns "
        "FROM sync_parts WHERE sync_id = ? ORDER BY rowid",
        (identity,),
    )
    return SyncEntry(
        feed=str(feed),
        origin=Origin(str(origin)),
        outcome=SyncOutcome(str(outcome)),
        is_accepted=bool(accepted),
        began=_time(began or ""),
        ended=_time(ended or ""),
        newest=_time(newest) if newest else None,
        counts=json.loads(counts or "{}"),
        alarms=tuple(_alarm(found) for found in json.loads(alarms or "[]")),
        parts=tuple(_part(part) for part in parts),
        snapshot=snapshot,
        error=error,
    )


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _alarm(found: Mapping[str, object]) -> Alarm:
    return Alarm(
        AlarmKind(str(found["kind"])), str(found["message"]), is_doubt=bool(found["is_doubt"])
    )
