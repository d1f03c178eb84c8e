"""Feeds beside ThreatFox: what they publish, into the same indicators, by the same door.

To add one: a module with ``SOURCE``, ``recognises`` and ``told``, a line in `_SIBLINGS`, and a
sample in ``tests/unit/feeds/sibling_samples.py``, over which ``tests/contract/test_feeds.py`` runs.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Protocol, TextIO, TypeAlias

from foxhunt.feeds.raw import Reading
from foxhunt.feeds.reading import FeedRead
from foxhunt.feeds.siblings import (
    feodo,
    malwarebazaar,
    misp_event,
    sslbl,
    stix_bundle,
    urlhaus,
)
from foxhunt.feeds.siblings.collecting import collect, text_head
from foxhunt.feeds.siblings.mapped_csv import MappedCsv
from foxhunt.feeds.siblings.mapping import CsvMapping, read_mapping
from foxhunt.feeds.siblings.told import RawTold

__all__ = [
    "CsvMapping",
    "Reader",
    "Sibling",
    "get_sibling",
    "mapped_reader",
    "read_mapping",
    "sibling_for",
    "sibling_names",
]

# Reads decompressed bytes to their end; the text is what messages and the report call them.
Reader: TypeAlias = Callable[[io.BufferedReader, str], FeedRead]


class Sibling(Protocol):
    """What a module of a feed must provide."""

    def recognises(self, head: str) -> bool:
        """Whether the first characters of a file, some 4000, are this feed's."""
        ...

    def told(self, stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
        """Yield the records, in the file's order.

        Args:
            stream: The text, from its beginning.
            reading: Is told the format, unknown fields and notes.
            is_json: Whether it begins as JSON does.

        Raises:
            FeedError: It cannot be read as a whole, or is not this feed's.
        """
        ...


# STIX and MISP come first: inside them anything may be quoted that looks like another feed.
_SIBLINGS: dict[str, Sibling] = {
    "stix": stix_bundle,
    "misp": misp_event,
    "urlhaus": urlhaus,
    "malwarebazaar": malwarebazaar,
    "feodotracker": feodo,
    "sslbl": sslbl,
}


def sibling_names() -> tuple[str, ...]:
    """Names `get_sibling` accepts."""
    return tuple(_SIBLINGS)


def get_sibling(name: str) -> Reader:
    """The reader of the feed called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _SIBLINGS:
        raise KeyError(f"unknown feed {name!r}; known: {', '.join(sibling_names())}")
    return partial(collect, records=_SIBLINGS[name].told)


def mapped_reader(mapping: CsvMapping) -> Reader:
    """The reader of CSV files that ``mapping`` describes."""
    return partial(collect, records=MappedCsv(mapping).told)


def sibling_for(head: bytes) -> Reader | None:
    """The reader for a file that begins with ``head``; None if it is no sibling's.

    Args:
        head: Decompressed, some 4 KiB of it or all there is.
    """
    text = text_head(head)
    for name, sibling in _SIBLINGS.items():
        if sibling.recognises(text):
            return get_sibling(name)
    return None
