"""What is deployed to Sentinel and Defender: judged by its schema, read back, and parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from importlib import resources
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.backends import Delivery
from foxhunt.content import ContentFile, Subject, get_content
from foxhunt.content.arm import duration, escaped
from foxhunt.content.bicep import quoted, to_bicep
from foxhunt.content.detections import alerts, hunts
from foxhunt.content.yaml_text import to_yaml
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.lint.kusto import Kusto
from foxhunt.rules import MatchMode, Rule, build_rule
from foxhunt.tables import catalog
from tests import families
from tests.golden_files import check
from tests.unit.content.bicep_reader import read_resource, read_string

SETS = {
    "unknown_rat": families.unknown_rat,
    "every_type": families.every_type,
    "hostile": families.hostile,
}
FORMATS = (
    *("arm-analytics", "arm-hunting", "bicep-analytics", "bicep-hunting"),
    *("defender", "sentinel-analytics", "sentinel-hunting"),
)


def rule_of(name: str) -> Rule:
    indicators = SETS[name]()
    family = indicators.families()[0]
    return build_rule(family.name, family.malware, indicators.where(families=[family.malware]))


def files_of(name: str, format_name: str, **options: Any) -> list[ContentFile]:
    return list(get_content(format_name)(Subject(rule=rule_of(name), **options)))


def schema(name: str) -> Mapping[str, Any]:
    text = resources.files("foxhunt.lint").joinpath("schemas", f"{name}.schema.json")
    loaded: Mapping[str, Any] = json.loads(text.read_text("utf-8"))
    return loaded


def unescaped(value: object) -> object:
    """What ARM makes of a text (ARM docs, template expressions, 2025).

    One in brackets is an expression, unless a second bracket opens it: then it loses that one.
    A text that does not end with a bracket stays as it is.
    """
    if isinstance(value, str):
        is_bracketed = value.startswith("[") and value.endswith("]")
        assert not is_bracketed or value.startswith("[["), f"an expression: {value}"
        return value[1:] if is_bracketed else value
    if isinstance(value, dict):
        return {key: unescaped(inner) for key, inner in value.items()}
    return [unescaped(inner) for inner in value] if isinstance(value, list) else value


def bicep_property(text: str, name: str) -> str:
    (found,) = re.findall(rf"^\s+{name}: ('(?:[^'\\]|\\.)*')$", text, re.MULTILINE)
    return read_string(found)


def queries_in(format_name: str, files: list[ContentFile]) -> Iterator[str]:
    """The query of each file, read back by the format's own reader."""
    for file in files:
        if file.name.endswith(".yaml"):
            yield yaml.safe_load(file.text)["query"].removesuffix("\n")
        elif file.name.endswith(".bicep"):
            field = "queryText" if format_name == "defender" else "query"
            yield bicep_property(file.text, field)
        elif format_name == "defender":
            yield json.loads(file.text)["queryCondition"]["queryText"]
        else:
            (resource,) = json.loads(file.text)["resources"]
            yield str(unescaped(resource["properties"]["query"]))


@pytest.mark.parametrize("format_name", FORMATS)
def test_golden_files(format_name: str) -> None:
    for file in files_of("unknown_rat", format_name):
        if "dnsevents" in file.name or "devicenetwork" in file.name:
            check(f"content/{format_name}/{file.name}", file.text)


@pytest.mark.parametrize("delivery", [Delivery.AUTO, Delivery.TI_TABLE])
@pytest.mark.parametrize("name", SETS)
def test_yaml_keeps_to_the_schema(name: str, delivery: Delivery) -> None:
    for format_name in ("sentinel-analytics", "sentinel-hunting"):
        files = files_of(name, format_name, delivery=delivery)
        assert files
        for file in files:
            value = yaml.safe_load(file.text)
            jsonschema.validate(value, schema(format_name))
            for placeholder in re.findall(r"\{\{(\w+)\}\}", str(value.get("alertDetailsOverride"))):
                assert placeholder in value["query"]


@pytest.mark.parametrize("name", SETS)
def test_arm_keeps_to_the_schema(name: str) -> None:
    for format_name in ("arm-analytics", "arm-hunting"):
        files = files_of(name, format_name)
        assert files
        for file in files:
            jsonschema.validate(json.loads(file.text), schema("arm"))


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("name", SETS)
def test_the_query_that_is_read_back_is_the_one_that_was_compiled_and_parses(
    name: str, format_name: str, kusto: Kusto
) -> None:
    files = files_of(name, format_name)
    read = list(queries_in(format_name, files))

    assert len(read) == len(files) > 0
    if format_name != "defender":
        compiled: Callable[[Subject], Iterator[Any]] = hunts if "hunt" in format_name else alerts
        assert read == [one.query.text for one in compiled(Subject(rule=rule_of(name)))]
    for query in dict.fromkeys(read):
        assert kusto.judge(query).errors == ()


def test_entities_are_columns_of_the_result() -> None:
    found = list(hunts(Subject(rule=rule_of("every_type"))))

    assert {one.table.name for one in found} == set(catalog())
    for one in found:
        columns = {column for entity in one.entities for _, column in entity.fields}
        assert columns <= set(one.query.shown)
        assert 1 <= len(one.entities) <= 10


def ids_of(format_name: str) -> list[str]:
    return [yaml.safe_load(file.text)["id"] for file in files_of("every_type", format_name)]


def test_an_id_stays_and_ids_differ() -> None:
    ids = [*ids_of("sentinel-analytics"), *ids_of("sentinel-hunting")]

    assert len(set(ids)) == len(ids)
    assert ids == [*ids_of("sentinel-analytics"), *ids_of("sentinel-hunting")]


def test_what_no_table_shows_is_refused() -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    subject = Subject(rule=build_rule("Mail", "win.mail", IndicatorSet.of([mail])))

    for format_name in FORMATS:
        with pytest.raises(UnsupportedError, match="no table can show"):
            list(get_content(format_name)(subject))


@pytest.mark.parametrize(
    ("arm", "bicep"), [("arm-analytics", "bicep-analytics"), ("arm-hunting", "bicep-hunting")]
)
@pytest.mark.parametrize("name", SETS)
def test_bicep_twins_say_what_arm_says(name: str, arm: str, bicep: str) -> None:
    pairs = list(zip(files_of(name, arm), files_of(name, bicep), strict=True))

    assert pairs
    for template, twin in pairs:
        (resource,) = json.loads(template.text)["resources"]
        read = read_resource(twin.text)
        assert read["properties"] == unescaped(resource["properties"])
        assert f"{read['name']}')]" in resource["name"]


@pytest.mark.parametrize("name", ["[RAT]", "[[RAT]]", "[RAT] x", "[f('x')]", "[", "]", "[["])
def test_names_in_brackets_are_no_expressions(name: str) -> None:
    family = IndicatorSet.of([families.indicator(IndicatorType.DOMAIN, "texornacu.com")])
    subject = Subject(rule=build_rule(name, "win.x", family))

    for file in (*get_content("arm-analytics")(subject), *get_content("arm-hunting")(subject)):
        (resource,) = json.loads(file.text)["resources"]
        read: Any = unescaped(resource["properties"])
        assert read["displayName"].startswith(f"{name}: ")


@given(st.text("[]a'") | st.text())
def test_arm_texts_read_back(text: str) -> None:
    assert unescaped(escaped({"a": [text]})) == {"a": [text]}


def test_a_mailbox_is_no_host_and_a_machine_is_its_name_and_its_address() -> None:
    found = {one.query.key: one.entities for one in hunts(Subject(rule=rule_of("every_type")))}

    def said(key: str) -> list[tuple[str, str]]:
        return [(one.type, one.fields[0][1]) for one in found[key]]

    assert said("emailattachmentinfo-sha256")[:2] == [
        ("Mailbox", "RecipientEmailAddress"),
        ("Account", "RecipientEmailAddress"),
    ]
    assert said("commonsecuritylog-requesturl")[:2] == [
        ("Host", "SourceHostName"),
        ("IP", "SourceIP"),
    ]
    # The machine that asked is ClientIP; Computer is the DNS server.
    assert "Computer" not in {column for _, column in said("dnsevents-name")}


@pytest.mark.parametrize("format_name", ["sentinel-analytics", "arm-analytics", "bicep-analytics"])
def test_terms_raise_no_alerts(format_name: str) -> None:
    indicators = families.every_type()
    rule = build_rule("Unknown RAT", "win.unknown_rat", indicators, MatchMode.TERM)

    with pytest.raises(UnsupportedError, match="terms cannot raise alerts"):
        list(get_content(format_name)(Subject(rule=rule)))


def test_a_name_is_the_family_and_the_column_and_what_is_looked_for_is_described() -> None:
    found = {one.name: one for one in hunts(Subject(rule=rule_of("unknown_rat")))}

    assert "for names that" in found["Unknown RAT: DeviceNetworkEvents.RemoteUrl"].description


def named(name: str, label: str, **options: Any) -> list[str]:
    family = IndicatorSet.of(
        [
            families.indicator(IndicatorType.DOMAIN, f"texornacu{number}.com", number)
            for number in range(600)
        ]
    )
    return [one.name for one in hunts(Subject(rule=build_rule(name, label, family), **options))]


def test_names_stay_short_and_apart_for_long_families_and_their_parts() -> None:
    long = "A family whose publisher gave it a name of many words"
    names = [
        *named(f"{long} one", "win.one", delivery=Delivery.PARTS),
        *named(f"{long} two", "win.two", delivery=Delivery.PARTS),
        *named("Agent Tesla", "win.agent_tesla"),
    ]

    assert max(map(len, names)) <= 50
    assert len(set(names)) == len(names)
    assert any(name.endswith("DnsEvents.Name #0") for name in names)


@given(st.text())
def test_bicep_literals_read_back(text: str) -> None:
    assert read_string(quoted(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_yaml_texts_read_back(text: str) -> None:
    assert yaml.safe_load(to_yaml({"query": text})) == {"query": text}


def test_bicep_refuses_what_it_has_no_form_for() -> None:
    with pytest.raises(TypeError, match="no Bicep for float"):
        to_bicep({"x": 1.5})


def test_durations() -> None:
    assert [duration(timedelta(hours=hours)) for hours in (1, 24, 336)] == ["PT1H", "P1D", "P14D"]


def long_names(more: int) -> Rule:
    """450 domains whose names have so many characters more than they need."""
    pads = [min(50, max(0, more - 50 * number)) for number in range(450)]
    names = [(IndicatorType.DOMAIN, f"{'x' * pad}d{n:03}.evil.com") for n, pad in enumerate(pads)]
    return build_rule("Fox", "win.fox", families.indicator_set(*names))


@pytest.mark.parametrize("length", [9_999, 10_000, 10_001])
def test_a_query_that_just_fits_has_room_for_the_line_break_that_yaml_ends_it_with(
    length: int,
) -> None:
    (query,) = (
        h.query for h in hunts(Subject(rule=long_names(0))) if h.query.key == "dnsevents-name"
    )
    rule = long_names(length - len(query.text))

    files = get_content("sentinel-hunting")(Subject(rule=rule))

    texts = [yaml.safe_load(file.text)["query"] for file in files if "dnsevents-name" in file.name]
    assert len(texts) == (1 if length < 10_000 else 2)
    assert max(map(len, texts)) <= 10_000
