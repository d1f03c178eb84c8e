"""What feeds say now, over the network, judged, into the store and into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from foxhunt.errors import FeedKeyError, HuntError, ImplausibleFeedError
from foxhunt.feeds.activity import Departures, gone_from_full, gone_from_recent
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.fetching import Answered, fetch_plan
from foxhunt.feeds.health import alike, implausible, judge, measured, staleness
from foxhunt.feeds.ledger import (
    THREATFOX,
    Alarm,
    AlarmKind,
    Ledger,
    Origin,
    Part,
    SyncEntry,
    SyncOutcome,
)
from foxhunt.feeds.plan import Plan, Way, plan_sync
from foxhunt.feeds.refusals import NEW_KEY_HINT
from foxhunt.feeds.report import SyncReport
from foxhunt.feeds.sibling_files import fetch_sibling
from foxhunt.feeds.sync import newest_of, sync_reads
from foxhunt.feeds.transport import Transport
from foxhunt.indicators import IndicatorSet, IndicatorStore
from foxhunt.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Answers, measured and judged."""

    parts: tuple[Part, ...]
    newest: datetime | None
    alarms: tuple[Alarm, ...]

    @property
    def doubts(self) -> tuple[Alarm, ...]:
        return tuple(alarm for alarm in self.alarms if alarm.is_doubt)


class NetworkSync:
    """Syncs the store of a home folder with feeds."""

    def __init__(self, home: Path, transport: Transport, endpoints: Endpoints) -> None:
        """Make one.

        Args:
            home: Of the store, the ledger, and the exports that are kept for the next time.
            transport: With the key, if there is one.
            endpoints: Where to ask.
        """
        self.store = IndicatorStore(home)
        self.ledger = Ledger(State(home))
        self.folder = home / "feeds"
        self._transport, self._endpoints = transport, endpoints

    def planned(self, now: datetime) -> Plan:
        """What a sync at ``now``, which is aware, would fetch.

        The gap is that of the store as it is: one that was rolled back, or moved away, lacks
        what later syncs brought.

        Raises:
            StoreError: The store or the ledger cannot be read.
        """
        current = next((one.name for one in self.store.snapshots() if one.is_current), "")
        last = self.ledger.last_taken(snapshot=current)
        has_key = self._transport.secret is not None
        return plan_sync(now, last.reaches if last else None, has_key=has_key)

    def run(
        self,
        plan: Plan,
        *,
        began: datetime,
        accept: bool = False,
        expiry: Alarm | None = None,
    ) -> SyncReport:
        """Fetch all that ``plan`` says, then merge it: all of it or, on an error, nothing.

        Args:
            plan: What to fetch.
            began: When this sync began; aware.
            accept: Take what an alarm doubts; and go on without a key that is refused, with
                what needs none.
            expiry: See `foxhunt.feeds.health.key_expiry`.

        Raises:
            FeedKeyError: The key has expired or is refused, and this is not accepted; the store
                is as it was.
            NetworkError, RateLimitError, FeedQueryError, AnswerError, FeedError: Something could
                not be fetched or read; likewise.
            ImplausibleFeedError: An alarm doubts what was read; likewise.
            StoreError: The store or the ledger cannot be read or written.
        """

        def fetch() -> tuple[Answered, ...]:
            if expiry is not None and expiry.is_doubt and not accept:
                raise FeedKeyError(expiry.message, hint=NEW_KEY_HINT)
            answering = (self._transport, self._endpoints, self.folder)
            return fetch_plan(plan, *answering, goes_without_key=accept)

        known = () if expiry is None else (expiry,)
        return self._run(THREATFOX, fetch, began=began, accept=accept, known=known)

    def run_sibling(self, feed: str, url: str, *, began: datetime, accept: bool) -> SyncReport:
        """The same for a feed beside ThreatFox, which is one file.

        Args:
            feed: One of `SIBLING_FILES`.
            url: Of `sibling_url`.
            began: When this sync began; aware.
            accept: Take what an alarm doubts.

        Raises:
            NetworkError, RateLimitError, AnswerError, FeedError, ImplausibleFeedError, StoreError:
                As of `run`.
        """

        def fetch() -> tuple[Answered, ...]:
            read = fetch_sibling(feed, url, self._transport, self.folder)
            return (Answered(None, feed, read),)

        return self._run(feed, fetch, began=began, accept=accept, known=())

    def _run(
        self,
        feed: str,
        fetch: Callable[[], tuple[Answered, ...]],
        *,
        began: datetime,
        accept: bool,
        known: tuple[Alarm, ...],
    ) -> SyncReport:
        judged = _Judged(parts=(), newest=None, alarms=known)
        try:
            answers = fetch()
            judged = self._judged(answers, began, known)
            if judged.doubts and not accept:
                raise implausible(judged.doubts)
            report = sync_reads(
                self.store,
                [answer.read for answer in answers],
                alarms=judged.alarms,
                departures=lambda base: _departures(base, answers, began),
            )
        except HuntError as error:
            if isinstance(error, FeedKeyError) and feed == THREATFOX and not accept:
                error.hint = f"{error.hint}; `foxhunt sync --accept` goes on as far as it can"
            self._write_failed(feed, error, judged, began)
            raise
        self._write_taken(feed, report, judged, began)
        return report

    def _judged(
        self, answers: tuple[Answered, ...], began: datetime, known: tuple[Alarm, ...]
    ) -> _Judged:
        parts = tuple(measured(answer.label, answer.read) for answer in answers)
        alarms: list[Alarm | None] = [*known]
        for answer, part in zip(answers, parts, strict=True):
            if answer.refused is not None:
                alarms.append(_key_refused(answer.refused))
            alarms.extend(judge(part, self.ledger.history(alike(part.way))))
            alarms.append(staleness(part, newest_of([answer.read], began), began))
        return _Judged(
            parts=parts,
            newest=newest_of([answer.read for answer in answers], began),
            alarms=tuple(alarm for alarm in alarms if alarm is not None),
        )

    def _write_taken(self, feed: str, report: SyncReport, judged: _Judged, began: datetime) -> None:
        self.ledger.add(
            SyncEntry(
                feed=feed,
                origin=Origin.NETWORK,
                outcome=SyncOutcome.TAKEN,
                is_accepted=bool(judged.doubts),
                began=began,
                ended=datetime.now(UTC),
                newest=judged.newest,
                counts=report.counts,
                alarms=judged.alarms,
                parts=judged.parts,
                snapshot=report.snapshot,
            )
        )

    def _write_failed(self, feed: str, error: HuntError, judged: _Judged, began: datetime) -> None:
        is_refused = isinstance(error, ImplausibleFeedError)
        alarms = judged.alarms
        if isinstance(error, FeedKeyError) and not judged.doubts:
            alarms = (*alarms, _key_refused(error))
        self.ledger.add(
            SyncEntry(
                feed=feed,
                origin=Origin.NETWORK,
                outcome=SyncOutcome.REFUSED if is_refused else SyncOutcome.FAILED,
                began=began,
                ended=datetime.now(UTC),
                newest=judged.newest,
                alarms=alarms,
                parts=judged.parts,
                error=str(error),
            )
        )


def _key_refused(error: FeedKeyError) -> Alarm:
    return Alarm(AlarmKind.KEY_REFUSED, error.message, is_doubt=True)


def _departures(
    base: IndicatorSet, answers: tuple[Answered, ...], now: datetime
) -> Departures | None:
    for answer in answers:
        if answer.way in (Way.FULL, Way.FULL_KEYED):
            return gone_from_full(base.table, answer.read.indicators, now)
        if answer.way is Way.RECENT:
            return gone_from_recent(base.table, answer.read.indicators, now)
    return None
