"""The list that queries read from a watchlist or with ``externaldata``: ``indicators.csv``.

Everything is text, quoted (RFC 4180). Sentinel takes a watchlist of up to 3.8 MB as a file,
rows of up to 10 KB, and 100,000 changed rows a month in a workspace (Sentinel docs, service
limits, 2025).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from foxhunt.backends.kql_exact import listed_for
from foxhunt.backends.kql_indicators import CSV_COLUMNS, Shape, csv_rows
from foxhunt.content.model import ContentFile, Subject
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorType


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    rule = subject.rule
    # Many columns show the same kind of thing, in the same rows.
    kinds = {
        (part.observable.shows, part.types): part
        for search in rule.searches
        for part in search.predicate.parts
    }
    rows: dict[tuple[str, ...], None] = {}
    listed: set[tuple[Shape, IndicatorType]] = set()
    for part in kinds.values():
        listed_there = listed_for(rule, part)
        if listed_there is None:
            continue
        shape, types = listed_there.shape, part.types
        # What a URL is depends on what the column shows; all others are the same row in each.
        fresh = {t for t in types if (shape, t) not in listed}
        listed |= {(shape, t) for t in fresh if t is not IndicatorType.URL}
        entries = [one for one in listed_there.entries if one.indicator.type in fresh]
        rows.update(dict.fromkeys(csv_rows(shape, entries)))
    if not rows:
        raise UnsupportedError(f"{rule.name} has no indicator that a query looks for")
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(rows)
    yield ContentFile("indicators.csv", out.getvalue())
