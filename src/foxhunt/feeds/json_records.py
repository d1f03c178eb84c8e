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

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO, TypeAlias, TypeGuard

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.json_runs import RunFinder
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import Broken, RawParts, RawRecord, RawRecords, Reading, Run
from foxhunt.feeds.statuses import EMPTY, OK, meaning

VALUE_FIELDS = frozenset({"ioc_value", "ioc"})
_THREADS = 2
_TakeRuns: TypeAlias = Callable[[JsonText], Iterator[Run]]


def json_records(stream: TextIO, reading: Reading) -> RawRecords:
    """Yield the records of JSON text in its order.

    A key that stands twice in a record counts once, the last time, as in every JSON
    reader; an id that stands twice in an export gives two records.

    Raises:
        FeedError: Not JSON, JSON of another shape, or an answer that says it is an error.
    """
    for part in _parts(JsonText(stream, reading.name), reading, lambda text: iter(())):
        if isinstance(part, tuple):  # there are no runs
            yield part


def json_parts(stream: TextIO, reading: Reading) -> RawParts:
    """Yield what `json_records` does, entries of an export that follow each other as runs."""
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from _parts(JsonText(stream, reading.name), reading, RunFinder(pool).take)


def _parts(text: JsonText, reading: Reading, take_runs: _TakeRuns) -> RawParts:
    if text.peek() == "[":
        reading.format = "JSON list"
        yield from ((None, item) for item in text.each_item())
    else:
        yield from _object(text, reading, take_runs)
    if text.peek():
        raise text.error("more text after the end of the JSON")


def _object(text: JsonText, reading: Reading, take_runs: _TakeRuns) -> RawParts:
    rest: dict[str, object] = {}
    has_data = has_ids = False
    text.take("{")
    while text.peek() != "}":
        for run in take_runs(text):
            has_ids = True
            yield run
        key = text.key()
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
        text.skip_comma()
    text.take("}")
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
    status = rest.get("query_status", OK)
    at = SourceSpan(reading.name)
    if isinstance(status, str) and status in EMPTY:
        reading.notes.append(f"ThreatFox answered {status}: {EMPTY[status]}")
    elif status != OK:
        told = f"ThreatFox answered {str(status)[:80]!r}: {meaning(str(status))}"
        raise FeedError(told, at=at)
    elif not has_data:
        raise FeedError("an answer of ThreatFox that holds no list of indicators", at=at)


def _another_shape(rest: dict[str, object], reading: Reading) -> FeedError:
    if isinstance(rest.get("error"), str):
        message = f"an error of the server, not data: {str(rest['error'])[:80]!r}"
    else:
        message = f"JSON, but not ThreatFox's; its keys: {str(sorted(rest)[:5])[:200]}"
    return FeedError(message, at=SourceSpan(reading.name))
