"""Sigma: judged by pySigma and its validators; SPL and ES|QL literals read back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sigma.collection import SigmaCollection
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import SigmaNumber, SigmaString
from sigma.validation import SigmaValidator
from sigma.validators.core.condition import DanglingDetectionValidator
from sigma.validators.core.metadata import (
    DuplicateReferencesValidator,
    IdentifierExistenceValidator,
)
from sigma.validators.core.values import DoubleWildcardValidator, NumberAsStringValidator

from foxhunt.content import ContentFile, Subject, get_content
from foxhunt.content.sigma import escaped
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorSet, IndicatorType, is_shared, parse_ip_port, url_key
from foxhunt.rules import Rule, build_rule
from tests import families
from tests.golden_files import check
from tests.subjects import text_of

SETS = {
    "unknown_rat": families.unknown_rat,
    "every_type": families.every_type,
    "hostile": families.hostile,
}
VALIDATORS = {
    *(DanglingDetectionValidator, DuplicateReferencesValidator, IdentifierExistenceValidator),
    *(DoubleWildcardValidator, NumberAsStringValidator),
}


def rule_of(name: str) -> Rule:
    indicators = SETS[name]()
    family = indicators.families()[0]
    return build_rule(family.name, family.malware, indicators.where(families=[family.malware]))


def files_of(name: str) -> dict[str, ContentFile]:
    return {file.name: file for file in get_content("sigma")(Subject(rule=rule_of(name)))}


def parsed(file: ContentFile) -> SigmaRule:
    (rule,) = SigmaCollection.from_yaml(file.text).rules
    assert isinstance(rule, SigmaRule)
    return rule


@pytest.mark.parametrize("name", ["every_type", "hostile"])
def test_golden_files(name: str) -> None:
    for file in files_of(name).values():
        check(f"content/sigma/{name}.{file.name}", file.text)
    for format_name in ("splunk", "esql"):
        check(f"content/{format_name}/{name}.{format_name}", text_of(rule_of(name), format_name))


@pytest.mark.parametrize("name", SETS)
def test_pysigma_reads_every_rule_and_finds_nothing_wrong(name: str) -> None:
    validator = SigmaValidator(VALIDATORS)
    rules = [parsed(file) for file in files_of(name).values()]

    assert rules
    assert [rule.errors for rule in rules] == [[]] * len(rules)
    assert [issue for rule in rules for issue in validator.validate_rule(rule)] == []
    assert len({rule.id for rule in rules}) == len(rules)


def items(rule: SigmaRule) -> Iterator[SigmaDetectionItem]:
    for detection in rule.detection.detections.values():
        for item in detection.detection_items:
            assert not isinstance(item, SigmaDetection)
            yield item


def exact_values(rule: SigmaRule, field: str) -> set[str]:
    """The values of a field that have no wildcard, as pySigma reads them."""
    return {
        _plain(value)
        for item in items(rule)
        if item.field == field
        for value in item.value
        if isinstance(value, SigmaString) and not value.contains_special()
    }


def _plain(value: SigmaString) -> str:
    return "".join(part for part in value.s if isinstance(part, str))


@pytest.mark.parametrize("name", ["every_type", "hostile"])
def test_values_are_read_back_as_they_went_in(name: str) -> None:
    rule, found = rule_of(name), files_of(name)

    def values(type_: IndicatorType) -> set[str]:
        return {one.value for one in rule.indicators if one.type is type_}

    names = values(IndicatorType.DOMAIN)
    for file, field in (("dns-query", "QueryName"), ("dns", "query"), ("proxy-host", "cs-host")):
        if names:
            assert exact_values(parsed(found[f"sigma-{file}.yml"]), field) == names
    keys = [key for value in values(IndicatorType.URL) if (key := url_key(value))]
    urls = {f"{scheme}{key}" for key in keys for scheme in ("", "http://", "https://")}
    assert exact_values(parsed(found["sigma-proxy-url.yml"]), "c-uri") == urls


def test_only_names_that_are_not_shared_match_what_is_below_them() -> None:
    names = ["evil.org", "duckdns.org"]
    indicators = IndicatorSet.of(
        families.indicator(IndicatorType.DOMAIN, name, n) for n, name in enumerate(names)
    )
    subject = Subject(rule=build_rule("Rat", "win.rat", indicators))
    rule = parsed(next(iter(get_content("sigma")(subject))))
    below = {
        _plain(value)
        for item in items(rule)
        for value in item.value
        if isinstance(value, SigmaString) and value.contains_special()
    }

    assert below == {f".{name}" for name in names if not is_shared(name)}


def test_a_port_belongs_to_its_addresses() -> None:
    found = files_of("every_type")
    pairs = set()
    for detection in parsed(found["sigma-connection.yml"]).detection.detections.values():
        by_field = {
            item.field: item.value
            for item in detection.detection_items
            if isinstance(item, SigmaDetectionItem)
        }
        (port,) = by_field["DestinationPort"]
        assert isinstance(port, SigmaNumber)
        pairs |= {(str(address), port.number) for address in by_field["DestinationIp"]}

    assert pairs == {
        (str(address), port)
        for address, port in (
            parse_ip_port(one.value)
            for one in families.every_type()
            if one.type is IndicatorType.IP_PORT
        )
    }


@given(st.text(min_size=1))
def test_an_escaped_text_has_no_wildcard_and_reads_back(text: str) -> None:
    value = SigmaString(escaped(text))

    assert not value.contains_special()
    assert _plain(value) == text


_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


@pytest.mark.parametrize("format_name", ["splunk", "esql"])
def test_literals_of_other_languages_read_back(format_name: str) -> None:
    rule = rule_of("hostile")
    text = text_of(rule, format_name)
    literals = {re.sub(r"\\(.)", r"\1", found) for found in _LITERAL.findall(text)}

    for one in rule.indicators:
        if one.type is IndicatorType.URL and (key := url_key(one.value)):
            assert f"http://{key}" in literals


@pytest.mark.parametrize("format_name", ["sigma", "splunk", "esql"])
def test_a_family_that_no_log_source_shows_is_refused(format_name: str) -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    subject = Subject(rule=build_rule("Mail", "win.mail", IndicatorSet.of([mail])))

    with pytest.raises(UnsupportedError, match="nothing of Mail can be said"):
        list(get_content(format_name)(subject))
