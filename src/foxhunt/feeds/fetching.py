"""A plan carried out: everything is fetched and read before anything is merged."""

from __future__ import annotations

from pathlib import Path

from foxhunt.feeds.client import ThreatFox
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.exports import fetch_export, read_export
from foxhunt.feeds.plan import Plan, Way
from foxhunt.feeds.reading import FeedRead
from foxhunt.feeds.transport import Transport


def fetch_plan(
    plan: Plan, transport: Transport, endpoints: Endpoints, folder: Path
) -> tuple[FeedRead, ...]:
    """Fetch what ``plan`` says, and read it; the result is for `sync_reads`.

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
    reads: list[FeedRead] = []
    for way in plan.ways:
        if way is Way.GET_IOCS and plan.days is not None:
            reads.append(ThreatFox(transport, endpoints).get_iocs(plan.days))
        else:
            fetched = fetch_export(transport, endpoints, way.value, folder)
            reads.append(read_export(way.value, fetched.path))
    return tuple(reads)
