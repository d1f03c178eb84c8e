"""What foxhunt remembers besides indicators: ``state.db``, one SQLite file in the home folder.

A table is one more migration: a tuple of statements at the end of `MIGRATIONS`. Those that are
there never change, since databases of users have run them.

Any number of processes may use the file at once: it is in WAL mode, a writer waits for another
one, readers wait for nobody. A process that is killed leaves what was committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from foxhunt.errors import SourceSpan, StoreError

FILE = "state.db"
_BUSY_SECONDS = 30.0

_SYNCS = (
    """
    CREATE TABLE syncs (
        id INTEGER PRIMARY KEY,
        feed TEXT NOT NULL,
        origin TEXT NOT NULL,
        outcome TEXT NOT NULL,
        accepted INTEGER NOT NULL,  -- 1: taken in spite of an alarm
        began TEXT NOT NULL,        -- ISO 8601 to the microsecond, UTC, so that text sorts by time
        ended TEXT NOT NULL,
        newest TEXT,
        counts TEXT NOT NULL,       -- JSON object
        alarms TEXT NOT NULL,       -- JSON list of objects
        snapshot TEXT,
        error TEXT
    )
    """,
    """
    CREATE TABLE sync_parts (
        sync_id INTEGER NOT NULL REFERENCES syncs (id),
        way TEXT NOT NULL,
        name TEXT NOT NULL,
        read INTEGER NOT NULL,
        quarantined INTEGER NOT NULL,
        unknown_columns TEXT NOT NULL,  -- JSON list
        missing_columns TEXT NOT NULL   -- JSON list
    )
    """,
    "CREATE INDEX syncs_by_outcome ON syncs (feed, origin, outcome, began)",
    "CREATE INDEX sync_parts_by_sync ON sync_parts (sync_id)",
    "CREATE INDEX sync_parts_by_way ON sync_parts (way, sync_id)",
)
_HUNTS = (
    """
    CREATE TABLE hunts (
        hunt INTEGER PRIMARY KEY,
        ended TEXT NOT NULL,  -- as in syncs
        is_complete INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE exclusion_uses (
        hunt INTEGER NOT NULL REFERENCES hunts (hunt),
        exclusion TEXT NOT NULL,
        events INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE findings (
        finding TEXT PRIMARY KEY,
        first_hunt INTEGER NOT NULL REFERENCES hunts (hunt),
        last_hunt INTEGER NOT NULL REFERENCES hunts (hunt),
        verdict TEXT NOT NULL  -- in the last hunt
    ) WITHOUT ROWID
    """,
    "CREATE INDEX exclusion_uses_by_exclusion ON exclusion_uses (exclusion, hunt)",
    "CREATE INDEX exclusion_uses_by_hunt ON exclusion_uses (hunt)",
    "CREATE INDEX findings_by_last_hunt ON findings (last_hunt)",
)
# PRAGMA user_version of a database is how many of these it has run.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_SYNCS, _HUNTS)

_HINT = "move it away: foxhunt starts a new one, and indicators are not in it"


class State:
    """The database of a home folder; neither need exist yet."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open it to read, as it was at one moment; None while nothing was ever written.

        Raises:
            StoreError: It is damaged, made by a later foxhunt, or cannot be read.
        """
        if not self.path.exists():
            yield None
            return
        with self._explained():
            if self._version() < len(MIGRATIONS):
                # The tables a reader asks for have to be there.
                with self.writing():
                    pass
            with closing(self._connect(is_readonly=True)) as connection:
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open it for one transaction, which is kept if the block ends well.

        Raises:
            StoreError: It is damaged, made by a later foxhunt, or cannot be written.
        """
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect(is_readonly=False)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._migrate(connection)
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")

    def _connect(self, *, is_readonly: bool) -> sqlite3.Connection:
        mode = "ro" if is_readonly else "rwc"
        return sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,  # transactions are begun above, and nowhere else
        )

    def _version(self) -> int:
        with closing(self._connect(is_readonly=True)) as connection:
            return self._version_of(connection)

    def _version_of(self, connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StoreError(
                f"made by a later foxhunt (version {version}, this one knows {len(MIGRATIONS)})",
                at=SourceSpan(str(self.path)),
                hint="upgrade foxhunt",
            )
        return int(version)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = self._version_of(connection)
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements:
                connection.execute(statement)
            # A PRAGMA takes no bound value; part of the transaction (SQLite docs, 2026).
            connection.execute(f"PRAGMA user_version = {number:d}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            is_busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            raise StoreError(
                f"cannot be used: {error}",
                at=SourceSpan(str(self.path)),
                hint="another foxhunt has it; try again" if is_busy else _HINT,
            ) from error
