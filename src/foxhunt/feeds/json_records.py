"""Records of ThreatFox's JSON: exports, API answers and the loose shapes people make of them.

| shape | whose |
|---|---|
| ``{"<id>": [record, ...], ...}`` | ``export/json/recent`` and ``full`` |
| ``{"query_status": "ok", "data": [record, ...]}`` | ``get_iocs``, ``search_ioc``, ``taginfo`` |
| ``{"data": [record, ...]}`` under any name, ``[record, ...]`` | copies without the envelope |
| ``record`` | API query ``ioc`` |

Text is decoded record by record, so that a full dump costs the memory of its
indicators and not that of its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO, TypeGuard

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.raw import Broken, RawRecord, RawRecords, Reading

VALUE_FIELDS = frozenset({"ioc_value", "ioc"})
_CHUNK = 1024 * 1024
# One record of a real export is about 600 characters.
_MAX_PENDING = 16 * 1024 * 1024
_OF_NUMBERS = "0123456789.eE+-"

# ThreatFox API documentation and the clients that were read for it, 2026 (facts/threatfox.md).
_EMPTY = frozenset({"no_result", "no_results"})
_STATUS = {
    "unknown_auth_key": "the Auth-Key is not known",
    "no_api_key": "the query was sent without an Auth-Key",
    "user_blacklisted": "the account is blocked",
    "rate_limited": "too many queries; try again later",
    "missing_search_term": "the query named nothing to search for",
    "illegal_search_term": "the search term is not allowed",
    "illegal_days": "days must be 1 to 7",
    "illegal_hash": "no MD5 or SHA-256 hash",
    "illegl_hash": "no MD5 or SHA-256 hash",  # the API's own spelling
    "illegal_tag": "the tag is not allowed",
    "illegal_malware": "the malware family is not allowed",
    "illegal_ioc_id": "the id is not a number",
    "unknown_ioc_id": "there is no indicator with the id",
    "unknown_operation": "the API has no such query",
    "http_post_expected": "the query has to be sent with POST",
    "no_json": "the query was not JSON",
}


def json_records(stream: TextIO, reading: Reading) -> RawRecords:
    """Yield the records of JSON text in its order.

    A key that stands twice in a record counts once, the last time, as in every JSON
    reader; an id that stands twice in an export gives two records.

    Raises:
        FeedError: Not JSON, JSON of another shape, or an answer that says it is an error.
    """
    text = _JsonText(stream, reading.name)
    if text.peek() == "[":
        reading.format = "JSON list"
        yield from ((None, item) for item in text.each_item())
    else:
        yield from _object(text, reading)
    if text.peek():
        raise text.error("more text after the end of the JSON")


def _object(text: _JsonText, reading: Reading) -> RawRecords:
    rest: dict[str, object] = {}
    has_data = has_ids = False
    for key in text.each_key():
        if key == "data" and text.peek() == "[":
            has_data = True
            yield from ((None, item) for item in text.each_item())
        elif key.isascii() and key.isdigit():
            has_ids = True
            yield from _entry(key, text.value())
        elif _holds_records(value := text.value()):
            # "iocs" and the like: no id, or the records would be known by their places.
            has_data = True
            yield from ((None, item) for item in value)
        else:
            rest[key] = value
    if VALUE_FIELDS & rest.keys() and not has_data:
        reading.format = "JSON record"
        yield None, rest
    elif has_data or "query_status" in rest:
        reading.format = "API answer"
        _check_status(rest, has_data, reading)
        reading.columns.update(rest.keys() - {"query_status", "data"})
    elif has_ids or not rest:
        reading.format = "JSON export"
        # Not one of ours, but it stands among records: said, not skipped.
        yield from ((None, Broken(key, "stands where an id should")) for key in rest)
    else:
        raise _another_shape(rest, reading)


def _holds_records(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list) and any(
        isinstance(item, dict) and not VALUE_FIELDS.isdisjoint(item) for item in value
    )


def _entry(key: str, value: object) -> Iterator[RawRecord]:
    """The records under one id of an export: a list, of one record in all that were seen."""
    items = value if isinstance(value, list) else [value]
    if not items:
        yield key, Broken("", "no record under its id")
    for number, item in enumerate(items, start=1):
        # Under one id for all, the second would replace the first.
        yield key if number == 1 else f"{key}.{number}", item


def _check_status(rest: dict[str, object], has_data: bool, reading: Reading) -> None:
    status = rest.get("query_status", "ok")
    at = SourceSpan(reading.name)
    if isinstance(status, str) and status in _EMPTY:
        reading.notes.append(f"ThreatFox answered {status}: it knows no such indicator")
    elif status != "ok":
        meaning = _STATUS.get(status) if isinstance(status, str) else None
        raise FeedError(
            f"ThreatFox answered {str(status)[:80]!r}: {meaning or 'not documented'}", at=at
        )
    elif not has_data:
        raise FeedError("an answer of ThreatFox that holds no list of indicators", at=at)


def _another_shape(rest: dict[str, object], reading: Reading) -> FeedError:
    if isinstance(rest.get("error"), str):
        message = f"an error of the server, not data: {str(rest['error'])[:80]!r}"
    else:
        message = f"JSON, but not ThreatFox's; its keys: {str(sorted(rest)[:5])[:200]}"
    return FeedError(message, at=SourceSpan(reading.name))


def _integer(text: str) -> int | str:
    # Python refuses numbers of more than 4300 digits, and the whole file with them.
    return int(text) if len(text) < 20 else text


def _is_broken(error: json.JSONDecodeError, length: int) -> bool:
    """Whether more text could not mend it: it is not about the end of what was read."""
    # A literal or an escape, cut in two, is complained about where it begins.
    return error.pos < length - 16 and not error.msg.startswith("Unterminated string")


class _JsonText:
    """JSON text that is taken value by value, with no more of it in memory than a value needs."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._buffer, self._at, self._dropped = "", 0, 0
        # strict=False lets control characters into strings: a record with one is quarantined,
        # where strict JSON would refuse the whole file for it.
        self._decode = json.JSONDecoder(strict=False, parse_int=_integer).raw_decode

    def error(self, message: str, position: int | None = None) -> FeedError:
        where = self._dropped + (self._at if position is None else position) + 1
        return FeedError(f"{message}, at character {where}", at=SourceSpan(self._name))

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        pending = self._buffer[self._at :]
        if len(pending) > _MAX_PENDING:
            raise self.error(f"a single value longer than {_MAX_PENDING} characters, or broken")
        # As much again as is pending: reading by chunks would be quadratic in a long value.
        chunk = self._stream.read(max(_CHUNK, len(pending)))
        self._dropped += self._at
        self._buffer, self._at = pending + chunk, 0
        return bool(chunk)

    def peek(self) -> str:
        """The next character that is not white space, ``""`` at the end."""
        while True:
            while self._at < len(self._buffer):
                char = self._buffer[self._at]
                if char not in " \t\r\n":
                    return char
                self._at += 1
            if not self._more():
                return ""

    def take(self, char: str) -> None:
        if self.peek() != char:
            found = self.peek()
            raise self.error(f"not JSON: {char!r} expected, not {found!r}" if found else "cut off")
        self._at += 1

    def value(self) -> object:
        """The next value, whole.

        Raises:
            FeedError: Not JSON, nested too deeply, or cut off.
        """
        self.peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
            except RecursionError:
                raise self.error("nested too deeply") from None
            except json.JSONDecodeError as error:
                if not _is_broken(error, len(self._buffer)) and self._more():
                    continue
                if _is_broken(error, len(self._buffer)):
                    raise self.error(f"not JSON: {error.msg}", error.pos) from None
                raise self.error("not JSON, or cut off") from None
            # "12" or "12." may go on in what was not read yet; nothing but a number can.
            if self._buffer[end - 1] not in '"]}' and not self._buffer[end:].strip(_OF_NUMBERS):
                at = self._at
                if self._more():
                    continue
                end -= at
            self._at = end
            return value

    def each_item(self) -> Iterator[object]:
        """The items of the list that begins here."""
        self.take("[")
        while self.peek() != "]":
            yield self.value()
            if self.peek() != "]":
                self.take(",")
        self.take("]")

    def each_key(self) -> Iterator[str]:
        """The keys of the object that begins here; the caller takes each one's value."""
        self.take("{")
        while self.peek() != "}":
            key = self.value()
            if not isinstance(key, str):
                raise self.error("not JSON: a key that is no string")
            self.take(":")
            yield key
            if self.peek() != "}":
                self.take(",")
        self.take("}")
