"""KQL for Microsoft Sentinel, Defender XDR and Azure Data Explorer.

Exact mode says R1, R2, R4 and R5 in KQL: a ``has_any`` that the text index can answer,
then the value canonicalised and joined with the indicators, so that every row carries
the indicator it met. Term mode is what the rule pages print (R9, DESIGN 5).

The text keeps to what Microsoft's parser accepts and duckdb-kql runs; the latter has no
``mv-apply``, ``has_any_ipv4`` or ``ipv6_compare`` (1.1.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from foxhunt.backends import Emission, Query, TimeBound
from foxhunt.backends.kql_exact import exact_queries
from foxhunt.backends.kql_exclusions import exclude
from foxhunt.backends.kql_text import comment, string_list
from foxhunt.backends.kql_urls import functions_used
from foxhunt.exclusions import Exclusion
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules import MatchMode, Rule, Search, term_value
from foxhunt.tables import get_table

# DESIGN 5: table -> name of the list, lines of the filter, heading, columns shown.
_TERM = {
    "CommonSecurityLog": (
        "malicious_ips",
        "where DestinationIP in (malicious_ips) or SourceIP in (malicious_ips)",
        "Hunt for network connections to known malicious IPs",
        "TimeGenerated, SourceIP, DestinationIP, DestinationPort, DeviceAction, Activity",
    ),
    "DeviceNetworkEvents": (
        "malicious_ips",
        "where RemoteIP in (malicious_ips)",
        "Hunt for device connections to known malicious IPs",
        "Timestamp, DeviceName, RemoteIP, RemotePort, InitiatingProcessFileName, ActionType",
    ),
    "DnsEvents": (
        "malicious_domains",
        "where Name has_any (malicious_domains)",
        "Hunt for DNS queries to known malicious domains",
        "TimeGenerated, Computer, Name, IPAddresses, QueryType",
    ),
    "UrlClickEvents": (
        "malicious_urls",
        "where Url has_any (malicious_urls)",
        "Hunt for clicks on known malicious URLs",
        "Timestamp, AccountUpn, Url, ActionType, IsClickedThrough",
    ),
    "DeviceFileEvents": (
        "malicious_hashes",
        "where SHA256 in (malicious_hashes) or SHA1 in (malicious_hashes) "
        "or MD5 in (malicious_hashes)",
        "Hunt for files with known malicious hashes",
        "Timestamp, DeviceName, FileName, FolderPath, SHA256, InitiatingProcessFileName",
    ),
}


def compile_rule(
    rule: Rule,
    exclusions: Sequence[Exclusion] = (),
    emission: Emission = Emission(),  # noqa: B008 - frozen
) -> Iterator[Query]:
    """See `Backend.compile_rule`."""
    if rule.mode is MatchMode.TERM:
        # As the pages have them: whoever runs one bounds its time.
        unbound = replace(emission, bound=TimeBound.RUNNER)
        for search in rule.searches:
            yield _term_query(rule, search, exclusions, unbound)
    else:
        yield from exact_queries(rule, exclusions, emission)


def _term_query(
    rule: Rule, search: Search, exclusions: Sequence[Exclusion], emission: Emission
) -> Query:
    name, where, heading, shown = _TERM[search.table]
    time = shown.partition(",")[0]
    values = _term_values(rule.indicators, search.types)
    # A row of these queries does not say which of the columns matched: the first stands for all.
    table, part = get_table(search.table), search.predicate.parts[0]
    excluding = exclude(rule, table, part, exclusions, emission, has_indicator=False, time=time)
    listed = f"let {name} = dynamic([{string_list(values)}]);"
    body = excluding.after([listed], [search.table, f"| {where}"])
    lines = [
        comment(heading),
        comment(f"Source: ThreatFox - {rule.name}"),
        *functions_used(body),
        *body,
        f"| project {shown}",
        f"| order by {time} desc",
    ]
    about = [one for one in rule.indicators if one.type in search.types]
    return Query(
        table=search.table,
        columns=tuple(part.observable.column for part in search.predicate.parts),
        heading=heading,
        text="\n".join(lines),
        key=search.table.lower(),
        shown=tuple(shown.split(", ")),
        threat_types=tuple(sorted({one.threat_type for one in about})),
        confidence=max(one.confidence_level for one in about),
    )


def _term_values(indicators: Iterable[Indicator], types: tuple[IndicatorType, ...]) -> list[str]:
    """The listed values, each once, in the set's order."""
    return list(dict.fromkeys(term_value(one) for one in indicators if one.type in types))
