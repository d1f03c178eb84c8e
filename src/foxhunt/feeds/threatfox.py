"""One record of ThreatFox, in any of its spellings, into an indicator or into quarantine.

What is decided here where a record leaves something open:

- No id (copies without it, the derived tables of 2020-2023): ``source_id`` is ``v:`` and 16
  hex digits of a hash of type, canonical value, malware and first_seen, so that the same
  record read again is the same indicator, and a value that was listed twice stays two, as
  with ids. Quarantined, it is ``q:`` and a hash of the record.
- No ``confidence_level``: 50, the default ThreatFox documents for a submission.
- No ``threat_type``: ``"unknown"``. No ``malware_printable``: the Malpedia label.
- ``"None"``, ``""`` and null all mean "not given" (the CSV writes the first two).
- A record is taken whole or not at all: a field of a wrong kind quarantines it. Only in
  free text (reference, reporter, tags, aliases) is a half character replaced by U+FFFD, since
  a tag that was cut in the middle of one must not cost an indicator.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from foxhunt.errors import ParseError
from foxhunt.feeds.raw import Broken
from foxhunt.indicators import Indicator, IndicatorType, Quarantined, parse

SOURCE = "threatfox"

ID = ("id", "ioc_id")
VALUE = ("ioc_value", "ioc")
MALWARE = ("malware", "fk_malware")
FIRST_SEEN = ("first_seen_utc", "first_seen", "timestamp")
LAST_SEEN = ("last_seen_utc", "last_seen")

# Every field of the API and the exports; what is not in it is reported by name.
KNOWN_FIELDS = frozenset(
    ID
    + VALUE
    + MALWARE
    + FIRST_SEEN
    + LAST_SEEN
    + ("ioc_type", "ioc_type_desc", "threat_type", "threat_type_desc")
    + ("malware_alias", "malware_printable", "malware_malpedia", "malware_samples")
    + ("confidence_level", "is_compromised", "reference", "reporter", "tags", "anonymous")
    + ("sightings", "comment", "credits")
)
_DEFAULT_CONFIDENCE = 50
# ThreatFox began in 2021. A record of the year 9999 would never be superseded, nor expire.
_YEARS = range(1990, 2101)

# Not `fromisoformat` alone: it also takes week dates, bare dates and digits without separators.
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
    r"(?: ?UTC|Z|([+-][0-9]{2}:[0-9]{2}))?"
)
_NUMBER = re.compile(r"[0-9]{1,3}")
# Labels become names of folders and headings, ids become keys: no character that ends a line.
_LABEL = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_TYPES = {str(type_): type_ for type_ in IndicatorType}


def read_record(raw: object, source_id: str | None = None) -> Indicator | Quarantined:
    """Turn one record into an indicator, or say why it is none.

    Args:
        raw: The record as JSON or CSV gave it.
        source_id: Its id where it stands outside the record.
    """
    if isinstance(raw, Broken):
        return _quarantined(raw.text, source_id, {"ioc_value": raw.text}, ParseError(raw.why))
    if not isinstance(raw, dict):
        error = ParseError(f"not a record but a {type(raw).__name__}")
        return _quarantined(raw, source_id, {"ioc_value": raw}, error)
    try:
        return _indicator(raw, None if source_id is None else id_text(source_id, "id"))
    except ParseError as error:
        return _quarantined(raw, source_id, raw, error)


def _indicator(raw: Mapping[str, object], source_id: str | None) -> Indicator:
    kind = read_type(raw)
    value = parse(_required(raw, VALUE), kind)
    malware = read_label(_required(raw, MALWARE), "malware")
    first_seen = read_time(_required(raw, FIRST_SEEN))
    if source_id is None:
        source_id = _id(raw)
    return Indicator(
        type=kind,
        value=value,
        source=SOURCE,
        source_id=source_id or derived_id(kind, value, malware, first_seen),
        threat_type=read_label(optional(raw, ("threat_type",)) or "unknown", "threat_type"),
        malware=malware,
        malware_printable=read_label(
            optional(raw, ("malware_printable",)) or malware, "malware_printable"
        ),
        malware_alias=read_words(raw, "malware_alias"),
        confidence_level=read_confidence(raw),
        first_seen=first_seen,
        last_seen=read_time(text) if (text := optional(raw, LAST_SEEN)) else None,
        reference=_free_text(raw, "reference"),
        reporter=_free_text(raw, "reporter"),
        tags=read_words(raw, "tags"),
        is_compromised=read_flag(raw),
    )


def optional(raw: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    """The text of the first of ``names`` that is given."""
    for name in names:
        value = raw.get(name)
        if value is None or value in ("", "None"):
            continue
        if not isinstance(value, str):
            raise ParseError(f"{name} is no text but a {type(value).__name__}")
        return value
    return None


def _required(raw: Mapping[str, object], names: tuple[str, ...]) -> str:
    text = optional(raw, names)
    if text is None:
        raise ParseError(f"no {names[0]}")
    return text


def read_type(raw: Mapping[str, object]) -> IndicatorType:
    text = _required(raw, ("ioc_type",))
    kind = _TYPES.get(text.strip().lower())
    if kind is None:
        raise ParseError(f"unknown ioc_type {text[:80]!r}")
    return kind


@lru_cache(maxsize=4096)
def _known_label(text: str) -> bool:
    return _LABEL.fullmatch(text) is not None and not text.isspace()


def read_label(text: str, name: str) -> str:
    # The bound comes first: the cache must not hold megabytes that a stranger wrote.
    if len(text) > 200 or not _known_label(text):
        raise ParseError(f"{name} is not 1 to 200 printable characters: {text[:80]!r}")
    return text.strip()


def _id(raw: Mapping[str, object]) -> str | None:
    for name in ID:
        value = raw.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise ParseError(f"{name} is neither text nor number but a {type(value).__name__}")
        return id_text(value, name)
    return None


def id_text(text: str, name: str) -> str:
    """The text of an id.

    Raises:
        ParseError: It is empty, too long, or does not print.
    """
    if not _LABEL.fullmatch(text) or text.isspace():
        raise ParseError(f"{name} is not 1 to 200 printable characters: {text[:80]!r}")
    return text.strip()


def derived_id(kind: IndicatorType, value: str, malware: str, first_seen: datetime) -> str:
    """The id of an indicator whose publisher gives none, see above."""
    content = "\x1f".join((kind, value, malware, first_seen.isoformat()))
    return "v:" + hashlib.sha256(content.encode()).hexdigest()[:16]


def read_confidence(raw: Mapping[str, object]) -> int:
    value = raw.get("confidence_level")
    if value is None or value in ("", "None"):
        return _DEFAULT_CONFIDENCE
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100:
        return value
    shown = value if isinstance(value, str | float) else type(value).__name__
    raise ParseError(f"confidence_level is not 0 to 100: {str(shown)[:80]!r}")


def read_time(text: str) -> datetime:
    """Read a time as ThreatFox writes it.

    Raises:
        ParseError: It is none, or of no year that counts.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ParseError(f"not a time: {text[:80]!r}")
    day, time, offset = match.groups()
    try:
        # Without an offset it is UTC (the names of the fields say so).
        moment = datetime.fromisoformat(f"{day}T{time}{offset or '+00:00'}")
        if moment.year not in _YEARS:
            raise ParseError(f"not a time of {_YEARS[0]} to {_YEARS[-1]}: {text[:80]!r}")
        return moment.astimezone(UTC) if offset else moment
    except ValueError:
        raise ParseError(f"not a time: {text[:80]!r}") from None


def read_flag(raw: Mapping[str, object]) -> bool | None:
    value = raw.get("is_compromised")
    if value is None or isinstance(value, bool):
        return value
    if value in ("", "None"):
        return None
    flag = _FLAGS.get(str(value).lower()) if isinstance(value, str) or value in (0, 1) else None
    if flag is None:
        raise ParseError(f"is_compromised is neither true nor false: {_shown(value)!r}")
    return flag


def _free_text(raw: Mapping[str, object], name: str) -> str | None:
    text = optional(raw, (name,))
    return None if text is None else _SURROGATE.sub("\ufffd", text)


def read_words(raw: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A list (API), or the text of one with commas (exports)."""
    value = raw.get(name)
    if not isinstance(value, list):
        text = optional(raw, (name,))
        if text is None:
            return ()
        return _known_words(text) if len(text) <= _SHORT else _words(text.split(","))
    if not all(isinstance(word, str) for word in value):
        raise ParseError(f"{name} holds something other than text")
    return _words(value)


# The cache must not hold megabytes that a stranger wrote.
_SHORT = 200


@lru_cache(maxsize=4096)
def _known_words(text: str) -> tuple[str, ...]:
    return _words(text.split(","))


def _words(words: list[str]) -> tuple[str, ...]:
    return tuple(_SURROGATE.sub("\ufffd", bare) for word in words if (bare := word.strip()))


def _quarantined(
    raw: object, source_id: str | None, fields: Mapping[str, object], error: ParseError
) -> Quarantined:
    try:
        own_id = source_id or _id(fields)
    except ParseError:
        own_id = None
    if own_id is None:
        # Surrogates and all: the same record must get the same id again.
        content = _json(raw).encode("ascii")
        own_id = "q:" + hashlib.sha256(content).hexdigest()[:16]
    value = next((fields[name] for name in VALUE if name in fields), "")
    return Quarantined(
        source_id=_shown(own_id),
        value=_shown(value),
        type=_shown(fields.get("ioc_type", "")),
        reason=f"{error.code}: {_shown(error.message, 500)}",
    )


def _json(value: object) -> str:
    """ASCII text, the same for the same value."""
    try:
        return json.dumps(value, sort_keys=True, default=str)
    except RecursionError:
        return "nested too deeply"


def _shown(value: object, length: int = 200) -> str:
    """Text that can be stored: shortened, half characters written as escapes."""
    if not isinstance(value, str):
        value = _json(value)
    return value[:length].encode("utf-8", "backslashreplace").decode()
