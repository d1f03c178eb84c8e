"""Whether foxhunt can do its work here: what it stands on, its feed, its store, its memory."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from foxhunt import __version__
from foxhunt.feeds.diagnosis import Check, Level, feed_checks
from foxhunt.feeds.report import printable

SCHEMA = "foxhunt.doctor/1"
_NEEDED = ("duckdb", "duckdb-kql", "pyarrow")
_MIB = 1024**2
# A full dump may have 1 GiB as it is sent, and a snapshot of a million indicators some 100 MiB.
_LITTLE_BYTES = 2048 * _MIB
_TOO_LITTLE_BYTES = 200 * _MIB
_ORDER = (Level.FAIL, Level.WARN, Level.SKIPPED, Level.OK)


def diagnose(
    home: Path, environ: Mapping[str, str], now: datetime, *, is_offline: bool = False
) -> tuple[Check, ...]:
    """Look at everything.

    Args:
        home: Of the store.
        environ: ``os.environ``.
        now: Aware.
        is_offline: Whether to ask no server.
    """
    return (
        *_version_checks(),
        _disk_check(home),
        *feed_checks(home, environ, now, is_offline=is_offline),
    )


def worst(checks: Sequence[Check]) -> Level:
    """The most serious level; `Level.OK` if there is no check."""
    found = {check.level for check in checks}
    return next((level for level in _ORDER if level in found), Level.OK)


def render_text(checks: Sequence[Check]) -> str:
    """Return a line a check, and below it what to do; safe to print."""
    lines: list[str] = []
    for check in checks:
        lines.append(f"{check.level:<8}{check.name}: {printable(check.message)}")
        if check.hint is not None:
            lines.append(f"{'':<8}  {printable(check.hint)}")
    return "\n".join(lines) + "\n"


def render_json(checks: Sequence[Check]) -> str:
    """Return one JSON object: ``schema``, ``worst`` and ``checks``."""
    fields = ("name", "level", "message", "hint")
    found = [{name: getattr(check, name) for name in fields} for check in checks]
    return json.dumps({"schema": SCHEMA, "worst": worst(checks), "checks": found}, indent=2) + "\n"


def _version_checks() -> Iterator[Check]:
    from foxhunt.lint.syntax import judges  # loads V8 where Microsoft's parser is installed

    python = platform.python_version()
    yield Check(name="foxhunt", level=Level.OK, message=f"{__version__} on Python {python}")
    for name in _NEEDED:
        try:
            yield Check(name=name, level=Level.OK, message=version(name))
        except PackageNotFoundError:
            hint = "install foxhunt again"
            yield Check(name=name, level=Level.FAIL, message="is not installed", hint=hint)
    has_microsofts = len(judges()) > 1
    message = "installed" if has_microsofts else "not installed; only `foxhunt lint` would use it"
    yield Check(name="Microsoft's KQL parser", level=Level.OK, message=message)


def _disk_check(home: Path) -> Check:
    place = home.absolute()
    while not place.exists():
        place = place.parent
    free_bytes = shutil.disk_usage(place).free
    message = f"{free_bytes / _MIB:,.0f} MiB free at {place}"
    if free_bytes >= _LITTLE_BYTES:
        return Check(name="disk", level=Level.OK, message=message)
    level = Level.FAIL if free_bytes < _TOO_LITTLE_BYTES else Level.WARN
    hint = "a full dump needs up to 1 GiB: make room, or set FOXHUNT_HOME elsewhere"
    return Check(name="disk", level=level, message=message, hint=hint)
