"""Sigma: judged by pySigma and its validators, and read back by it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from ipaddress import ip_address

import pytest
from sigma.collection import SigmaCollection
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import SigmaNumber, SigmaString
from sigma.validation import SigmaValidator
from sigma.validators.core import condition, logsources, metadata, modifiers, tags, values

from foxhunt.content import ContentFile, Subject, get_content
from foxhunt.errors import SourceSpan, UnsupportedError
from foxhunt.exclusions import Condition, Exclusion, Scope, parse_pattern
from foxhunt.indicators import IndicatorSet, IndicatorType, parse_ip_port, url_key
from foxhunt.rules import Rule, build_rule
from foxhunt.tables import Fact
from tests import families
from tests.golden_files import check

SETS = {
    "unknown_rat": families.unknown_rat,
    "every_type": families.every_type,
    "hostile": families.hostile,
}
# Those that need no list from the network, and do not object to what makes a value exact.
VALIDATORS = {
    condition.AllOfThemConditionValidator,
    condition.DanglingConditionValidator,
    condition.DanglingDetectionValidator,
    logsources.FieldnameLogsourceValidator,
    logsources.SpecificInsteadOfGenericLogsourceValidator,
    metadata.CustomAttributesValidator,
    metadata.DuplicateReferencesValidator,
    metadata.DuplicateTitleValidator,
    metadata.IdentifierExistenceValidator,
    metadata.IdentifierUniquenessValidator,
    modifiers.InvalidModifierCombinationsValidator,
    tags.DuplicateTagValidator,
    tags.NamespaceTagValidator,
    tags.TagFormatValidator,
    values.ControlCharacterValidator,
    values.DoubleWildcardValidator,
    values.NumberAsStringValidator,
    values.WildcardsInsteadOfModifiersValidator,
}


def rule_of(name: str) -> Rule:
    indicators = SETS[name]()
    family = indicators.families()[0]
    return build_rule(family.name, family.malware, indicators.where(families=[family.malware]))


def files_of(rule: Rule) -> dict[str, ContentFile]:
    return {file.name: file for file in get_content("sigma")(Subject(rule=rule))}


def parsed(file: ContentFile) -> SigmaRule:
    (rule,) = SigmaCollection.from_yaml(file.text).rules
    assert isinstance(rule, SigmaRule)
    return rule


@pytest.mark.parametrize("name", ["every_type", "hostile"])
def test_golden_files(name: str) -> None:
    for file in files_of(rule_of(name)).values():
        check(f"content/sigma/{name}.{file.name}", file.text)


@pytest.mark.parametrize("name", SETS)
def test_pysigma_reads_every_rule_and_finds_nothing_wrong(name: str) -> None:
    validator = SigmaValidator(VALIDATORS)
    rules = [parsed(file) for file in files_of(rule_of(name)).values()]

    assert rules
    assert [issue for rule in rules for issue in validator.validate_rule(rule)] == []
    assert validator.finalize() == []
    assert all(len(rule.title) <= 110 for rule in rules)


def items(rule: SigmaRule) -> Iterator[SigmaDetectionItem]:
    for detection in rule.detection.detections.values():
        for item in detection.detection_items:
            assert not isinstance(item, SigmaDetection)
            yield item


def plain(value: SigmaString) -> str:
    return "".join(part for part in value.s if isinstance(part, str))


def read_back(file: ContentFile, field: str, *, wildcard: bool) -> set[str]:
    """The values of a field as pySigma reads them, with or without a wildcard at an end."""
    return {
        plain(value)
        for item in items(parsed(file))
        if item.field == field
        for value in item.value
        if isinstance(value, SigmaString) and value.contains_special() is wildcard
    }


@pytest.mark.parametrize("name", ["every_type", "hostile"])
def test_values_are_read_back_as_they_went_in(name: str) -> None:
    rule, found = rule_of(name), files_of(rule_of(name))

    def of_type(type_: IndicatorType) -> set[str]:
        return {one.value for one in rule.indicators if one.type is type_}

    names = of_type(IndicatorType.DOMAIN)
    for source, field in (
        ("dns-query", "QueryName"),
        ("dns", "query"),
        ("proxy-host", "cs-host"),
        ("connection-host", "DestinationHostname"),
    ):
        if names:
            assert read_back(found[f"sigma-{source}.yml"], field, wildcard=False) == names
    keys = [key for value in of_type(IndicatorType.URL) if (key := url_key(value))]
    urls = {f"{scheme}{key}" for key in keys for scheme in ("", "http://", "https://")}
    assert read_back(found["sigma-proxy-url.yml"], "c-uri", wildcard=False) == urls


def test_hashes_are_read_back_with_their_algorithm() -> None:
    found = files_of(rule_of("every_type"))
    hashes = {
        f"{name}={one.value.upper()}"
        for name, type_ in (
            ("MD5", IndicatorType.MD5),
            ("SHA1", IndicatorType.SHA1),
            ("SHA256", IndicatorType.SHA256),
        )
        for one in families.every_type()
        if one.type is type_
    }

    for key, field in (
        ("process", "Hashes"),
        ("image", "Hashes"),
        ("file", "Hashes"),
        ("stream", "Hash"),
    ):
        assert read_back(found[f"sigma-{key}.yml"], field, wildcard=True) == hashes


def test_a_port_belongs_to_its_addresses_and_a_connection_goes_out() -> None:
    found = files_of(rule_of("every_type"))
    pairs = set()
    for detection in parsed(found["sigma-connection.yml"]).detection.detections.values():
        by_field = {
            item.field: item.value
            for item in detection.detection_items
            if isinstance(item, SigmaDetectionItem)
        }
        (port,) = by_field["DestinationPort"]
        assert isinstance(port, SigmaNumber)
        assert by_field["Initiated"] == [SigmaString("true")]
        pairs |= {(ip_address(str(text)), port.number) for text in by_field["DestinationIp"]}

    assert pairs == {
        parse_ip_port(one.value)
        for one in families.every_type()
        if one.type is IndicatorType.IP_PORT
    }


def test_ipv6_is_found_as_sysmon_writes_it() -> None:
    text = files_of(rule_of("every_type"))["sigma-connection.yml"].text

    assert "    - 2a02:4780:0:0:0:0:0:1\n" in text


def test_a_file_says_how_much_of_the_family_it_looks_for_and_what_no_file_does() -> None:
    text = files_of(rule_of("every_type"))["sigma-dns.yml"].text
    reason = "cannot be written in this format"

    assert text.startswith(
        "# ThreatFox: Unknown RAT (win.unknown_rat), 11 indicators\n# This file: 3 of them\n"
        f"# Left out: 1 envelope_from ({reason}); 1 sha3_384_hash ({reason})\n"
    )


def test_exclusions_that_do_not_travel_are_counted() -> None:
    exclusion = Exclusion(
        id="lab",
        scenario="test-environment",
        reason="the lab",
        owner="us@good-company.org",
        expires=date(2999, 1, 1),
        scope=Scope(families=("*",), types=("*",), tables=("*",)),
        when=Condition(Fact.HOST, parse_pattern(Fact.HOST, "lab-*")),
        at=SourceSpan("ours.yaml", 1),
    )
    subject = Subject(rule=rule_of("unknown_rat"), exclusions=(exclusion, exclusion))

    assert all(
        "# Your 2 exclusions are not in it\n" in file.text for file in get_content("sigma")(subject)
    )


def test_the_same_family_keeps_its_ids_when_its_indicators_change() -> None:
    def ids(indicators: IndicatorSet) -> set[str]:
        rule = build_rule("Rat", "win.rat", indicators)
        return {str(parsed(file).id) for file in files_of(rule).values()}

    one = families.indicator(IndicatorType.DOMAIN, "evil.org", 1)
    two = families.indicator(IndicatorType.DOMAIN, "worse.org", 2)

    assert ids(IndicatorSet.of([one])) == ids(IndicatorSet.of([one, two]))


def test_a_long_or_hostile_name_of_a_family_is_one_line_of_a_title() -> None:
    name = "*/ \n'\"{{x}} \u202e" + "x" * 500
    one = families.indicator(IndicatorType.DOMAIN, "evil.org", malware_printable=name)
    rule = build_rule(name, "win.rat", IndicatorSet.of([one]))

    for file in files_of(rule).values():
        read = parsed(file)
        assert len(read.title) <= 110
        assert read.title.isprintable()


@pytest.mark.parametrize("format_name", ["sigma", "splunk", "esql"])
def test_a_family_that_no_log_source_shows_is_refused(format_name: str) -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    subject = Subject(rule=build_rule("Mail", "win.mail", IndicatorSet.of([mail])))

    with pytest.raises(UnsupportedError, match="nothing of Mail can be said"):
        list(get_content(format_name)(subject))


def test_sigma_needs_no_pysigma(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "sigma"]:
        monkeypatch.setitem(sys.modules, module, None)
    for module in ("foxhunt.content.sigma", "foxhunt.content.sigma_detection"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    assert files_of(rule_of("every_type"))
