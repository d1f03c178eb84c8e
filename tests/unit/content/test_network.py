"""What resolvers and sensors read: judged by named-checkzone, parsers, and inverse readings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.content import ContentFile, Subject, get_content
from foxhunt.content.zeek_intel import cell
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorSet, IndicatorType, is_shared
from foxhunt.rules import Rule, build_rule
from tests import families
from tests.golden_files import check
from tests.subjects import text_of


def hostile() -> IndicatorSet:
    """Hostile URLs, and names of the same family, whose own name is hostile too."""
    urls = list(families.hostile())
    names = ["xn--mnchen-3ya.de", "a_b.evil.org", "duckdns.org", "x." * 90 + "evil.org"]
    domains = [
        families.indicator(
            IndicatorType.DOMAIN,
            name,
            100 + number,
            malware=urls[0].malware,
            malware_printable=urls[0].malware_printable,
        )
        for number, name in enumerate(names)
    ]
    return IndicatorSet.of([*urls, *domains])


SETS = {"every_type": families.every_type, "hostile": hostile}
FORMATS = ("hosts", "rpz", "suricata", "zeek")


def rule_of(name: str) -> Rule:
    indicators = SETS[name]()
    family = indicators.families()[0]
    return build_rule(family.name, family.malware, indicators.where(families=[family.malware]))


def values(rule: Rule, *types: IndicatorType) -> set[str]:
    return {one.value for one in rule.indicators if one.type in types}


def files_of(rule: Rule, format_name: str) -> dict[str, ContentFile]:
    return {file.name: file for file in get_content(format_name)(Subject(rule=rule))}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("format_name", FORMATS)
def test_golden_files(name: str, format_name: str) -> None:
    for file in files_of(rule_of(name), format_name).values():
        check(f"content/{format_name}/{name}.{file.name}", file.text)


@pytest.mark.parametrize("format_name", FORMATS)
def test_nothing_to_say_is_refused(format_name: str) -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    subject = Subject(rule=build_rule("Mail", "win.mail", IndicatorSet.of([mail])))

    with pytest.raises(UnsupportedError, match="nothing of Mail can be said: 1 envelope_from"):
        list(get_content(format_name)(subject))


@pytest.mark.parametrize("name", SETS)
def test_a_hosts_file_holds_the_names_and_no_other_line(name: str) -> None:
    rule = rule_of(name)
    lines = [x for x in text_of(rule, "hosts").splitlines() if not x.startswith("#")]

    assert [line.split()[0] for line in lines] == ["0.0.0.0"] * len(lines)  # noqa: S104 - an address that blocks
    assert {line.split()[1] for line in lines} == values(rule, IndicatorType.DOMAIN)


@pytest.mark.parametrize("name", SETS)
def test_named_checkzone_loads_the_zone_and_lists_what_went_in(name: str, tmp_path: Path) -> None:
    checker = shutil.which("named-checkzone")
    if checker is None:
        pytest.skip("ZONE NOT JUDGED: named-checkzone is missing (Debian: bind9-utils)")
    rule = rule_of(name)
    zone = tmp_path / "rpz.zone"
    zone.write_text(text_of(rule, "rpz"))

    ran = subprocess.run(
        [checker, "-D", "-o", "-", "rpz.foxhunt", str(zone)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    owners = set(re.findall(r"^(\S+)\.rpz\.foxhunt\.\s.*\bCNAME\s+\.$", ran.stdout, re.MULTILINE))
    domains = values(rule, IndicatorType.DOMAIN)
    assert owners == domains | {f"*.{one}" for one in domains if not is_shared(one)}


def names_of(format_name: str, *names: str) -> tuple[str, list[str]]:
    """What a family of these names becomes: its text, and the lines that are no comment."""
    rule = build_rule(
        "Rat",
        "win.rat",
        IndicatorSet.of(
            families.indicator(IndicatorType.DOMAIN, name, number)
            for number, name in enumerate(names)
        ),
    )
    text = text_of(rule, format_name)
    return text, [line for line in text.splitlines() if line[0] not in "#;$@"]


@pytest.mark.parametrize("trigger", ["rpz-ip", "rpz-nsip", "rpz-client-ip", "rpz-nsdname"])
def test_no_reported_name_becomes_a_trigger_of_the_zone(trigger: str) -> None:
    text, records = names_of("rpz", "evil.org", f"0.0.0.0.0.{trigger}")

    assert records == ["evil.org CNAME .", "*.evil.org CNAME ."]
    assert "Left out: 1 domain (too long with the zone's own name, or ending as" in text


def test_a_name_too_long_for_the_zone_is_in_the_hosts_file_alone() -> None:
    name = "x." * 120 + "evil.org"

    assert names_of("rpz", "evil.org", name)[1] == ["evil.org CNAME .", "*.evil.org CNAME ."]
    assert names_of("hosts", name)[1] == [f"0.0.0.0 {name}"]


def test_hyphens_at_the_ends_of_labels_stay() -> None:
    _, records = names_of("rpz", "-c2-.evil.org")

    assert records == ["-c2-.evil.org CNAME .", "*.-c2-.evil.org CNAME ."]


def read_zeek(text: str) -> list[dict[str, str]]:
    """Zeek's ASCII input format: a header, tabs, ``\\x`` escapes (Zeek docs, 2025)."""
    lines = text.split("\n")
    header = next(line for line in lines if line.startswith("#fields\t")).split("\t")[1:]
    rows = []
    for line in lines:
        if line and not line.startswith("#"):
            cells = line.split("\t")
            assert len(cells) == len(header)
            plain = [re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), one) for one in cells]
            rows.append(dict(zip(header, plain, strict=True)))
    return rows


@pytest.mark.parametrize("name", SETS)
def test_zeek_reads_back_what_went_in(name: str) -> None:
    rule = rule_of(name)
    rows = read_zeek(text_of(rule, "zeek"))

    def found(type_: str) -> set[str]:
        return {row["indicator"] for row in rows if row["indicator_type"] == type_}

    assert found("Intel::DOMAIN") == values(rule, IndicatorType.DOMAIN)
    assert found("Intel::FILE_HASH") == values(
        rule, IndicatorType.MD5, IndicatorType.SHA1, IndicatorType.SHA256
    )
    assert all("://" not in one for one in found("Intel::URL"))


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_zeek_cells_read_back(text: str) -> None:
    written = cell(text)

    assert written not in ("-", "(empty)")
    assert not written.startswith("#")
    assert read_zeek(f"#fields\tx\n{written}\n") == [{"x": text}]
