"""abuse.ch's list of false positives, kept beside the exports and fetched again once a day."""

from __future__ import annotations

import time
from pathlib import Path

from foxhunt.errors import FeedKeyError, HuntError
from foxhunt.exclusions import read_fplist
from foxhunt.exclusions.kept_fplist import fplist_path
from foxhunt.feeds.client import ThreatFox
from foxhunt.feeds.endpoints import Endpoints
from foxhunt.feeds.transport import Transport

# The Hunting API answers no conditional requests: it is a POST.
_FRESH_SECONDS = 24 * 60 * 60


def refresh_fplist(home: Path, transport: Transport, endpoints: Endpoints) -> str | None:
    """Fetch the list unless the one that is kept is less than a day old.

    A failure costs no sync: the list of before stays.

    Args:
        home: Of the store.
        transport: With a key; without one nothing is fetched.
        endpoints: Where to ask.

    Returns:
        What to tell the user, or None if there is nothing to tell.

    Raises:
        FeedKeyError: The key is refused: it will be the next time, and where it is needed.
    """
    path = fplist_path(home)
    if transport.secret is None or _age_seconds(path) < _FRESH_SECONDS:
        return None
    try:
        ThreatFox(transport, endpoints).get_fplist(path)
    except HuntError as error:
        kept = "the one of before stays" if path.is_file() else "none is kept"
        failed = f"abuse.ch's false positives were not fetched, {kept}"
        if isinstance(error, FeedKeyError):
            raise FeedKeyError(f"{failed}: {error.message}", hint=error.hint) from error
        return f"warning: {failed}: {error}"
    entries = len(read_fplist([path]).entries)
    return f"abuse.ch's false positives: {entries:,} kept for `foxhunt hunt`"


def _age_seconds(path: Path) -> float:
    try:
        age_seconds = time.time() - path.stat().st_mtime
    except OSError:  # not there yet, or a folder that is none: fetching says so
        return float("inf")
    return age_seconds if age_seconds >= 0 else float("inf")
