"""Text of strangers for the eyes of analysts: visible, unclickable, of bearable length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from foxhunt.indicators import defang

if TYPE_CHECKING:
    from foxhunt.findings import Finding  # with the rules it takes longer than a look-up

_STARTS_FORMULA = tuple("=+-@\t\r\n" + "\uff1d\uff0b\uff0d\uff20")
_URL_START = re.compile(r"(?i)\b(?:https?|ftp)://[^\s/?#\"'<>|]*")


def visible(text: str, *, keep: str = "") -> str:
    """Return ``text`` with every character that does not print spelled out as its number.

    Log text can hold escape sequences that rewrite a terminal, bidirectional controls that
    show a name backwards, and lone surrogates that no file can store. What does not print
    (`str.isprintable`: controls, format characters, surrogates, unassigned, every space but
    U+0020) is spelled ``<U+202E>``; all else stays.

    Args:
        text: Any text.
        keep: Characters to leave as they are, e.g. line breaks.

    >>> visible("invoice" + chr(0x202E) + "fdp.exe")
    'invoice<U+202E>fdp.exe'
    """
    # Most texts are printable as they are, and to look is faster than to translate.
    if text.isprintable() or text.translate(dict.fromkeys(map(ord, keep))).isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else f"<U+{ord(char):04X}>" for char in text
    )


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula and no terminal for a command.

    >>> guarded("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    """
    text = visible(text, keep="\t\r\n")
    return f"'{text}" if text.startswith(_STARTS_FORMULA) else text


def clipped(text: str, limit: int) -> str:
    """Return ``text``, or its first ``limit`` characters and how many are missing.

    >>> clipped("abcdef", 4)
    'abcd... (2 more characters)'
    """
    return text[:limit] + _missing(text, limit)


def _missing(text: str, limit: int) -> str:
    return f"... ({len(text) - limit:,} more characters)" if len(text) > limit else ""


def shown(value: str, *, limit: int = 2_000) -> str:
    """Return an indicator or a logged observable as people may see it: clipped, defanged, visible.

    >>> shown("http://evil.example.org/a.php")
    'hxxp://evil[.]example[.]org/a.php'
    """
    # Terminals and viewers find a link within a URL too: http://a.org/?next=http://b.org/
    head = _URL_START.sub(lambda found: defang(found[0]), defang(value[:limit]))
    # The note comes last, or its dots would be taken for the value's.
    return visible(head + _missing(value, limit))


def prose(text: str, values: tuple[str, ...] = (), *, limit: int = 2_000) -> str:
    """Return running text as people may see it: URLs and ``values`` in it defanged, visible.

    Args:
        text: A reason, a message, a cell of a log.
        values: Observables that ``text`` may contain, found in any case.
        limit: See `clipped`.

    >>> prose("no scheme in 'evil.org', see http://a.org/b.c", ("evil.org",))
    "no scheme in 'evil[.]org', see hxxp://a[.]org/b.c"
    """
    head = text[:limit]
    pattern = _any_of(values)
    if pattern is not None:
        head = pattern.sub(lambda found: defang(found[0]), head)
    head = _URL_START.sub(lambda found: defang(found[0]), head)
    return visible(head + _missing(text, limit))


# The cells of one finding's evidence share their values: compiling is done once, not per cell.
@lru_cache(maxsize=64)
def _any_of(values: tuple[str, ...]) -> re.Pattern[str] | None:
    # The longest first, or the host in a URL would be taken and its scheme left alone.
    known = sorted({value for value in values if value}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known)), re.IGNORECASE) if known else None


def iso(time: datetime) -> str:
    """Return an aware time as ISO 8601 in UTC, microseconds only when there are any.

    >>> iso(datetime(2026, 6, 1, 10, tzinfo=UTC))
    '2026-06-01T10:00:00Z'
    """
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(time: datetime) -> str:
    """Return an aware time in UTC to the minute, for tables; the exact one is in the JSON.

    >>> minute(datetime(2026, 6, 1, 10, 0, 59, tzinfo=UTC))
    '2026-06-01 10:00'
    """
    return time.astimezone(UTC).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")


def span(first: datetime | None, last: datetime | None) -> str:
    """Return a time span in UTC: days, or minutes within one day; ``""`` without one.

    >>> span(datetime(2026, 6, 1, 10, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC))
    '2026-06-01 10:00 to 12:00'
    >>> span(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
    '2026-05-01 to 2026-06-01'
    """
    if first is None or last is None:
        return ""
    start, end = minute(first), minute(last)
    if start == end:
        return start
    if start[:10] == end[:10]:
        return f"{start} to {end[11:]}"
    return f"{start[:10]} to {end[:10]}"


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``count`` and the noun in its number.

    >>> plural(1, "host"), plural(1200, "host"), plural(0, "family", "families")
    ('1 host', '1,200 hosts', '0 families')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def also_listed(finding: Finding) -> Iterator[str]:
    """Each other feed that lists the finding's value: its name, its id, its family."""
    for one in finding.also_listed_by:
        yield f"{one.source} {one.source_id} ({one.malware_printable})"
