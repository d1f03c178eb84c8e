"""A plan carried out: everything is fetched and read before anything is merged."""

from __future__ import annotations

from collections.abc import Callable
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
    plan: Plan, transport: Transport, endpoints: Endpoints, folder: Path
) -> tuple[Answered, ...]:
    """Fetch what ``plan`` says, and read it.

    Where the keyed dump is not to be had, the one that needs no key is taken, with a note: they
    hold the same, and the keyed form is documented by its users only.

    Args:
        plan: See `plan_sync`.
        transport: With a key if the plan needs one.
        endpoints: Where to ask.
        folder: Where exports are kept for the next time.

    Raises:
        NetworkError, RateLimitError, FeedKeyError, FeedQueryError, AnswerError: Something
            could not be fetched; nothing of the rest is returned.
        FeedError: Something cannot be read.
        StoreError: ``folder`` cannot be written.
    """

    def export(way: Way) -> FeedRead:
        fetched = fetch_export(transport, endpoints, way.value, folder)
        return read_export(way.value, fetched.path)

    answered: list[Answered] = []
    for way in plan.ways:
        if way is Way.GET_IOCS and plan.days is not None:
            read = ThreatFox(transport, endpoints).get_iocs(plan.days)
            answered.append(Answered(way, f"{way}-{plan.days}", read))
        elif way is Way.FULL_KEYED:
            answered.append(_full(export))
        else:
            answered.append(Answered(way, way.value, export(way)))
    return tuple(answered)


def _full(export: Callable[[Way], FeedRead]) -> Answered:
    try:
        return Answered(Way.FULL_KEYED, Way.FULL_KEYED.value, export(Way.FULL_KEYED))
    except (FeedKeyError, AnswerError) as error:
        failure = error
    note = f"instead of {display_name(Way.FULL_KEYED)}: {failure.message}"
    read = export(Way.FULL)
    report = replace(read.report, notes=(*read.report.notes, note))
    refused = failure if isinstance(failure, FeedKeyError) else None
    return Answered(Way.FULL, Way.FULL.value, replace(read, report=report), refused)
