"""What earlier hunts found, and which exclusions did anything in them; kept for a year.

Kept in `foxhunt.state`. A finding's id is stable over runs, so the history tells a new finding
from one that was there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from foxhunt.findings.model import HuntResult
from foxhunt.state import State

_KEPT = timedelta(days=366)
_FORGET = (
    "DELETE FROM findings WHERE last_hunt IN (SELECT hunt FROM hunts WHERE ended < ?)",
    "DELETE FROM exclusion_uses WHERE hunt IN (SELECT hunt FROM hunts WHERE ended < ?)",
    # A finding that is still met keeps the hunt in which it was first.
    "DELETE FROM hunts WHERE ended < ? AND hunt NOT IN (SELECT first_hunt FROM findings)",
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What an exclusion did in the hunts of some time.

    Attributes:
        hunts: In how many it applied; 1 or more.
        since: When the first of them ended; aware, UTC.
        events: How many events it covered in all of them.
    """

    hunts: int
    since: datetime
    events: int


class FindingStore:
    """The history in ``state``."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, result: HuntResult) -> tuple[str, ...]:
        """Remember a hunt.

        Returns:
            Ids of its findings that no hunt had before.

        Raises:
            StoreError: The history cannot be written.
        """
        ended = _text(result.finished)
        with self._state.writing() as connection:
            hunt = connection.execute(
                "INSERT INTO hunts (ended, is_complete) VALUES (?, ?)", (ended, result.is_complete)
            ).lastrowid
            connection.executemany(
                "INSERT INTO exclusion_uses (hunt, exclusion, events) VALUES (?, ?, ?)",
                [(hunt, use.id, use.suppressed_events) for use in result.exclusions],
            )
            known = {
                finding
                for one in result.findings
                for (finding,) in connection.execute(
                    "SELECT finding FROM findings WHERE finding = ?", (one.id,)
                )
            }
            connection.executemany(
                "INSERT INTO findings (finding, first_hunt, last_hunt, verdict) "
                "VALUES (:id, :hunt, :hunt, :verdict) ON CONFLICT (finding) "
                "DO UPDATE SET last_hunt = excluded.last_hunt, verdict = excluded.verdict",
                [
                    {"id": one.id, "hunt": hunt, "verdict": str(one.verdict)}
                    for one in result.findings
                ],
            )
            oldest = _text(result.finished - _KEPT)
            for statement in _FORGET:
                connection.execute(statement, (oldest,))
        return tuple(one.id for one in result.findings if one.id not in known)

    def usage(self, exclusions: Iterable[str], since: datetime) -> Mapping[str, Usage]:
        """What exclusions did in the hunts that ended at ``since`` or later.

        Args:
            exclusions: Their ids.
            since: Aware.

        Returns:
            By id; none of one that no hunt had.

        Raises:
            StoreError: The history cannot be read.
        """
        found: dict[str, Usage] = {}
        with self._state.reading() as connection:
            if connection is None:
                return found
            for id_ in exclusions:
                hunts, first, events = connection.execute(
                    "SELECT count(*), min(ended), coalesce(sum(events), 0) "
                    "FROM exclusion_uses JOIN hunts USING (hunt) "
                    "WHERE exclusion = ? AND ended >= ?",
                    (id_, _text(since)),
                ).fetchone()
                if hunts:
                    found[id_] = Usage(hunts, datetime.fromisoformat(first), events)
        return found


def _text(time: datetime) -> str:
    # To the microsecond, always: text then sorts by time.
    return time.astimezone(UTC).isoformat(timespec="microseconds")
