"""Where a sync keeps abuse.ch's list of false positives; beside the feeds, since a hunt asks."""

from __future__ import annotations

from pathlib import Path


def fplist_path(home: Path) -> Path:
    """Where a sync keeps the list in the home folder."""
    return home / "feeds" / "fplist.json"


def kept_fplist(home: Path) -> Path | None:
    """The list that was kept last, None if none was fetched yet."""
    path = fplist_path(home)
    return path if path.is_file() else None
