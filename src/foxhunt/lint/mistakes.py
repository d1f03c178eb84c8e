"""The known mistakes of hunting queries, each a check over tokens; the table below is all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from foxhunt.lint.model import Issue, Level, Query
from foxhunt.lint.tokens import Kind, Token

_Found = Iterator[tuple[str, Level, int, str, str]]
_HASHES = {"sha256", "sha1", "md5", "filehash", "filehashvalue"}
_NAMES = {
    *("name", "dnsquery", "remoteurl", "destinationhostname", "urldomain", "fqdn", "domain"),
    *("dstfqdn", "dsthostname", "query"),
}
_TIMES = {"timegenerated", "timestamp"}
_DOMAIN = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]+", re.IGNORECASE)
_ADDRESS_AND_PORT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}:[0-9]{1,5}")


def mistakes(query: Query) -> Iterator[Issue]:
    """Yield what is known to go wrong in a query."""
    found = query.tokens()
    for check in _CHECKS:
        for code, level, offset, message, fix in check(query, found):
            yield Issue(code=code, level=level, at=query.at(offset), message=message, fix=fix)


def _retired(query: Query, found: Sequence[Token]) -> _Found:
    for token in found:
        if token.kind is Kind.NAME and token.text == "ThreatIntelligenceIndicator":
            yield (
                "L110",
                Level.ERROR,
                token.offset,
                "ThreatIntelligenceIndicator was retired on 2026-05-31: it has no new rows",
                "use ThreatIntelIndicators, newest row of each Id first",
            )


def _hash_case(query: Query, found: Sequence[Token]) -> _Found:
    for place, token in enumerate(found[:-1]):
        operator = str(found[place + 1])
        if token.kind is not Kind.NAME or str(token) not in _HASHES:
            continue
        if operator in ("==", "!=", "in", "!in") and not _is_called(found, place):
            yield (
                "L120",
                Level.ERROR if _has_upper(found, place + 2) else Level.WARNING,
                token.offset,
                f"{token.text} {operator} minds the case: logs write hashes in either",
                f"compare tolower({token.text}) with lower-case values, or use in~ and =~",
            )


def _is_called(found: Sequence[Token], place: int) -> bool:
    """Whether a name stands in ``tolower(...)``."""
    return place >= 2 and str(found[place - 1]) == "(" and str(found[place - 2]) == "tolower"


def _has_upper(found: Sequence[Token], start: int) -> bool:
    values = [one.text for one in found[start : start + 20] if one.kind is Kind.STRING]
    return any(value != value.lower() for value in values)


def _unconfirmed(query: Query, found: Sequence[Token]) -> _Found:
    words = {str(one) for one in found}
    confirms = words & {"endswith", "extract", "=~", "hassuffix_cs", "has_any_ipv4"} or (
        "matches" in words and "regex" in words
    )
    domains = any(one.kind is Kind.STRING and _DOMAIN.fullmatch(one.text) for one in found)
    for place, token in enumerate(found[:-1]):
        operator = str(found[place + 1])
        if (
            token.kind is Kind.NAME
            and str(token) in _NAMES
            and operator in ("has", "has_any", "contains", "has_cs", "contains_cs")
            and domains
            and not confirms
        ):
            yield (
                "L121",
                Level.ERROR,
                token.offset,
                f"{token.text} {operator} also finds not-evil.com and evil.com.example.org",
                f"keep it to filter first, then confirm: {token.text} =~ d or {token.text} "
                'endswith strcat(".", d)',
            )


def _parsed_host(query: Query, found: Sequence[Token]) -> _Found:
    for place, token in enumerate(found[:-2]):
        inner = str(found[place + 2])
        if str(token) == "parse_url" and inner in {"remoteurl", *_NAMES}:
            yield (
                "L122",
                Level.ERROR,
                token.offset,
                f"parse_url needs a scheme: {found[place + 2].text} often holds a bare host, "
                "which it drops",
                "take the host with extract, scheme optional",
            )


def _dropped_port(query: Query, found: Sequence[Token]) -> _Found:
    words = {str(one) for one in found}
    has_port = any("port" in word for word in words)
    for token in found:
        if token.kind is Kind.STRING and _ADDRESS_AND_PORT.fullmatch(token.text) and not has_port:
            yield (
                "L123",
                Level.ERROR,
                token.offset,
                f"{token.text} has a port, and no column of ports is compared",
                "compare the address and the port, each with its column",
            )
            return


def _inner_unique(query: Query, found: Sequence[Token]) -> _Found:
    for place, token in enumerate(found[:-1]):
        if str(token) != "join" or token.kind is not Kind.NAME:
            continue
        kind = str(found[place + 3]) if str(found[place + 1]) == "kind" else ""
        if kind in ("", "innerunique"):
            yield (
                "L124",
                Level.WARNING,
                token.offset,
                "join keeps one row of each key on its left (innerunique): of two indicators "
                "of a value one is lost",
                "write kind=inner",
            )


def _null_validity(query: Query, found: Sequence[Token]) -> _Found:
    words = {str(one) for one in found}
    for place, token in enumerate(found[:-1]):
        name, operator = str(token), str(found[place + 1])
        if name in ("validuntil", "expirationdatetime") and operator in (">", ">="):
            before = {str(one) for one in found[max(0, place - 6) : place]}
            if not before & {"isnull", "isempty", "or"} and "coalesce" not in words:
                yield (
                    "L125",
                    Level.ERROR,
                    token.offset,
                    f"{token.text} {operator} drops indicators without an end: null is not later",
                    f"write isnull({token.text}) or {token.text} {operator} ...",
                )


def _unbounded(query: Query, found: Sequence[Token]) -> _Found:
    words = {str(one) for one in found}
    if query.period_bounded or not found:
        return
    compared = any(
        str(token) in _TIMES and str(found[place + 1]) in (">", ">=", "between", "<", "<=")
        for place, token in enumerate(found[:-1])
    )
    if not compared and "ingestion_time" not in words and "|" in words:
        yield (
            "L126",
            Level.WARNING,
            found[0].offset,
            "nothing bounds the time: it reads whatever the table keeps",
            "filter first: | where TimeGenerated > ago(1d)",
        )


def _not_deduplicated(query: Query, found: Sequence[Token]) -> _Found:
    words = [str(one) for one in found]
    if "threatintelindicators" not in words:
        return
    asked = [words.index(w) for w in ("isactive", "validuntil", "isdeleted") if w in words]
    if "arg_max" not in words or (asked and min(asked) < words.index("arg_max")):
        yield (
            "L127",
            Level.ERROR,
            found[words.index("threatintelindicators")].offset,
            "each indicator is published again every week or so: an old row still says active",
            "summarize arg_max(TimeGenerated, *) by Id, ObservableValue before asking IsActive",
        )


def _everything(query: Query, found: Sequence[Token]) -> _Found:
    for token, after in itertools.pairwise(found):
        if str(token) in ("search", "union") and str(after) == "*":
            yield (
                "L128",
                Level.ERROR,
                token.offset,
                f"{token} * is not allowed in a rule, and reads every table",
                "name the tables",
            )


# Of near-real-time rules (Sentinel and Defender docs, 2026): one table, and each row by itself.
_NOT_NEAR_REAL_TIME = {"join", "union", "externaldata", "lookup", "materialize", "search"}


def _near_real_time(query: Query, found: Sequence[Token]) -> _Found:
    if query.kind != "nrt":
        return
    for token in found:
        if token.kind is Kind.NAME and str(token) in _NOT_NEAR_REAL_TIME:
            yield (
                "L114",
                Level.ERROR,
                token.offset,
                f"a near-real-time rule cannot {token}: it reads one table, row by row",
                "schedule it, or list the values in the query",
            )


def _lists(query: Query, found: Sequence[Token]) -> _Found:
    named = dict(_named_lists(found))
    for place, token in enumerate(found[:-1]):
        operator = str(token)
        if operator not in ("has_any", "in", "in~", "!in", "!in~", "has_any_ipv4"):
            continue
        count = _listed(found, place + 1, named)
        most = 10_000 if operator.startswith("has_any") else 1_000_000
        if count > most:
            text = f"{operator} has {count:,} values, it takes {most:,}"
            yield "L112", Level.ERROR, token.offset, text, "split the list, or join a table"
        elif count > 128:
            text = f"{operator} has {count:,} values: over 128 the index is not used"
            yield "L113", Level.WARNING, token.offset, text, "split the list, or join a table"


def _named_lists(found: Sequence[Token]) -> Iterator[tuple[str, int]]:
    """``let NAME = dynamic([...])`` and how many strings it has."""
    for place, token in enumerate(found[:-3]):
        if str(token) == "let" and str(found[place + 3]) in ("dynamic", "materialize"):
            count = 0
            for one in found[place + 4 :]:
                if one.text == ";" and one.kind is Kind.SIGN:
                    break
                count += one.kind is Kind.STRING
            yield found[place + 1].text, count


def _listed(found: Sequence[Token], start: int, named: dict[str, int]) -> int:
    depth = count = 0
    for token in found[start:]:
        if token.kind is Kind.SIGN and token.text == "(":
            depth += 1
        elif token.kind is Kind.SIGN and token.text == ")":
            depth -= 1
            if depth <= 0:
                break
        elif token.kind is Kind.STRING:
            count += 1
        elif token.kind is Kind.NAME:
            count += named.get(token.text, 0)
        if depth == 0:
            break
    return count


_CHECKS: tuple[Callable[[Query, Sequence[Token]], _Found], ...] = (
    _retired,
    _near_real_time,
    _lists,
    _hash_case,
    _unconfirmed,
    _parsed_host,
    _dropped_port,
    _inner_unique,
    _null_validity,
    _unbounded,
    _not_deduplicated,
    _everything,
)
