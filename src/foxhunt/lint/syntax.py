"""Parsers as judges: duckdb-kql's, always; Microsoft's own, when its package is installed.

The second binds names as well. `make kusto` installs it here; elsewhere FOXHUNT_KUSTO names
the folder of the npm package ``@kusto/language-service-next``, and mini-racer is needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb_kql

from foxhunt.lint.model import Issue, Level, Query
from foxhunt.lint.tokens import Kind
from foxhunt.tables import catalog

if TYPE_CHECKING:
    from foxhunt.lint.kusto import Kusto

_PACKAGE = Path(".tools/node_modules/@kusto/language-service-next")
# Columns of Sentinel's own tables that rules of threat intelligence read (Azure Monitor
# reference, 2026-07-27); they hold no events, so they are no tables of the catalog.
_OTHER_TABLES = {
    "ThreatIntelIndicators": {
        **{"TenantId": "string", "TimeGenerated": "datetime", "WorkspaceId": "string"},
        **{"Id": "string", "SourceSystem": "string", "LastUpdateMethod": "string"},
        **{"IsDeleted": "bool", "IsActive": "bool", "Revoked": "bool", "Data": "dynamic"},
        **{"ValidUntil": "datetime", "ValidFrom": "datetime", "Created": "datetime"},
        **{"Modified": "datetime", "Tags": "string", "Confidence": "int", "Pattern": "string"},
        **{"ObservableKey": "string", "ObservableValue": "string", "Type": "string"},
        **{"AdditionalFields": "dynamic", "AzureTenantId": "string"},
    }
}
# Of names that the parser cannot know: a workspace has tables and functions of its own.
_MOST_DIAGNOSTICS = 5
_UNKNOWN_NAMES = {"KS204", "KS211", "KS207"}


@cache
def microsoft() -> Kusto | None:
    """Microsoft's parser over the known tables, or None if it is not installed."""
    package = Path(os.environ.get("FOXHUNT_KUSTO") or _PACKAGE)
    if not package.is_dir():
        return None
    try:
        from foxhunt.lint.kusto import Kusto
    except ImportError:
        return None
    return Kusto({**{n: t.columns for n, t in catalog().items()}, **_OTHER_TABLES}, package)


def judges() -> tuple[str, ...]:
    """Names of the parsers that judge here."""
    return ("duckdb-kql", "Microsoft's") if microsoft() else ("duckdb-kql",)


def syntax(query: Query) -> Iterator[Issue]:
    """Yield what the parsers say of a query."""
    if not query.text.strip():
        yield Issue(
            code="L101",
            level=Level.ERROR,
            at=query.at(0),
            message="the query is empty",
            fix="write one, or delete the file",
        )
        return
    judge = microsoft()
    if judge is not None:
        for error in judge.judge(query.text).errors:
            offset = _offset(query.text, error.line, error.column)
            unknown = error.code in _UNKNOWN_NAMES
            yield Issue(
                code="L103" if unknown else "L102",
                level=Level.NOT_JUDGED if unknown else Level.ERROR,
                at=query.at(offset),
                message=f"{error.code}: {error.message}",
                fix="a table or function of your workspace?" if unknown else "see the Kusto docs",
            )
        return
    try:
        duckdb_kql.parse(query.text)
    except duckdb_kql.KqlSyntaxError as error:
        for diagnostic in error.diagnostics[:_MOST_DIAGNOSTICS]:
            offset = _offset(query.text, diagnostic.span.line, diagnostic.span.column + 1)
            yield Issue(
                code="L101",
                level=Level.ERROR,
                at=query.at(offset),
                message=f"not KQL: {diagnostic.message.partition(' expecting ')[0]}",
                fix="see the Kusto docs",
            )
    yield from _tables(query)


def _tables(query: Query) -> Iterator[Issue]:
    """Where Microsoft's parser is missing: columns are not judged, and that is said."""
    known = {*catalog(), *_OTHER_TABLES}
    found = query.tokens()
    if any(token.kind is Kind.NAME and token.text in known for token in found):
        return
    yield Issue(
        code="L103",
        level=Level.NOT_JUDGED,
        at=query.at(0),
        message="it reads no table that is known here; its columns were not judged",
        fix="make kusto, or FOXHUNT_KUSTO, for Microsoft's parser",
    )


def _offset(text: str, line: int, column: int) -> int:
    lines = text.split("\n")
    return sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
