"""Suricata rules: read by a parser, and by inverses written from Suricata's documentation."""

from __future__ import annotations

import re

import pytest
import suricataparser
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.content import Subject, get_content
from foxhunt.content.suricata import content, number
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, url_key
from foxhunt.rules import build_rule
from tests import families

SETS = {"every_type": families.every_type, "hostile": families.hostile}


def files_of(indicators: IndicatorSet, malware: str = "win.rat") -> dict[str, str]:
    subject = Subject(rule=build_rule("Rat", malware, indicators))
    return {file.name: file.text for file in get_content("suricata")(subject)}


def rules_of(*indicators: Indicator) -> list[str]:
    text = files_of(IndicatorSet.of(indicators))["suricata.rules"]
    return [line for line in text.splitlines() if not line.startswith("#")]


def url(value: str, number: int = 1) -> Indicator:
    return families.indicator(IndicatorType.URL, value, number)


def read_content(text: str) -> str:
    """Suricata's ``content``: text, and hexadecimal between bars (Suricata docs 7.0)."""
    out = b""
    for place, piece in enumerate(text.split("|")):
        out += bytes.fromhex(piece) if place % 2 else piece.encode()
    return out.decode("utf-8", "surrogatepass")


def contents(line: str) -> list[str]:
    return [read_content(text) for text in re.findall(r'content:"([^"]*)"', line)]


@given(st.text())
def test_contents_read_back(text: str) -> None:
    written = content(text)

    assert not set(written) & set('";\\:')
    assert read_content(written) == text


@pytest.mark.parametrize("name", SETS)
def test_rules_parse_and_look_for_what_went_in(name: str) -> None:
    indicators = SETS[name]()
    found = files_of(indicators)
    lines = [x for x in found["suricata.rules"].splitlines() if not x.startswith("#")]
    rules = suricataparser.parse_rules(found["suricata.rules"])

    def values(type_: IndicatorType) -> set[str]:
        return {one.value for one in indicators if one.type is type_}

    assert len(rules) == len(lines) == len({one.sid for one in rules}) > 0
    asked = {contents(one.raw)[0].removeprefix(".") for one in rules if "dns.query" in one.raw}
    assert asked == values(IndicatorType.DOMAIN)
    addresses = {tuple(one.header.split()[-2:]) for one in rules if one.header.startswith("udp")}
    assert {f"[{a}]:{p}" if ":" in a else f"{a}:{p}" for a, p in addresses} == values(
        IndicatorType.IP_PORT
    )
    paths = {contents(one.raw)[1] for one in rules if "http.uri.raw" in one.raw}
    keys = [url_key(value) for value in values(IndicatorType.URL) if value.startswith("http:")]
    assert paths == {key.path for key in keys if key}
    for type_, kind in (
        (IndicatorType.MD5, "md5"),
        (IndicatorType.SHA1, "sha1"),
        (IndicatorType.SHA256, "sha256"),
    ):
        assert set(found.get(f"suricata-{kind}.lst", "").split()) == values(type_)


def test_the_port_counts_since_no_rule_is_of_protocol_ip() -> None:
    """Suricata makes a rule of protocol ip about addresses alone, whatever its ports."""
    lines = rules_of(families.indicator(IndicatorType.IP_PORT, "45.137.22.7:443"))

    assert [line.partition(" (")[0] for line in lines] == [
        "alert tcp $HOME_NET any -> 45.137.22.7 443",
        "alert udp $HOME_NET any -> 45.137.22.7 443",
    ]
    assert all("flow:to_server;" in line for line in lines)


def test_two_families_with_one_value_have_numbers_of_their_own() -> None:
    """Suricata refuses the second rule of a number, and with it the family."""
    one = families.indicator(IndicatorType.DOMAIN, "evil.org")
    texts = [files_of(IndicatorSet.of([one]), malware) for malware in ("win.a", "win.b")]

    sids = [sid for text in texts for sid in re.findall(r"sid:(\d+)", text["suricata.rules"])]
    assert len(sids) == len(set(sids)) == 6


def test_a_value_with_two_ids_is_one_rule_that_names_both() -> None:
    lines = rules_of(
        families.indicator(IndicatorType.DOMAIN, "evil.org", 1),
        families.indicator(IndicatorType.DOMAIN, "evil.org", 2, confidence_level=50),
    )

    assert len(lines) == 3
    assert all("/ioc/1815001/" in line and "/ioc/1815002/" in line for line in lines)
    assert all("metadata:confidence 50, malware win.unknown_rat, " in line for line in lines)


def test_urls_of_one_host_over_tls_are_one_rule() -> None:
    lines = rules_of(url("https://evil.org/a", 1), url("https://evil.org/b", 2))

    assert len(lines) == 1
    assert contents(lines[0]) == ["evil.org"]
    assert "host of a URL (weak) in TLS" in lines[0]


def test_an_address_in_a_url_over_tls_is_looked_for_as_an_address() -> None:
    """TLS names no addresses: a rule on its name would never match."""
    (line,) = rules_of(url("https://185.220.101.4:8443/a/"))

    assert line.startswith("alert tcp $HOME_NET any -> 185.220.101.4 8443 ")
    assert "tls.sni" not in line


@pytest.mark.parametrize(
    ("value", "port", "host"),
    [
        ("http://evil.org/x", "80", "evil.org"),
        ("http://evil.org:8080/x", "8080", "evil.org"),
        ("http://[2a02:4780::1]/x", "80", "[2a02:4780::1]"),
    ],
)
def test_a_url_over_http_counts_on_its_own_port(value: str, port: str, host: str) -> None:
    (line,) = rules_of(url(value))

    assert line.partition(" (")[0] == f"alert http $HOME_NET any -> any {port}"
    assert contents(line) == [host, "/x"]


@pytest.mark.parametrize(
    ("indicator", "seen", "is_match"),
    [
        ("/gate", "/gate", True),
        ("/gate", "/gate/x", True),
        ("/gate", "/gate?x", True),
        ("/gate", "/gateway", False),
        ("/gate", "/x/gate", False),
        ("/gate.php?id=1", "/gate.php?id=1&x", True),
        ("/gate.php?id=1", "/gate.php?id=12", False),
        ("/a/", "/a/b", True),
        ("/a/", "/a", False),
    ],
)
def test_a_path_goes_on_at_a_border_alone(indicator: str, seen: str, is_match: bool) -> None:
    (line,) = rules_of(url(f"http://evil.org{indicator}"))
    start = contents(line)[1]
    border = re.search(r'pcre:"/(.*)/";', line)

    found = seen.startswith(start) and (border is None or re.search(border[1], seen) is not None)
    assert found is is_match


def test_a_url_too_long_for_a_rule_is_left_out_and_told() -> None:
    long = url("http://evil.org/" + "%41" * 2000)
    text = files_of(IndicatorSet.of([long, url("http://evil.org/x", 2)]))["suricata.rules"]

    assert [contents(line)[1] for line in text.splitlines() if line[0] != "#"] == ["/x"]
    assert "# Left out: 1 url (a rule would be too long" in text


def test_a_host_that_strangers_share_is_not_looked_for_over_tls() -> None:
    with pytest.raises(UnsupportedError, match=r"1 url .*strangers share"):
        rules_of(url("https://drive.google.com/uc?id=x"))


def test_numbers_that_two_rules_would_share_move_and_are_told() -> None:
    taken: dict[int, str] = {}
    first = number("key", taken)
    second = number("key", taken)

    assert second == first + 1
    assert taken == {first: "", second: f"Number {first} was taken: {second} is there instead."}


@given(st.text())
def test_numbers_fit_and_stay(key: str) -> None:
    sid = number(key, {})

    assert 3_000_000_000 <= sid < 2**32
    assert number(key, {}) == sid


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_hostile_family_name_breaks_no_rule(name: str) -> None:
    one = families.indicator(
        IndicatorType.DOMAIN, "evil.org", malware_printable=name, malware=f"win.{name}"
    )
    lines = rules_of(one)

    assert len(lines) == len(suricataparser.parse_rules("\n".join(lines))) == 3
    for parsed in suricataparser.parse_rules("\n".join(lines)):
        assert [x.name for x in parsed.options][-4:] == ["classtype", "metadata", "sid", "rev"]
