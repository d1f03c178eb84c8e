"""Reports: what a hunt found and did not look at, in the format somebody reads it in.

A format is one module of this package with a function ``render(result) -> str`` and one line in
`_REPORTS`. Every one of them tells "looked and found nothing" from "did not look" and names all
that was not evaluated. JSON, NDJSON, CSV and Markdown hold every finding; the table and the HTML
page say how many they left out. The formats that are only records (NDJSON, CSV) do not count
quarantined and unreadable records: `summarise` has the lines for standard error.
"""

from __future__ import annotations

import json
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from foxhunt.findings import HuntResult  # with the rules it takes longer than a look-up

_REPORTS = {
    "csv": "foxhunt.reports.csv_report",
    "html": "foxhunt.reports.html",
    "json": "foxhunt.reports.json_report",
    "md": "foxhunt.reports.markdown",
    "ndjson": "foxhunt.reports.ndjson",
    "table": "foxhunt.reports.table",
}

_SCHEMAS = (
    *("changes-1", "doctor-1", "events-1", "families-1", "hunt-1", "indicators-1"),
    *("quarantined-1", "show-1", "snapshots-1", "sync-1"),
)


class Report(Protocol):
    """What a report module must provide."""

    def render(self, result: HuntResult) -> str:
        """Return the whole report, ending in a line break unless it is empty.

        Must be pure and deterministic: the same result gives the same text. The text
        must be encodable as UTF-8 whatever the logs hold, lone surrogates included.
        """
        ...


def report_names() -> tuple[str, ...]:
    """Names `get_report` accepts, sorted."""
    return tuple(sorted(_REPORTS))


def get_report(name: str) -> Report:
    """Import the report called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _REPORTS:
        raise KeyError(f"unknown report {name!r}; known: {', '.join(report_names())}")
    # Imported on demand: rich and jinja2 alone would take a third of the start-up budget.
    # A module is a Report by having the function; no type can say that of an imported name.
    return cast(Report, import_module(_REPORTS[name]))


def schema_names() -> tuple[str, ...]:
    """Names `load_schema` accepts, sorted.

    ``events-1`` is of one line of an events file, ``changes-1`` of ``snapshots diff``; the others
    are called as the command whose ``--format json`` they describe.
    """
    return _SCHEMAS


def load_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _SCHEMAS:
        raise KeyError(f"unknown schema {name!r}; known: {', '.join(_SCHEMAS)}")
    text = resources.files(__package__).joinpath("schema", f"{name}.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)  # a JSON Schema has no narrower type
    return schema
