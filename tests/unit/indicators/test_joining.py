"""What engines join with, in bulk: what the plain function says of each value."""

from __future__ import annotations

from importlib import resources

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.indicators import IndicatorType, is_shared
from foxhunt.indicators.domains import shared_services
from foxhunt.indicators.joining import Lookup, lookup_of, lookups_of

from .test_regular import KINDS, TEXTS, plain


def test_each_type_is_looked_up_by_what_a_log_shows_of_it() -> None:
    assert lookup_of(IndicatorType.DOMAIN, "duckdns.org") == Lookup("duckdns.org", is_shared=True)
    assert lookup_of(IndicatorType.IP_PORT, "[2a00::1]:8443") == Lookup("2a00::1", "8443")
    assert lookup_of(IndicatorType.URL, "https://evil.org:8080/a?b") == Lookup(
        "evil.org", "8080", "/a?b"
    )
    assert lookup_of(IndicatorType.MD5, "ab") == Lookup("ab")
    assert lookup_of(IndicatorType.BODY_FROM, "a@b.org") == Lookup()


@settings(max_examples=150)
@given(KINDS, st.lists(TEXTS, max_size=6))
def test_every_value_has_the_lookup_that_the_plain_function_gives_it(
    kind: IndicatorType, texts: list[str]
) -> None:
    values = [value for text in texts if (value := plain(text, kind)) is not None]

    found = lookups_of(kind, pa.array([*values, None], pa.string())).to_pylist()

    expected = [lookup_of(kind, value) for value in values]
    assert [Lookup(**row) for row in found[:-1]] == expected
    assert found[-1]["lookup"] is None


def test_every_public_suffix_and_shared_service_is_known_with_its_neighbours() -> None:
    """Each rule's own name, names below it and its parent: where a wildcard may reach."""
    listed = resources.files("publicsuffixlist").joinpath("public_suffix_list.dat")
    rules = [
        line.split(" ")[0].lstrip("!").removeprefix("*.")
        for raw in listed.read_text("utf-8").splitlines()
        if (line := raw.strip()) and not line.startswith("//")
    ]
    some = rules[::3] + [rule for rule in rules if "." in rule][-200:]
    names = [rule.encode("idna").decode("ascii") for rule in some] + sorted(shared_services())
    near = [f"{below}{name}" for name in names for below in ("", "x.", "y.x.")]
    near += ["kobe.jp", "city.kobe.jp", "a.kobe.jp", "b.a.kobe.jp", "x.ck", "www.ck", "ck"]

    found = lookups_of(IndicatorType.DOMAIN, pa.array(near)).field("is_shared").to_pylist()

    assert found == [is_shared(name) for name in near]
    assert 0 < sum(found) < len(near)
