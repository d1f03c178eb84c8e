"""A plan carried out: everything is fetched and read before anything is merged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from foxhunt.errors import AnswerError, FeedKeyError
from foxhunt.feeds.client import ThreatFox
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.exports import display_name, fetch_export, read_export
from foxhunt.feeds.plan import Plan, Way
from foxhunt.feeds.reading import FeedRead
from foxhunt.feeds.transport import Transport


@dataclass(frozen=True, slots=True)
class Answered:
    """One step of a plan, done.

    Attributes:
        way: The one of ThreatFox's that was taken in the end; None for another feed.
        label: What to compare its answer by: the way, and what else its size depends on.
        read: What it brought.
        refused: Why the key was refused on the way, or None.
    """

    way: Way | None
    label: str
    read: FeedRead
    refused: FeedKeyError | None = None


def fetch_plan(
    plan: Plan,
    transport: Transport,
    endpoints: Endpoints,
    folder: Path,
    *,
    goes_without_key: bool = False,
) -> tuple[Answered, ...]:
    """Fetch what ``plan`` says, and read it.

    Where the keyed dump is not there, the one that needs no key is taken, with a note: they hold
    the same.

    Args:
        plan: See `plan_sync`.
        transport: With a key if the plan needs one.
        endpoints: Where to ask.
        folder: Where exports are kept for the next time.
        goes_without_key: Whether the full dump that needs no key is taken where the key is
            refused.

    Raises:
        NetworkError, RateLimitError, FeedKeyError, FeedQueryError, AnswerError: Something
            could not be fetched; nothing of the rest is returned.
        FeedError: Something cannot be read.
        StoreError: ``folder`` cannot be written.
    """

    fetching = _Fetching(transport=transport, endpoints=endpoints, folder=folder, days=plan.days)
    return tuple(fetching.step_or_full(way, goes_without_key) for way in plan.ways)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fetching:
    """Where a plan's steps are fetched from and to."""

    transport: Transport
    endpoints: Endpoints
    folder: Path
    days: int | None

    def step(self, way: Way) -> Answered:
        if way is Way.GET_IOCS and self.days is not None:
            read = ThreatFox(self.transport, self.endpoints).get_iocs(self.days)
            return Answered(way, f"{way}-{self.days}", read)
        fetched = fetch_export(self.transport, self.endpoints, way.value, self.folder)
        return Answered(way, way.value, read_export(way.value, fetched.path))

    def step_or_full(self, way: Way, goes_without_key: bool) -> Answered:
        try:
            return self.step(way)
        except FeedKeyError as error:
            if not goes_without_key:
                raise
            return _instead(way, error, self.step(Way.FULL))
        except AnswerError as error:
            # The keyed form of the dump may go as it came: only its users document it.
            if way is not Way.FULL_KEYED:
                raise
            return _instead(way, error, self.step(Way.FULL))


def _instead(way: Way, failure: FeedKeyError | AnswerError, taken: Answered) -> Answered:
    name = display_name(way) if way is Way.FULL_KEYED else way.value
    note = f"instead of {name}: {failure.message}"
    report = replace(taken.read.report, notes=(*taken.read.report.notes, note))
    refused = failure if isinstance(failure, FeedKeyError) else None
    return replace(taken, read=replace(taken.read, report=report), refused=refused)
