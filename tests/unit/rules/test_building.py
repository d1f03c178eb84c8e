"""Rules: which tables and columns a family's indicators are looked up in."""

from __future__ import annotations

from collections.abc import Iterator

from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rules import MatchMode, Rule, build_rule, build_rules
from foxhunt.tables import catalog
from tests.families import indicator, indicator_set

VALUES = {
    IndicatorType.DOMAIN: "texornacu.com",
    IndicatorType.URL: "http://evil.org/gate",
    IndicatorType.IP_PORT: "45.137.22.7:443",
    IndicatorType.MD5: "ab" * 16,
    IndicatorType.SHA1: "ab" * 20,
    IndicatorType.SHA256: "ab" * 32,
    IndicatorType.SHA3_384: "ab" * 48,
    IndicatorType.ENVELOPE_FROM: "mail@evil.org",
    IndicatorType.BODY_FROM: "mail@evil.org",
}


def rule_of(*types: IndicatorType, mode: MatchMode = MatchMode.EXACT) -> Rule:
    indicators = indicator_set(*((type_, VALUES[type_]) for type_ in types))
    return build_rule("Fox", "win.fox", indicators, mode)


def looked_up(rule: Rule) -> Iterator[str]:
    """``table: column: types`` of every part, in order."""
    for search in rule.searches:
        for part in search.predicate.parts:
            yield f"{search.table}: {part.observable.column}: {' '.join(part.types)}"


def test_a_domain_is_looked_up_where_names_and_urls_are() -> None:
    """DESIGN 5, row "domain"."""
    assert list(looked_up(rule_of(IndicatorType.DOMAIN))) == [
        "CommonSecurityLog: DestinationHostName: domain",
        "CommonSecurityLog: RequestURL: domain",
        "DeviceNetworkEvents: RemoteUrl: domain",
        "DnsEvents: Name: domain",
        "UrlClickEvents: Url: domain",
        "DeviceFileEvents: FileOriginUrl: domain",
        "ASimDnsActivityLogs: DnsQuery: domain",
        "ASimNetworkSessionLogs: DstFQDN: domain",
        "ASimNetworkSessionLogs: DstHostname: domain",
        "EmailUrlInfo: Url: domain",
        "EmailUrlInfo: UrlDomain: domain",
    ]


def test_every_type_that_a_table_can_show_has_one() -> None:
    for type_ in IndicatorType:
        assert bool(rule_of(type_).searches) is type_.is_huntable


def test_searches_are_in_the_catalogs_order() -> None:
    tables = [search.table for search in rule_of(*VALUES).searches]

    assert tables == [name for name in catalog() if name in tables]
    assert len(tables) == len(set(tables)) == len(catalog())


def test_a_part_lists_only_types_that_the_rule_has() -> None:
    search = rule_of(IndicatorType.URL, IndicatorType.MD5).search("CommonSecurityLog")

    assert search is not None
    assert search.types == (IndicatorType.URL, IndicatorType.MD5)


def test_a_table_the_rule_is_not_about_has_no_search() -> None:
    assert rule_of(IndicatorType.MD5).search("DnsEvents") is None


def test_term_mode_keeps_to_the_five_queries_of_the_pages() -> None:
    assert list(looked_up(rule_of(*VALUES, mode=MatchMode.TERM))) == [
        "CommonSecurityLog: DestinationIP: ip:port",
        "CommonSecurityLog: SourceIP: ip:port",
        "DeviceNetworkEvents: RemoteIP: ip:port",
        "DnsEvents: Name: domain",
        "UrlClickEvents: Url: url",
        "DeviceFileEvents: SHA256: md5_hash sha1_hash sha256_hash",
        "DeviceFileEvents: SHA1: md5_hash sha1_hash sha256_hash",
        "DeviceFileEvents: MD5: md5_hash sha1_hash sha256_hash",
    ]


def test_term_mode_has_a_query_only_for_what_the_family_has() -> None:
    rule = rule_of(IndicatorType.DOMAIN, mode=MatchMode.TERM)

    assert list(looked_up(rule)) == ["DnsEvents: Name: domain"]


def test_one_rule_a_family_in_the_order_of_their_names() -> None:
    domain = IndicatorType.DOMAIN
    indicators = IndicatorSet.of(
        [
            indicator(domain, "a.org", source_id="1", malware="win.b", malware_printable="zeta"),
            indicator(domain, "b.org", source_id="2", malware="win.a", malware_printable="Beta"),
            indicator(domain, "c.org", source_id="3", malware="win.b", malware_printable="zeta"),
        ]
    )

    rules = list(build_rules(indicators))

    assert [(rule.name, rule.malware, len(rule.indicators)) for rule in rules] == [
        ("Beta", "win.a", 1),
        ("zeta", "win.b", 2),
    ]


def test_nothing_to_look_for_is_a_rule_without_searches() -> None:
    assert build_rule("Fox", "*", IndicatorSet.of([])).searches == ()
    assert list(build_rules(IndicatorSet.of([]))) == []
