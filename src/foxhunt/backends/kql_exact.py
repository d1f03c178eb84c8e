"""Exact mode: R1, R2, R4 and R5 as KQL, one query a column."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from foxhunt.backends import Query
from foxhunt.backends.kql_exclusions import URL_FUNCTIONS, exclusion_lines
from foxhunt.backends.kql_text import comment, string_list
from foxhunt.exclusions import Exclusion
from foxhunt.indicators import (
    Indicator,
    IndicatorType,
    canonical_address,
    is_shared,
    parse_ip_port,
    unicode_name,
    url_key,
)
from foxhunt.rules import Observes, Rule
from foxhunt.tables import Shows, Table, get_table

# has_any takes up to 10,000 distinct values (Kusto docs, has-any-operator, 2024-09).
_MOST_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of a query's list: what is joined on, and what a hit reports."""

    lookup: str
    indicator: Indicator
    port: str = ""
    path: str = ""
    is_shared: bool = False


def exact_queries(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> Iterator[Query]:
    """Yield one query for each table, column and list of at most 10,000 values."""
    for search in rule.searches:
        table = get_table(search.table)
        for part in search.predicate.parts:
            entries = [
                entry
                for indicator in rule.indicators
                if indicator.type in part.types
                for entry in _entries(part.observable.shows, indicator)
            ]
            for start in range(0, len(entries), _MOST_VALUES):
                chunk = entries[start : start + _MOST_VALUES]
                number = start // _MOST_VALUES + 1 if len(entries) > _MOST_VALUES else 0
                excluding = list(exclusion_lines(rule, table, part, exclusions, has_indicator=True))
                yield _query(rule, table, part, chunk, number=number, excluding=excluding)


def _entries(shows: Shows, indicator: Indicator) -> Iterator[_Entry]:
    if indicator.type is IndicatorType.IP_PORT:
        address, port = parse_ip_port(indicator.value)
        yield _Entry(_full_address(str(address)), indicator, str(port))
    elif indicator.type is IndicatorType.URL:
        yield from _url_entries(shows, indicator)
    elif indicator.type is IndicatorType.DOMAIN:
        shared = is_shared(indicator.value)
        # KQL knows no UTS 46: the name as a log may spell it is listed beside its A-labels.
        for name in dict.fromkeys((indicator.value, unicode_name(indicator.value))):
            yield _Entry(name, indicator, is_shared=shared)
    else:
        yield _Entry(indicator.value, indicator)


def _url_entries(shows: Shows, indicator: Indicator) -> Iterator[_Entry]:
    """A URL column shows all of it, a name or an address column its host, if it is one."""
    key = url_key(indicator.value)
    if key is None:
        return
    shared = is_shared(key.host)
    is_address = canonical_address(key.host) is not None
    if shows is Shows.URL:
        yield _Entry(key.host, indicator, key.port, key.path or "/", shared)
    elif shows is Shows.ADDRESS and is_address:
        yield _Entry(_full_address(key.host), indicator)
    elif shows is Shows.NAME and not shared:
        # An address may stand where a name should: in a proxy's host column, in a URL's domain.
        yield _Entry(key.host, indicator)


def _full_address(address: str) -> str:
    """What Kusto's ``parse_ipv6`` makes of an address: eight groups, IPv4 mapped."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        parsed = ipaddress.ip_address(f"::ffff:{address}")
    return parsed.exploded


def _query(
    rule: Rule,
    table: Table,
    part: Observes,
    entries: Sequence[_Entry],
    *,
    number: int,
    excluding: Sequence[str],
) -> Query:
    column = part.observable.column
    kinds = ", ".join(part.types)
    heading = f"{table.name}.{column}: {kinds}" + (f", part {number}" if number else "")
    steps = _STEPS[part.observable.shows](column, part, entries)
    shown = [table.time, *_context(table, part), column]
    functions = [URL_FUNCTIONS] if any("UrlKey(" in line for line in excluding) else []
    lines = [
        comment(f"Hunt for {kinds} of {rule.name} in {table.name}.{column}"),
        comment(f"Source: ThreatFox - {rule.name}"),
        *functions,
        _datatable(entries),
        table.name,
        *(f"| {step}" for step in steps),
        *excluding,
        f"| project {', '.join(dict.fromkeys(shown))}, "
        "Indicator, IndicatorType, Malware, Confidence, Match",
        f"| order by {table.time} desc",
    ]
    return Query(table.name, (column,), heading, "\n".join(lines))


def _context(table: Table, part: Observes) -> list[str]:
    """Columns that say whose machine, user, process and port it was."""
    observable = part.observable
    names = [*observable.host, *observable.user, *table.process]
    names += [observable.port] if observable.port else []
    names += [table.action.column] if table.action else []
    return [name for name in names if name in table.columns]


def _datatable(entries: Sequence[_Entry]) -> str:
    rows = [
        "  "
        + string_list([e.lookup, e.port, e.path])
        + f", {str(e.is_shared).lower()}, "
        + string_list([e.indicator.value, e.indicator.type, e.indicator.malware_printable])
        + f", {e.indicator.confidence_level}"
        for e in entries
    ]
    return (
        "let indicators = datatable(Lookup: string, IndicatorPort: string, IndicatorPath: string, "
        "IsShared: bool, Indicator: string, IndicatorType: string, Malware: string, "
        "Confidence: long) [\n" + ",\n".join(rows) + "\n];"
    )


def _prefilter(column: str, values: Sequence[str]) -> str:
    """What the text index can answer; the exact comparison comes after it."""
    return f"where {column} has_any ({string_list(dict.fromkeys(values))})"


_JOIN = "join kind=inner (indicators) on $left.{} == $right.Lookup"
# A name and, for each number of labels among the domains, its parent with so many labels.
_PARENT = 'extract(@"^(?:[^.]*\\.)+((?:[^.]+\\.){{{}}}[^.]+)$", 1, {})'


def _candidates(name: str, entries: Sequence[_Entry]) -> str:
    depths = {
        e.lookup.count(".")
        for e in entries
        if e.indicator.type is IndicatorType.DOMAIN and not e.is_shared
    }
    parents = [_PARENT.format(depth, name) for depth in sorted(depths)]
    return f"pack_array({', '.join([name, *parents])})"


def _name_steps(column: str, part: Observes, entries: Sequence[_Entry]) -> list[str]:
    return [
        _prefilter(column, [e.lookup for e in entries]),
        f'extend ObservedName = tolower(trim_end(@"\\.+", trim(@"\\s+", {column})))',
        f"mv-expand Candidate = {_candidates('ObservedName', entries)} to typeof(string)",
        'where Candidate != ""',
        _JOIN.format("Candidate"),
        'extend Match = case(IndicatorType == "url", '
        'iff(Candidate == ObservedName, "url-host", ""), '
        'Candidate == ObservedName, "exact", not(IsShared), "subdomain", "")',
        'where Match != ""',
    ]


_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*"


def _url_steps(column: str, part: Observes, entries: Sequence[_Entry]) -> list[str]:
    text = f'trim(@"\\s+", {column})'
    default = (
        '(UrlScheme in ("", "http", "ws") and UrlPort == "80") '
        'or (UrlScheme in ("", "https", "wss") and UrlPort == "443") '
        'or (UrlScheme == "ftp" and UrlPort == "21")'
    )
    return [
        _prefilter(column, [e.lookup for e in entries]),
        f'extend UrlScheme = tolower(extract(@"^({_SCHEME})://", 1, {text})), '
        f'UrlRest = extract(@"^(?:{_SCHEME}://|//)?([^#]*)", 1, {text})',
        'extend UrlAuthority = tolower(extract(@"^(?:[^/?]*@)?([^/?]*)", 1, UrlRest)), '
        'UrlTail = extract(@"^[^/?]*(.*)$", 1, UrlRest)',
        'extend ObservedName = trim_end(@"\\.+", extract(@"^([^:]*)", 1, UrlAuthority)), '
        'UrlPort = extract(@":([0-9]+)$", 1, UrlAuthority)',
        f'extend UrlPort = iff({default}, "", UrlPort), '
        'UrlTail = case(UrlTail startswith "/", UrlTail, UrlTail != "" or UrlScheme != "", '
        'strcat("/", UrlTail), "")',
        f"mv-expand Candidate = {_candidates('ObservedName', entries)} to typeof(string)",
        'where Candidate != ""',
        _JOIN.format("Candidate"),
        "extend Match = case("
        'IndicatorType == "domain" and Candidate == ObservedName, "exact", '
        'IndicatorType == "domain", iff(IsShared, "", "subdomain"), '
        'Candidate != ObservedName, "", '
        'UrlTail == "", iff(IsShared, "", "url-host"), '
        'UrlPort != IndicatorPort, "", '
        'UrlTail == IndicatorPath, "url", '
        'IsShared and IndicatorPath == "/", "", '
        "UrlTail startswith_cs IndicatorPath and ("
        'IndicatorPath endswith "/" or IndicatorPath endswith "?" or IndicatorPath endswith "&" '
        'or substring(UrlTail, strlen(IndicatorPath), 1) in ("/", "?", "#", "&")), '
        '"url-prefix", "")',
        'where Match != ""',
    ]


def _address_steps(column: str, part: Observes, entries: Sequence[_Entry]) -> list[str]:
    port = f"tostring({part.observable.port})" if part.observable.port else '""'
    return [
        *_address_prefilter(column, entries),
        f"extend ObservedAddress = parse_ipv6({column})",
        _JOIN.format("ObservedAddress"),
        f'extend Match = case(IndicatorType == "url", "url-host", {port} == IndicatorPort, '
        '"ip:port", "ip")',
    ]


def _answer_steps(column: str, part: Observes, entries: Sequence[_Entry]) -> list[str]:
    return [
        *_address_prefilter(column, entries),
        f'mv-expand Answer = split(replace_regex({column}, @"[\\s,;|\\[\\]{{}}""\']+", ","), ",") '
        "to typeof(string)",
        "extend ObservedAddress = parse_ipv6(Answer)",
        _JOIN.format("ObservedAddress"),
        'extend Match = "resolved-ip"',
    ]


def _address_prefilter(column: str, entries: Sequence[_Entry]) -> list[str]:
    """Nothing when an IPv6 indicator is there: its many spellings share no term."""
    addresses = [ipaddress.ip_address(e.lookup) for e in entries]
    mapped = [a.ipv4_mapped for a in addresses if isinstance(a, ipaddress.IPv6Address)]
    if any(one is None for one in mapped):
        return [f"where isnotempty({column})"]
    return [_prefilter(column, [str(one) for one in mapped])]


def _hash_steps(column: str, part: Observes, entries: Sequence[_Entry]) -> list[str]:
    return [
        f"where isnotempty({column})",
        f'extend ObservedHash = tolower(trim(@"\\s+", {column}))',
        f"where ObservedHash in ({string_list(dict.fromkeys(e.lookup for e in entries))})",
        _JOIN.format("ObservedHash"),
        'extend Match = "hash"',
    ]


_STEPS: dict[Shows, Callable[[str, Observes, Sequence[_Entry]], list[str]]] = {
    Shows.NAME: _name_steps,
    Shows.URL: _url_steps,
    Shows.ADDRESS: _address_steps,
    Shows.ANSWERS: _answer_steps,
    Shows.MD5: _hash_steps,
    Shows.SHA1: _hash_steps,
    Shows.SHA256: _hash_steps,
    Shows.HASH: _hash_steps,
}
