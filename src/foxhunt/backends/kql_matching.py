"""R1, R2, R4 and R5 as KQL: what a column shows, made comparable and joined with ``indicators``.

Each kind of column has its observing steps, which end in one row for each indicator that
may be met, and an expression that says how it is met, or ``""``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foxhunt.backends.kql_indicators import SHAPES, Shape
from foxhunt.backends.kql_parts import Part
from foxhunt.backends.kql_text import string_list
from foxhunt.tables import Observable, Shows


@dataclass(frozen=True, slots=True)
class Steps:
    """What a query does with its column.

    Attributes:
        prefilter: What the text index can answer.
        observing: Steps that end with the join.
        match: Expression of the kind of match.
    """

    prefilter: str
    observing: tuple[str, ...]
    match: str


def steps_for(observable: Observable, part: Part | None) -> Steps:
    """The steps of a query over one column.

    Args:
        observable: The column.
        part: What the query's text lists; None for a list that is kept elsewhere, and changes
            without the query.
    """
    shape, column = SHAPES[observable.shows], observable.column
    prefilter = f"{column} has_any (lookups)"
    if part is None or (shape is Shape.ADDRESS and not part.is_ipv4):
        # The many spellings of an IPv6 address share no term.
        prefilter = f"isnotempty({column})"
    return Steps(
        prefilter,
        tuple(_OBSERVING[observable.shows](column, part)),
        _match(observable),
    )


def lookups(shape: Shape) -> str:
    """A ``let`` of the terms that the index is asked for."""
    column = "Address" if shape is Shape.ADDRESS else "Lookup"
    return f"let lookups = toscalar(indicators | summarize make_set({column}));"


_JOIN = "join kind=inner (indicators) on $left.{} == $right.Lookup"
# A name and, for each number of labels among the domains, its parent with so many labels.
_PARENT = 'extract(@"^(?:[^.]*\\.)+((?:[^.]+\\.){{{}}}[^.]+)$", 1, {})'
# Lists that are kept elsewhere may come to hold names of so many labels.
_ANY_DEPTH = range(1, 8)


def _candidates(name: str, part: Part | None) -> list[str]:
    parents = [_PARENT.format(depth, name) for depth in (part.depths if part else _ANY_DEPTH)]
    return [
        f"mv-expand Candidate = pack_array({', '.join([name, *parents])}) to typeof(string)",
        'where Candidate != ""',
        _JOIN.format("Candidate"),
    ]


def _observe_name(column: str, part: Part | None) -> list[str]:
    return [
        f'extend ObservedName = tolower(trim_end(@"\\.+", trim(@"\\s+", {column})))',
        *_candidates("ObservedName", part),
    ]


def _observe_url(column: str, part: Part | None) -> list[str]:
    return [
        f"extend ObservedName = UrlHost({column}), ObservedPort = UrlPort({column}), "
        f"ObservedPath = UrlPath({column})",
        *_candidates("ObservedName", part),
    ]


def _observe_address(column: str, part: Part | None) -> list[str]:
    return [f"extend ObservedAddress = parse_ipv6({column})", _JOIN.format("ObservedAddress")]


def _observe_answers(column: str, part: Part | None) -> list[str]:
    return [
        f'mv-expand Answer = split(replace_regex({column}, @"[\\s,;|\\[\\]{{}}""\']+", ","), ",") '
        "to typeof(string)",
        "extend ObservedAddress = parse_ipv6(Answer)",
        _JOIN.format("ObservedAddress"),
    ]


def _observe_hash(column: str, part: Part | None) -> list[str]:
    return [
        f'extend ObservedHash = tolower(trim(@"\\s+", {column}))',
        _JOIN.format("ObservedHash"),
    ]


_OBSERVING: dict[Shows, Callable[[str, Part | None], list[str]]] = {
    Shows.NAME: _observe_name,
    Shows.URL: _observe_url,
    Shows.ADDRESS: _observe_address,
    Shows.ANSWERS: _observe_answers,
    Shows.MD5: _observe_hash,
    Shows.SHA1: _observe_hash,
    Shows.SHA256: _observe_hash,
    Shows.HASH: _observe_hash,
}
_BORDERS = string_list(("/", "?", "#", "&"))
_MATCHES = {
    Shape.NAME: 'case(IndicatorType == "url", iff(Candidate == ObservedName, "url-host", ""), '
    'Candidate == ObservedName, "exact", not(IsShared), "subdomain", "")',
    Shape.URL: "case("
    'IndicatorType == "domain" and Candidate == ObservedName, "exact", '
    'IndicatorType == "domain", iff(IsShared, "", "subdomain"), '
    'Candidate != ObservedName, "", '
    'ObservedPath == "", iff(IsShared, "", "url-host"), '
    'ObservedPort != IndicatorPort, "", '
    'ObservedPath == IndicatorPath, "url", '
    'IsShared and IndicatorPath == "/", "", '
    "ObservedPath startswith_cs IndicatorPath and ("
    'IndicatorPath endswith "/" or IndicatorPath endswith "?" or IndicatorPath endswith "&" '
    f"or substring(ObservedPath, strlen(IndicatorPath), 1) in ({_BORDERS})), "
    '"url-prefix", "")',
    Shape.HASH: '"hash"',
}


def _match(observable: Observable) -> str:
    shape = SHAPES[observable.shows]
    if shape is not Shape.ADDRESS:
        return _MATCHES[shape]
    if observable.shows is Shows.ANSWERS:
        return '"resolved-ip"'
    port = f"tostring({observable.port})" if observable.port else '""'
    return f'case(IndicatorType == "url", "url-host", {port} == IndicatorPort, "ip:port", "ip")'
