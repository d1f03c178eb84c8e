"""A sieve lets through every value that, by the definition, meets an indicator; and few others."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foxhunt.engines.sieve import SIFTED, Sieve
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rules import TYPES_MET, match
from foxhunt.tables import Shows
from tests.families import indicator_set

MD5, SHA1, SHA256 = "0123456789abcdef" * 2, "ab12" * 10, "cd34" * 16
INDICATORS = indicator_set(
    (IndicatorType.DOMAIN, "evil.com"),
    (IndicatorType.DOMAIN, "t.co"),
    (IndicatorType.DOMAIN, "a.b.evil-name-of-many-letters.info"),
    (IndicatorType.DOMAIN, "sixteen-bytes.de"),
    (IndicatorType.DOMAIN, "xn--mnchen-3ya.de"),
    (IndicatorType.URL, "http://host.evil.org/x"),
    (IndicatorType.URL, "https://45.137.22.8:8443/a"),
    (IndicatorType.IP_PORT, "45.137.22.7:443"),
    (IndicatorType.IP_PORT, "[2a02:4780::1]:80"),
    (IndicatorType.MD5, MD5),
    (IndicatorType.SHA1, SHA1),
    (IndicatorType.SHA256, SHA256),
)
SEEDS = (
    *("evil.com", "t.co", "a.b.evil-name-of-many-letters.info", "sixteen-bytes.de"),
    *("xn--mnchen-3ya.de", "münchen.de", "host.evil.org", "45.137.22.7", "45.137.22.8"),
    *("758716936", "0x2d891608", "0x2d.0x89.22.8", "2a02:4780::1", "::ffff:45.137.22.7"),
    *("host.evil.org/x", "45.137.22.8:8443/a", MD5, SHA1, SHA256, "com", ""),
)
BEFORE = ("", "", "a.", "sub.", "x", "ü", "。", " ", "..", "0x", "xn--", "[", "u:p@", "good.org/")
SCHEMES = ("", "http://", "https://", "HTTPS://", "hxxp://", "tcp://", "http:/", "http:\\\\")
AFTER = (
    "",
    "",
    ".",
    "..",
    " ",
    "\u3000",
    "]",
    "%eth0",
    "/",
    "/x",
    "/x?y",
    "?a",
    "#f",
    ":8443/a",
    "@b",
)

near = st.tuples(*map(st.sampled_from, (SCHEMES, BEFORE, SEEDS, AFTER))).map("".join)
addresses = st.one_of(
    st.sampled_from(
        ("45.137.22.7", "045.137.22.7", "::ffff:45.137.22.7", "::FFFF:2d89:1607", "2a02:4780::1")
    ),
    st.sampled_from(
        ("2A02:4780:0::1", "[2a02:4780::1]", "fe80::1%eth0", "0:0:0:0:0:ffff:2d89:1607")
    ),
    st.ip_addresses().map(str),
    st.text("0123456789abcdef:.%F", max_size=20),
)
answers = st.lists(
    st.tuples(st.sampled_from(BEFORE), st.one_of(addresses, near), st.sampled_from(AFTER)).map(
        "".join
    ),
    max_size=4,
).flatmap(
    lambda items: st.sampled_from((",", ";", ", ", "|", "\t", '","', "%")).map(
        lambda by: by.join(items)
    )
)
texts = st.one_of(
    near,
    addresses,
    answers,
    near.map(str.upper),
    st.text("evil.comxn-0/:@hts \u00fc\u3002", max_size=24),
    st.none(),
)


def sieve(shows: Shows, indicators: IndicatorSet = INDICATORS) -> Sieve:
    rows = indicators.select("type", "lookup").to_pylist()
    wanted = [row["lookup"] for row in rows if row["type"] in TYPES_MET[shows]]
    return Sieve(shows, pa.array(wanted, pa.string()))


FOUR_ONLY = IndicatorSet.of(one for one in INDICATORS if ":4780" not in one.value)
SETS = {"all": INDICATORS, "no IPv6": FOUR_ONLY}
SIEVES = {(name, shows): sieve(shows, some) for name, some in SETS.items() for shows in SIFTED}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("shows", SIFTED)
@given(values=st.lists(texts, max_size=12))
@example(values=["h", "http://evil.com"])
@example(values=["http://0x2d891608", "http:/", "/evil.com"])
@settings(max_examples=150)
def test_what_meets_an_indicator_passes(shows: Shows, name: str, values: list[str | None]) -> None:
    passed = set(SIEVES[name, shows].passing(pa.array(values, pa.string())).to_pylist())
    meeting = {
        at
        for at, value in enumerate(values)
        if value and any(match(shows, value, 443, one) for one in SETS[name])
    }
    assert meeting <= passed
    assert all(values[at] for at in passed)


@pytest.mark.parametrize("shows", SIFTED)
def test_nearly_nothing_else_passes(shows: Shows) -> None:
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2_000)]
    lengths = {Shows.MD5: 32, Shows.SHA1: 40, Shows.SHA256: 64, Shows.HASH: 64}
    spelled = {
        Shows.NAME: "www.{0:.9}.com",
        Shows.URL: "https://www.{0:.9}.com/evil.com?u=http://evil.com",
        Shows.ADDRESS: "45.137.{1}.{2}",
        Shows.ANSWERS: "cdn.{0:.9}.net,45.137.{1}.{2}; 45.136.{1}.{2}",
    }
    others = [
        spelled.get(shows, "{0:." + str(lengths.get(shows, 0)) + "}").format(
            digest, 23 + number // 250, number % 250
        )
        for number, digest in enumerate(digests)
    ]
    assert len(SIEVES["all", shows].passing(pa.array(others))) < len(others) / 10


def test_a_slice_and_large_texts_are_told_apart_like_any() -> None:
    values = ["x", "evil.com", "y", "sub.evil.com", None]
    for type_ in (pa.string(), pa.large_string()):
        assert SIEVES["all", Shows.NAME].passing(pa.array(values, type_)[1:]).to_pylist() == [0, 2]


def test_no_indicator_means_that_nothing_passes_but_what_cannot_be_told() -> None:
    empty = Sieve(Shows.NAME, pa.array([], pa.string()))
    assert empty.passing(pa.array(["evil.com", "münchen.de"])).to_pylist() == [1]
    assert empty.passing(pa.array([], pa.string())).to_pylist() == []
