"""What ThreatFox says now, over the network, into the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from foxhunt import atomic
from foxhunt.errors import StoreError
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.fetching import fetch_plan
from foxhunt.feeds.plan import Plan, plan_sync
from foxhunt.feeds.report import SyncReport
from foxhunt.feeds.sync import sync_reads
from foxhunt.feeds.transport import Transport
from foxhunt.indicators import IndicatorStore

_LAST = "last-sync.json"


def planned(folder: Path, now: datetime, *, has_key: bool) -> Plan:
    """What a sync at ``now`` would fetch.

    Args:
        folder: Where exports and the time of the last sync are kept.
        now: Aware.
        has_key: Whether there is a key for the API.

    Raises:
        StoreError: The time of the last sync cannot be read.
    """
    return plan_sync(now, _last_sync(folder), has_key=has_key)


def sync_network(
    store: IndicatorStore,
    folder: Path,
    plan: Plan,
    *,
    transport: Transport,
    endpoints: Endpoints,
    began: datetime,
) -> SyncReport:
    """Fetch all that ``plan`` says, then merge it: all of it or, on an error, nothing.

    Args:
        store: Where to.
        folder: As of `planned`.
        plan: What to fetch.
        transport: With the key, if the plan needs one.
        endpoints: Where from.
        began: When this sync began.

    Raises:
        NetworkError, RateLimitError, FeedKeyError, FeedQueryError, AnswerError, FeedError:
            Something could not be fetched or read; the store is as it was.
        StoreError: The store cannot be read or written.
    """
    reads = fetch_plan(plan, transport, endpoints, folder)
    report = sync_reads(store, reads)
    # When it began, not when it ended: what came in meanwhile is still to be fetched.
    time = began.astimezone(UTC).isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write(folder / _LAST, json.dumps({"began": time}) + "\n")
    return report


def _last_sync(folder: Path) -> datetime | None:
    path = folder / _LAST
    try:
        time = datetime.fromisoformat(json.loads(path.read_text("utf-8"))["began"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read: {error}", hint="delete it; the next sync reads everything"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
