"""Mistakes with Sentinel's tables of indicators."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from foxhunt.lint.checks import Remark
from foxhunt.lint.known_tables import RETIRED
from foxhunt.lint.model import Level, Query
from foxhunt.lint.statements import split
from foxhunt.lint.tokens import Kind, Token

_ENDS = ("validuntil", "expirationdatetime")
_STATES = ("isactive", "isdeleted", "revoked", *_ENDS)


def retired(query: Query) -> Iterator[Remark]:
    """ThreatIntelligenceIndicator (Microsoft docs, 2025-07): no new rows, then none at all."""
    for token in query.tokens:
        if token.kind is Kind.NAME and token.text == RETIRED:
            yield Remark(
                "L110",
                Level.ERROR,
                token.offset,
                f"{RETIRED} was retired on 2026-05-31: it has no new rows",
                "use ThreatIntelIndicators, newest row of each Id first",
            )


def null_validity(query: Query) -> Iterator[Remark]:
    """An end compared as if every indicator had one: null is not later than anything."""
    for stage in split(query.tokens, "|"):
        words = {str(one) for one in stage if one.kind is Kind.NAME}
        if words & {"isnull", "isnotnull", "isempty", "isnotempty", "coalesce", "iff", "case"}:
            continue
        for token, operator in itertools.pairwise(stage):
            if token.is_word(*_ENDS) and operator.is_sign(">", ">="):
                yield Remark(
                    "L125",
                    Level.ERROR,
                    token.offset,
                    f"{token.text} {operator.text} drops indicators without an end: "
                    "null is not later",
                    f"write isnull({token.text}) or {token.text} {operator.text} ...",
                )


def not_deduplicated(query: Query) -> Iterator[Remark]:
    """Each indicator is published again every 7 to 10 days (Microsoft docs, 2025-04)."""
    found = query.tokens
    for place, token in enumerate(found):
        if not (token.kind is Kind.NAME and token.text == "ThreatIntelIndicators"):
            continue
        pipe = _rest_of_pipe(found[place:])
        newest = next((n for n, one in enumerate(pipe) if one.is_word("arg_max")), len(pipe))
        asked = any(one.is_word(*_STATES) for one in pipe[:newest])
        if newest == len(pipe) or asked:
            yield Remark(
                "L127",
                Level.ERROR,
                token.offset,
                "each indicator is published again every week or so: an old row still says active",
                "summarize arg_max(TimeGenerated, *) by Id, ObservableValue before asking IsActive",
            )


def _rest_of_pipe(found: tuple[Token, ...]) -> tuple[Token, ...]:
    """The tokens up to the end of the statement or of the bracket around it."""
    depth = 0
    for place, token in enumerate(found):
        depth += token.is_sign("(", "[", "{") - token.is_sign(")", "]", "}")
        if depth < 0 or (depth == 0 and token.is_sign(";")):
            return found[:place]
    return found
