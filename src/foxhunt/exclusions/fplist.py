"""abuse.ch's own list of false positives: answers of its Hunting API, saved to files.

The query is ``get_fplist`` (https://hunting.abuse.ch/api/, 2026-07), which documents the
two formats and no field of them. What is read is what clients that were written against
it read (facts of 2026-07; IntelOwl, OpenCTI connectors):

- JSON: an object of objects, the key being the number of the removal;
- CSV: a banner of ``#`` lines, a header and quoted rows with the number as ``removal_id``;
- fields ``time_stamp``, ``platform``, ``entry_type``, ``entry_value``, ``removed_by`` and
  ``removal_notes``; only ``entry_value`` has to be there.

The list covers all platforms of abuse.ch, so the number of a removal is no id of ThreatFox,
and no field gives one: an indicator is known by its value alone.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from foxhunt.errors import ParseError, SourceSpan, UsageError
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, canonical_address, parse
from foxhunt.indicators import refang as _refang

# What suppresses a finding, as reports name it.
FPLIST_ID = "abuse.ch-fplist"
MAX_FILE_BYTES = 256 * 1024**2
_NEEDED = "entry_value"
_MAX_TEXT = 500
_HASHES = {32: IndicatorType.MD5, 40: IndicatorType.SHA1, 64: IndicatorType.SHA256}
_HEX = re.compile(r"[0-9a-fA-F]+")
# The list spells ThreatFox's types, and `ip` for an address without port.
_TYPES = {str(type_): type_ for type_ in IndicatorType}

_Record = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class FalsePositive:
    """An entry of the list: something abuse.ch took back.

    Attributes:
        at: File, and number of the entry in it from 1.
        type: What the value is; None for an address without port.
        value: Canonical.
        removal_id: The list's number of the removal, or ``""``.
        platform: Where it had been listed, e.g. ``MalwareBazaar``; ``""`` if not told.
        removed_at: When it was taken back, UTC, or None.
        notes: Why, in abuse.ch's words; ``""`` mostly.
    """

    at: SourceSpan
    type: IndicatorType | None
    value: str
    removal_id: str
    platform: str
    removed_at: datetime | None
    notes: str


@dataclass(frozen=True, slots=True)
class UnreadEntry:
    """An entry that no indicator can equal, and why.

    Attributes:
        at: File, and number of the entry in it from 1.
        value: As the list spells it, shortened to 80 printable characters.
        reason: Why.
    """

    at: SourceSpan
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """The entries of one or several files.

    Attributes:
        entries: In the order of the files.
        unread: Entries that no indicator can equal.
    """

    entries: tuple[FalsePositive, ...] = ()
    unread: tuple[UnreadEntry, ...] = ()
    _known: dict[tuple[str | None, str], FalsePositive] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for entry in self.entries:
            known = self._known.setdefault((entry.type, entry.value), entry)
            if _is_later(entry, known):
                self._known[entry.type, entry.value] = entry

    def covers(self, indicator: Indicator) -> FalsePositive | None:
        """The latest entry about an indicator, or None.

        Values have to be equal: an entry of a domain is not about URLs on it. An
        address without port is about all its ports.
        """
        address = None
        if indicator.type is IndicatorType.IP_PORT:
            address = canonical_address(indicator.value.rpartition(":")[0])
        return self._covers(indicator.type, indicator.value, address)

    def covered(self, indicators: IndicatorSet) -> dict[int, FalsePositive]:
        """What `covers` says, by position in the set, of those that it covers."""
        if not self._known:
            return {}
        names = ("type", "value", "lookup")
        columns = (column.to_pylist() for column in indicators.select(*names).columns)
        rows = enumerate(zip(*columns, strict=True))
        found = ((at, self._covers(*row)) for at, row in rows)
        return {at: entry for at, entry in found if entry is not None}

    def _covers(self, type_: str, value: str, address: str | None) -> FalsePositive | None:
        known = self._known.get((type_, value))
        if known is None and type_ == IndicatorType.IP_PORT and address is not None:
            return self._known.get((None, address))
        return known


def _is_later(entry: FalsePositive, known: FalsePositive) -> bool:
    if entry.removed_at is None:
        return False
    return known.removed_at is None or entry.removed_at > known.removed_at


def read_fplist(paths: Iterable[Path]) -> FalsePositives:
    """Read answers to ``get_fplist``, JSON or CSV, told apart by content.

    Raises:
        UsageError: A file cannot be read, is neither, is too large, or is an answer that
            says it is an error. An entry that cannot be read is `FalsePositives.unread`.
    """
    entries: list[FalsePositive] = []
    unread: list[UnreadEntry] = []
    for path in paths:
        for number, record in enumerate(_records(path), start=1):
            read = _entry(record, SourceSpan(str(path), record=number))
            if isinstance(read, FalsePositive):
                entries.append(read)
            else:
                unread.append(read)
    return FalsePositives(tuple(entries), tuple(unread))


def _records(path: Path) -> Iterator[_Record | str]:
    """Records of a file; text instead of one says what is wrong with it."""
    at = SourceSpan(str(path))
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"larger than {MAX_FILE_BYTES // 1024**2} MiB", at=at)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}", at=at) from error
    except UnicodeDecodeError as error:
        hint = "a compressed file has to be unpacked first"
        raise UsageError(f"not text: {error.reason}", at=at, hint=hint) from error
    if text.lstrip()[:1] in ("{", "["):
        return _json_records(text, at)
    return _csv_records(text, at)


def _json_records(text: str, at: SourceSpan) -> Iterator[_Record | str]:
    try:
        raw = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        place = SourceSpan(at.name, line=error.lineno, column=error.colno)
        raise UsageError(f"not JSON: {error.msg}", at=place) from error
    except RecursionError:
        raise UsageError("not JSON of get_fplist: nested too deeply", at=at) from None
    except ValueError as error:  # a number of thousands of digits
        raise UsageError(f"not JSON: {error}", at=at) from error
    if isinstance(raw, dict) and "query_status" in raw:
        if raw["query_status"] != "ok" or not isinstance(raw.get("data"), dict | list):
            told = f"{str(raw['query_status'])[:80]!r}: {str(raw.get('data', ''))[:200]!r}"
            raise UsageError(f"abuse.ch answered {told}, not a list", at=at)
        raw = raw["data"]
    pairs = raw.items() if isinstance(raw, dict) else ((None, record) for record in raw)
    return (_with_id(key, record) for key, record in pairs)


def _with_id(key: str | None, record: object) -> _Record | str:
    if not isinstance(record, dict):
        return "not an object"
    return {"removal_id": key, **record} if key is not None else record


def _csv_records(text: str, at: SourceSpan) -> Iterator[_Record | str]:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        names = next(csv.reader([line.lstrip("# ")], skipinitialspace=True), [])
        if _NEEDED in names:
            return _csv_rows(lines[number + 1 :], names)
        if line.strip() and not line.startswith("#"):
            break
    raise UsageError(f"neither JSON nor a CSV of get_fplist: no header with {_NEEDED}", at=at)


def _csv_rows(lines: list[str], names: list[str]) -> Iterator[_Record | str]:
    reader = csv.reader(lines, skipinitialspace=True, strict=True)
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"not a line of CSV: {error}"
            continue
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) != len(names):
            yield f"{len(fields)} fields, the header has {len(names)}"
        else:
            yield dict(zip(names, fields, strict=True))


def _entry(record: _Record | str, at: SourceSpan) -> FalsePositive | UnreadEntry:
    if isinstance(record, str):
        return UnreadEntry(at, "", record)
    value = record.get(_NEEDED)
    if not isinstance(value, str) or not value.strip():
        return UnreadEntry(at, "", f"no {_NEEDED}")
    try:
        type_, canonical = _canonical(value.strip(), _text(record, "entry_type").lower())
    except ParseError as error:
        return UnreadEntry(at, _printable(value[:80]), f"{error.code}: {error.message}")
    return FalsePositive(
        at=at,
        type=type_,
        value=canonical,
        removal_id=_text(record, "removal_id"),
        platform=_text(record, "platform"),
        removed_at=_time(_text(record, "time_stamp")),
        notes=_text(record, "removal_notes"),
    )


def _canonical(value: str, told: str) -> tuple[IndicatorType | None, str]:
    """Type and canonical value of an entry.

    Raises:
        ParseError: No indicator can equal it.
    """
    address = canonical_address(_refang(value))
    if told in ("ip", "ip:port", "") and address is not None:
        return None, address
    if told == "ip":
        told = "ip:port"  # its value may be one (facts of 2026-07)
    type_ = _TYPES.get(told) if told else _guessed(_refang(value))
    if type_ is None:
        raise ParseError(f"entry_type {told[:80]!r} is no type of indicator")
    return type_, parse(value, type_)


def _guessed(value: str) -> IndicatorType:
    """The type a value has by its form."""
    if _HEX.fullmatch(value) and len(value) in _HASHES:
        return _HASHES[len(value)]
    if "/" in value:
        return IndicatorType.URL
    return IndicatorType.IP_PORT if ":" in value else IndicatorType.DOMAIN


def _text(record: _Record, name: str) -> str:
    """A field as one printable line, ``""`` if it is absent or null."""
    value = record.get(name)
    if value is None:
        return ""
    return _printable(str(value)[:_MAX_TEXT])


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()


def _time(text: str) -> datetime | None:
    """A time as abuse.ch writes it, ``2025-06-04 07:46:14 UTC``; None if it is none."""
    try:
        time = datetime.fromisoformat(text.removesuffix("UTC").strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter where an offset leads out of all years
        return None
