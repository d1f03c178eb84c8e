"""JSON of sibling feeds: which keys a document begins with, and its records one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import Reading
from foxhunt.feeds.statuses import EMPTY, OK, meaning

# A quote inside a string of JSON has a backslash before it: what a stranger writes into a value
# is never taken for a key.
_KEY = re.compile(r'(?<!\\)"([A-Za-z_][A-Za-z0-9_]{0,60})"\s*:')

# What MalwareBazaar's API answers for what it does not know (its documentation, 2026-10).
_NOT_FOUND = frozenset({"hash_not_found", "file_not_found", "tag_not_found", "signature_not_found"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What the JSON of a feed looks like.

    Attributes:
        name: Whose it is, for messages.
        lists: Keys of an answer under which records stand.
        values: Fields of which every record has one.
    """

    name: str
    lists: tuple[str, ...]
    values: frozenset[str]


def keys_in(head: str) -> frozenset[str]:
    """The keys that occur in the beginning of JSON text, at any depth; none of other text.

    >>> sorted(keys_in('{"1": [{"url": "x", "note": "a \\\\"fake\\\\": 1"'))
    ['note', 'url']
    """
    if not head.lstrip().startswith(("{", "[")):
        return frozenset()
    return frozenset(_KEY.findall(head))


def records(stream: TextIO, reading: Reading, shape: Shape) -> Iterator[tuple[str | None, object]]:
    """Yield the records of a list, of an answer, or of an object of ids, each with its id.

    Args:
        stream: JSON text.
        reading: Is told the format and the notes.
        shape: What the feed's JSON looks like.

    Raises:
        FeedError: Not JSON, an answer that says it is an error, or another feed's.
    """
    text = JsonText(stream, reading.name)
    read = recognised = 0
    for own_id, raw in _all(text, reading, shape):
        read += 1
        recognised += isinstance(raw, Mapping) and not shape.values.isdisjoint(raw)
        yield own_id, raw
    if read and not recognised:
        values = " or ".join(sorted(shape.values))
        raise FeedError(
            f"{reading.format} of {read} records, none with {values}", at=SourceSpan(reading.name)
        )


def _all(text: JsonText, reading: Reading, shape: Shape) -> Iterator[tuple[str | None, object]]:
    if text.peek() == "[":
        reading.format = f"{shape.name} JSON list"
        yield from ((None, item) for item in text.each_item())
    else:
        yield from _object(text, reading, shape)
    if text.peek():
        raise text.error("more text after the end of the JSON")


def each_key(text: JsonText) -> Iterator[str]:
    """The keys of the object that begins here; the caller takes each one's value."""
    text.take("{")
    while text.peek() != "}":
        yield text.key()
        text.skip_comma()
    text.take("}")


def each_place(text: JsonText) -> Iterator[None]:
    """Stop at each item of the list that begins here; the caller takes it."""
    text.take("[")
    while text.peek() != "]":
        yield
        if text.peek() != "]":
            text.take(",")
    text.take("]")


def _object(text: JsonText, reading: Reading, shape: Shape) -> Iterator[tuple[str | None, object]]:
    rest: dict[str, object] = {}
    has_records = False
    reading.format = f"{shape.name} JSON export"
    for key in each_key(text):
        if key in shape.lists and text.peek() == "[":
            has_records = True
            reading.format = f"{shape.name} API answer"
            yield from ((None, item) for item in text.each_item())
        elif key.isascii() and key.isdigit():
            has_records = True
            yield from _entry(key, text.value())
        else:
            rest[key] = text.value()
    _check(rest, has_records, reading, shape.name)


def _entry(key: str, value: object) -> Iterator[tuple[str | None, object]]:
    """The records under one id: a list, of one record in all that were seen."""
    items = value if isinstance(value, list) else [value]
    for number, item in enumerate(items, start=1):
        # Under one id for all, the second would replace the first.
        yield key if number == 1 else f"{key}.{number}", item


def _check(rest: dict[str, object], has_records: bool, reading: Reading, name: str) -> None:
    status = rest.get("query_status", OK)
    at = SourceSpan(reading.name)
    if isinstance(status, str) and (status in EMPTY or status in _NOT_FOUND):
        reading.notes.append(f"{name} answered {status}: it knows nothing of the kind")
    elif status != OK:
        said = meaning(status) if isinstance(status, str) else "not documented"
        raise FeedError(f"{name} answered {str(status)[:80]!r}: {said}", at=at)
    elif rest and not has_records:
        keys = str(sorted(rest)[:5])[:200]
        raise FeedError(f"JSON, but not {name}'s; its keys: {keys}", at=at)
