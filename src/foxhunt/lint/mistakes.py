"""The known mistakes of hunting queries, each a check over tokens; the table below is all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from foxhunt.lint.checks import Check, Remark
from foxhunt.lint.indicator_tables import not_deduplicated, null_validity, retired
from foxhunt.lint.lists import long_lists
from foxhunt.lint.model import Holder, Level, Query
from foxhunt.lint.running import defender_result, defender_time, streamed
from foxhunt.lint.statements import split
from foxhunt.lint.tokens import Kind, Token

_HASHES = ("sha256", "sha1", "md5", "filehash", "filehashvalue")
_NAMES = (
    *("name", "dnsquery", "remoteurl", "destinationhostname", "urldomain", "fqdn", "domain"),
    *("dstfqdn", "dsthostname", "query"),
)
_TIMES = ("timegenerated", "timestamp")
_CASED = ("==", "!=", "in", "!in")
_TERMS = ("has", "has_any", "has_all", "contains", "has_cs", "contains_cs")
# Steps that compare with the borders of labels; and those that may.
_CONFIRMING = ("endswith", "endswith_cs", "in", "in~")
_PERHAPS_CONFIRMING = ("extract", "regex", "join", "lookup")
_DOMAIN = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]+", re.IGNORECASE)
_ADDRESS_AND_PORT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})(?!\d)")
_PROJECTING = ("project", "project-reorder", "project-keep", "order", "sort", "top", "summarize")


def mistakes(query: Query) -> Iterator[Remark]:
    """Yield what is known to go wrong in a query."""
    for check in CHECKS:
        yield from check(query)


def _hash_case(query: Query) -> Iterator[Remark]:
    found = query.tokens
    named = query.constants
    for place, operator in enumerate(found[1:-1], 1):
        if not (operator.is_sign(*_CASED) or operator.is_word(*_CASED)):
            continue
        before, after = found[place - 1], found[place + 1]
        column = before if before.is_word(*_HASHES) else after
        if not column.is_word(*_HASHES) or (column is after and operator.kind is Kind.NAME):
            continue
        value = before if column is after else after
        has_upper = any(one != one.lower() for one in _values(found, place + 1, named, value))
        yield Remark(
            "L120",
            Level.ERROR if has_upper else Level.WARNING,
            column.offset,
            f"{column.text} {operator.text} minds the case: logs write hashes in either",
            f"compare tolower({column.text}) with lower-case values, or use in~ and =~",
        )


def _values(
    found: Sequence[Token], start: int, named: dict[str, tuple[str, ...]], value: Token
) -> Iterator[str]:
    """The texts that a comparison names, those of a list that ``let`` made too."""
    if value.kind is Kind.STRING:
        yield value.text
        return
    depth = 0
    for token in found[start:]:
        depth += token.is_sign("(", "[") - token.is_sign(")", "]")
        if token.kind is Kind.STRING:
            yield token.text
        elif token.kind is Kind.NAME:
            yield from named.get(token.text, ())
        if depth <= 0:
            return


def _unconfirmed(query: Query) -> Iterator[Remark]:
    found = query.tokens
    if not any(one.kind is Kind.STRING and _DOMAIN.fullmatch(one.text) for one in found):
        return
    confirmed: dict[str, int] = {}
    for place, (token, operator) in enumerate(itertools.pairwise(found)):
        if not (token.is_word(*_NAMES) and operator.is_word(*_TERMS)):
            continue
        if token.text not in confirmed:
            confirmed[token.text] = _last_confirmation(token.text, found)
        if confirmed[token.text] <= place:
            yield Remark(
                "L121",
                Level.ERROR,
                token.offset,
                f"{token.text} {operator.text} also finds not-evil.com and evil.com.example.org",
                f"keep it to filter first, then confirm: {token.text} =~ d or {token.text} "
                'endswith strcat(".", d)',
            )


def _last_confirmation(column: str, found: Sequence[Token]) -> int:
    """Where a step last compares the column, or one that the query makes, as a whole; or -1."""
    whole = {column, *(one.text for one, after in itertools.pairwise(found) if after.is_sign("="))}
    last = -1
    for place, (before, one) in enumerate(itertools.pairwise(found)):
        is_compared = before.text in whole or before.is_sign(")")
        compares = one.is_word(*_CONFIRMING) or one.is_sign("=~", "==")
        if one.is_word(*_PERHAPS_CONFIRMING) or (compares and is_compared):
            last = place
    return last


def _parsed_host(query: Query) -> Iterator[Remark]:
    for token, bracket, inner in zip(
        query.tokens, query.tokens[1:], query.tokens[2:], strict=False
    ):
        if token.is_word("parse_url") and bracket.is_sign("(") and inner.is_word(*_NAMES):
            yield Remark(
                "L122",
                Level.ERROR,
                token.offset,
                f"parse_url needs a scheme: {inner.text} often holds a bare host, which it drops",
                "take the host with extract, scheme optional",
            )


def _dropped_port(query: Query) -> Iterator[Remark]:
    """Addresses that the query or its comments show with a port, and no port compared."""
    stages = split([one for one in query.tokens if not one.is_sign(";")], "|")
    if any(
        token.kind is Kind.NAME and "port" in str(token)
        for stage in stages
        if stage and not stage[0].is_word(*_PROJECTING)
        for token in stage
    ):
        return
    values = {token.text for token in query.tokens if token.kind is Kind.STRING}
    for token in query.comments_and_tokens:
        shown = _ADDRESS_AND_PORT.search(token.text)
        is_value = token.kind is Kind.STRING and shown and shown[0] == token.text
        is_told = token.kind is Kind.COMMENT and shown and shown[1] in values
        if shown and (is_value or is_told):
            yield Remark(
                "L123",
                Level.ERROR,
                token.offset,
                f"{shown[0]} has a port, and no column of ports is compared",
                "compare the address and the port, each with its column",
            )
            return


def _inner_unique(query: Query) -> Iterator[Remark]:
    found = query.tokens
    for place, token in enumerate(found):
        if not token.is_word("join") or not (place and found[place - 1].is_sign("|")):
            continue
        # Its parameters: kind=inner, hint.strategy=broadcast; then the right side.
        options = itertools.takewhile(lambda one: not one.is_sign("(", "|"), found[place + 1 :])
        words = [str(one) for one in options]
        kind = words[words.index("kind") + 2 : words.index("kind") + 3] if "kind" in words else []
        if kind in ([], ["innerunique"]):
            yield Remark(
                "L124",
                Level.WARNING,
                token.offset,
                "join keeps one row of each key on its left (innerunique): of two indicators "
                "of a value one is lost",
                "write kind=inner",
            )


def _unbounded(query: Query) -> Iterator[Remark]:
    if (
        query.holder is Holder.DEFENDER
        or query.is_streamed
        or not any(one.is_sign("|") for one in query.tokens)
    ):
        return
    compared = any(
        token.is_word(*_TIMES)
        and (after.is_sign("<", "<=", ">", ">=", "==") or after.is_word("between"))
        for token, after in itertools.pairwise(query.tokens)
    )
    # Sentinel's own parsers take the time as a parameter.
    told = any(one.is_word("ingestion_time", "starttime", "endtime") for one in query.tokens)
    if not compared and not told:
        yield Remark(
            "L126",
            Level.WARNING,
            query.tokens[0].offset,
            "nothing bounds the time: it reads whatever the table keeps",
            "filter first: | where TimeGenerated > ago(1d)",
        )


def _everything(query: Query) -> Iterator[Remark]:
    for token, after in itertools.pairwise(query.tokens):
        if token.is_word("search", "union") and after.is_sign("*"):
            yield Remark(
                "L128",
                Level.ERROR,
                token.offset,
                f"{token.text} * is not allowed in a rule, and reads every table",
                "name the tables",
            )


CHECKS: tuple[Check, ...] = (
    retired,
    long_lists,
    _hash_case,
    _unconfirmed,
    _parsed_host,
    _dropped_port,
    _inner_unique,
    null_validity,
    _unbounded,
    not_deduplicated,
    _everything,
    streamed,
    defender_time,
    defender_result,
)
