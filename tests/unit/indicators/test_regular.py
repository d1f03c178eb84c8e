"""Canonical values in bulk: what `parse` says of each text, and no text taken that it refuses."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import ParseError
from foxhunt.indicators import IndicatorType, parse
from foxhunt.indicators import regular as module
from foxhunt.indicators.domains import RESERVED
from foxhunt.indicators.regular import canonical_values

KINDS = st.sampled_from(sorted(IndicatorType))
OCTETS = st.sampled_from(
    [
        *("0", "1", "9", "10", "31", "51", "64", "88", "99", "100", "127", "128", "168", "172"),
        *("175", "192", "198", "203", "223", "224", "239", "254", "255", "256", "01", "", "0x7f"),
    ]
)
QUADS = st.lists(OCTETS, min_size=3, max_size=5).map(".".join)
PORTS = st.sampled_from(
    ["1", "80", "443", "8080", "9999", "10000", "65535", "65536", "0", "080", ""]
)
LABEL = st.sampled_from(
    [
        *("evil", "Evil", "a", "-a-", "a_b", "xn--e1acm1a", "XN--A", "0x1f", "1", "0", "a" * 63),
        *("a" * 64, "", "é", "e\u0301", "\u3002", "\u212a", "exa mple", "a%2eb", "hxxp", "dot"),
        *RESERVED,
    ]
)
NAMES = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
PATH = st.lists(
    st.sampled_from(
        [
            *"/?#&=.%'\"<>[]{}|^`\\~!$()*+,;:@ \t\n_-aZ0é",
            "..",
            "%2e",
            "%2E",
            "//",
            "a[.]b",
            "[/]",
            "\x7f",
        ]
    ),
    max_size=8,
).map("".join)
SCHEMES = st.sampled_from(
    ["http://", "https://", "HTTP://", "hxxp://", "ftp://", "http:", "//", ""]
)
URLS = st.builds(
    lambda scheme, host, port, path: (
        scheme + host + (":" + port if port is not None else "") + path
    ),
    SCHEMES,
    NAMES | QUADS,
    st.none() | PORTS,
    PATH | PATH.map(lambda path: "/" + path),
)
DIGITS = st.builds(
    lambda text, length: (text * 96)[:length],
    st.sampled_from(
        ["0", "a", "0F", "0123456789abcdef", "g", " a", "é", "d41d8cd98f00b204e9800998ecf8427e"]
    ),
    st.sampled_from([31, 32, 33, 40, 64, 96]),
)
TEXTS = st.one_of(
    NAMES,
    st.builds("{}:{}".format, QUADS, PORTS),
    URLS,
    DIGITS,
    st.text(max_size=8),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", " ", "\n", "["]),
        URLS,
        st.sampled_from(["", " ", "\n", "."]),
    ),
)


def plain(text: str, kind: IndicatorType) -> str | None:
    try:
        return parse(text, kind)
    except ParseError:
        return None


@settings(max_examples=200)
@given(
    KINDS,
    st.lists(TEXTS.filter(lambda text: text.isprintable() or "\ud800" not in text), max_size=6),
)
def test_every_text_has_the_value_that_parse_gives_it(
    kind: IndicatorType, texts: list[str]
) -> None:
    found = canonical_values(kind, pa.array([*texts, None], pa.string()))

    assert found.to_pylist() == [*(plain(text, kind) for text in texts), None]


def test_no_address_of_a_block_that_is_not_public_is_taken_by_the_pattern() -> None:
    """Python's own list, which differs between its versions."""
    known = vars(ipaddress.IPv4Address._constants)  # type: ignore[attr-defined] # nowhere else
    blocks = [known["_public_network"], known["_multicast_network"], *known["_private_networks"]]
    ends = [
        end for block in blocks for end in (block[0], block[-1], block[block.num_addresses // 2])
    ]
    texts = pa.array([f"{end}:1" for end in ends])

    assert len(blocks) >= 10
    assert module._regular(IndicatorType.IP_PORT, texts).null_count == len(ends)


def test_every_address_taken_by_its_pattern_is_public() -> None:
    texts = pa.array([f"{a}.{b}.{b}.{a}:1" for a in range(256) for b in range(0, 256, 7)])
    taken = module._regular(IndicatorType.IP_PORT, texts).drop_null().to_pylist()

    assert len(taken) > 7000
    assert taken == [plain(text, IndicatorType.IP_PORT) for text in taken]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (IndicatorType.DOMAIN, "c2.evil-site.co.uk"),
        (IndicatorType.IP_PORT, "203.1.113.7:443"),
        (IndicatorType.URL, "https://a.evil.org:8443/x/y.php?a=b&c=%20d"),
        (IndicatorType.URL, "http://203.1.113.7/x"),
        (IndicatorType.URL, "http://evil.org"),
        (IndicatorType.URL, "https://evil.org/test/local"),
        (IndicatorType.SHA256, "0F" * 32),
    ],
)
def test_common_forms_need_no_plain_function(kind: IndicatorType, text: str) -> None:
    """Or else the speed is gone, though every other test passes."""
    regular = module._regular(kind, pa.array([text]))

    assert pc.all(pc.is_valid(regular)).as_py()
