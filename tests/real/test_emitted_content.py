"""Every family of a real feed: the emitted KQL finds in generated logs what the engine finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from foxhunt.feeds import read_indicators
from foxhunt.indicators import IndicatorSet, IndicatorType, parse_ip_port
from foxhunt.rules import MatchMode
from tests.differential.harness import by_engine, by_exact_kql
from tests.differential.reference import Row

START = datetime(2026, 7, 10)
# Of each type and family, and families in a query: what duckdb-kql makes of a query takes half a
# second, and grows with the square of its lists.
MOST = 1
TOGETHER = 8


def chosen(indicators: IndicatorSet, *types: IndicatorType) -> IndicatorSet:
    """The first indicators of each type."""
    return IndicatorSet.of(
        one
        for type_ in types
        for _, one in zip(range(MOST), (i for i in indicators if i.type is type_), strict=False)
    )


def dns_rows(indicators: IndicatorSet) -> Iterator[Row]:
    """For each domain the name, one below it, and three that only look like it."""
    for one in indicators:
        if one.type is IndicatorType.DOMAIN:
            for name in (
                *(one.value, f"A.{one.value.upper()}.", f"not-{one.value}"),
                *(f"{one.value}.example.net", one.value[1:]),
            ):
                yield {"Name": name, "IPAddresses": ""}
        elif one.type is IndicatorType.IP_PORT:
            address = str(parse_ip_port(one.value)[0])
            yield {"Name": "cdn.example.net", "IPAddresses": f"10.0.0.1, {address}"}
            yield {"Name": "cdn.example.net", "IPAddresses": f"{address}0"}


def traffic_rows(indicators: IndicatorSet) -> Iterator[Row]:
    """Connections with the port and another, both ways; URLs that go on and that do not."""
    nothing = {"DestinationIP": "", "DestinationPort": None, "SourceIP": "10.1.1.1"}
    for one in indicators:
        if one.type is IndicatorType.IP_PORT:
            address, port = parse_ip_port(one.value)
            to = {"DestinationIP": str(address), "SourceIP": "10.1.1.1", "RequestURL": ""}
            yield {**to, "DestinationPort": port}
            yield {**to, "DestinationPort": port + 1}
            back = {"DestinationIP": "10.1.1.1", "SourceIP": str(address), "RequestURL": ""}
            yield {**back, "DestinationPort": 22}
        elif one.type is IndicatorType.URL:
            for url in (one.value, one.value + "/x?y=1", one.value + "zzz", one.value.upper()):
                yield {**nothing, "RequestURL": url}


def numbered(rows: Iterator[Row], time: str) -> list[Row]:
    return [{**row, time: START + timedelta(seconds=n)} for n, row in enumerate(rows)]


def test_all_families_are_found_alike(shared_data: Path) -> None:
    feeds = sorted((shared_data / "threatfox" / "recent").glob("*.json.gz"))
    everything, _ = read_indicators([str(feeds[-1])])
    families = [family.malware for family in everything.families()]
    events = 0
    for group in (families[n : n + TOGETHER] for n in range(0, len(families), TOGETHER)):
        members = [everything.where(families=[family]) for family in group]
        for table, rows, types in (
            ("DnsEvents", dns_rows, (IndicatorType.DOMAIN, IndicatorType.IP_PORT)),
            ("CommonSecurityLog", traffic_rows, (IndicatorType.URL, IndicatorType.IP_PORT)),
        ):
            some = IndicatorSet.union(chosen(one, *types) for one in members)
            logged = numbered(rows(some), "TimeGenerated")
            if not logged:
                continue
            found = by_engine(some, table, logged, MatchMode.EXACT, columnar=True)
            expected = {
                (
                    logged[event.row - 1]["TimeGenerated"],
                    some[event.position].value,
                    str(some[event.position].type),
                    event.kind,
                    event.verdict,
                )
                for event in found
            }

            assert by_exact_kql(some, table, logged) == expected, (group, table)
            events += len(expected)
    assert len(families) > 50
    assert events > 150
