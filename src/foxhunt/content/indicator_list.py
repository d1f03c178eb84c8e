"""The list that queries read from a watchlist or with ``externaldata``: ``indicators.csv``.

Everything is text, quoted (RFC 4180). Sentinel takes a watchlist of up to 3.8 MB as a file,
rows of up to 10 KB, and 100,000 changed rows a month in a workspace (Sentinel docs, service
limits, 2025).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from foxhunt.backends.kql_indicators import CSV_COLUMNS, SHAPES, csv_rows, entries_of
from foxhunt.content.model import ContentFile, Subject
from foxhunt.errors import UnsupportedError


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    rule = subject.rule
    # Many columns show the same kind of thing, in the same rows.
    kinds = dict.fromkeys(
        (part.observable.shows, part.types)
        for search in rule.searches
        for part in search.predicate.parts
    )
    rows = dict.fromkeys(
        row
        for shows, types in kinds
        for indicator in rule.indicators
        if indicator.type in types
        for row in csv_rows(SHAPES[shows], tuple(entries_of(shows, indicator)))
    )
    if not rows:
        raise UnsupportedError(f"{rule.name} has no indicator that a query looks for")
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(rows)
    yield ContentFile("indicators.csv", out.getvalue())
