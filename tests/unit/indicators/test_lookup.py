"""A look-up finds what walking the set finds, in any row groups, and never in damaged bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.errors import StoreError
from foxhunt.indicators import Indicator, IndicatorSet, is_shared, parents, url_key
from foxhunt.indicators.asked import understood
from foxhunt.indicators.conditions import (
    ActiveSince,
    Between,
    Condition,
    IsValue,
    Not,
    On,
    OneOf,
    Spelled,
)
from foxhunt.indicators.lookup import Reader, SetReader
from foxhunt.snapshot_files import snapshot_name

from .indicator_samples import FIRST, numbered, refused
from .lookup_samples import HASH, WRITTEN, every_kind, opened, reader, snapshot

ALL = every_kind()


def host(one: Indicator) -> str | None:
    """The name or address that an indicator is on."""
    key = url_key(one.value) if one.type in ("domain", "url", "ip:port") else None
    return key.host if key else None


def is_on(one: Indicator, name: str) -> bool:
    found = host(one)
    return found is not None and (found == name or found.endswith(f".{name}"))


def covers(one: Indicator, name: str) -> bool:
    above = one.type == "domain" and one.value in parents(name)[1:]
    return is_on(one, name) or (above and not is_shared(one.value))


Plain = Callable[[Indicator], bool]
CASES: list[tuple[Condition, Plain, int]] = [
    (OneOf("type", frozenset({"url"})), lambda one: one.type == "url", 4),
    (OneOf("malware", frozenset({"elf.cub", "no"})), lambda one: one.malware == "elf.cub", 1),
    (Spelled("tags", frozenset({"Rat", "x"})), lambda one: bool({"rat", "RAT"} & {*one.tags}), 2),
    (Spelled("reporter", frozenset({"ABUSE_CH"})), lambda one: one.reporter == "abuse_ch", 1),
    (Spelled("source", frozenset({"feodotracker"})), lambda one: one.source != "threatfox", 1),
    (Between("confidence_level", 50), lambda one: one.confidence_level >= 50, 15),
    (Between("first_seen", None, FIRST), lambda one: one.first_seen < FIRST, 1),
    (
        ActiveSince(FIRST + timedelta(days=1)),
        lambda one: max(one.first_seen, one.last_seen or one.first_seen) > FIRST,
        1,
    ),
    (IsValue(understood("evil[.]org")), lambda one: one.value == "evil.org", 1),
    (
        IsValue(understood("https://c2.evil.org/gate")),
        lambda one: one.value == "http://c2.evil.org/gate",
        1,
    ),
    (
        IsValue(understood("45.137.22.7")),
        lambda one: one.type == "ip:port" and one.value.startswith("45.137.22.7:"),
        2,
    ),
    (IsValue(understood(HASH.upper())), lambda one: one.value == HASH, 2),
    (IsValue(understood("spam@evil.org")), lambda one: one.value == "spam@evil.org", 1),
    (On("evil.org"), lambda one: is_on(one, "evil.org"), 5),
    (On("45.137.22.7"), lambda one: is_on(one, "45.137.22.7"), 3),
    (On("2a02:4780::1"), lambda one: is_on(one, "2a02:4780::1"), 1),
    (On("a.c2.evil.org", has_parents=True), lambda one: covers(one, "a.c2.evil.org"), 3),
    (On("me.duckdns.org", has_parents=True), lambda one: covers(one, "me.duckdns.org"), 1),
    (Not(On("evil.org")), lambda one: not is_on(one, "evil.org"), 11),
]


@pytest.mark.parametrize(("condition", "plain", "count"), CASES, ids=range(len(CASES)))
def test_a_condition_finds_what_plain_python_finds(
    condition: Condition, plain: Plain, count: int
) -> None:
    expected = [one for one in ALL if plain(one)]
    assert len(expected) == count, "the sample shows something"

    for rows in (1, 3, 100):
        assert list(reader(ALL, rows).find([condition]).indicators()) == expected
    assert list(SetReader(ALL).find([condition]).indicators()) == expected


@settings(max_examples=12)
@given(
    st.lists(st.sampled_from(CASES), max_size=3),
    st.integers(1, 20),
    st.lists(st.integers(0, 15), max_size=4),
)
def test_conditions_narrow_each_other_and_any_rows_can_be_read(
    cases: list[tuple[Condition, Plain, int]], rows: int, wanted: list[int]
) -> None:
    expected = [one for one in ALL if all(plain(one) for _, plain, _ in cases)]
    positions = [at for at in wanted if at < len(expected)]

    for looked in (reader(ALL, rows), SetReader(ALL)):
        found = looked.find([condition for condition, _, _ in cases])
        assert found.count == len(expected)
        assert found.read(["value"], None).column("value").to_pylist() == [
            one.value for one in expected
        ]
        assert list(found.indicators(positions)) == [expected[at] for at in positions]
        assert list(found.first(2)) == expected[:2]
        assert list(found.first(None)) == expected


@pytest.mark.parametrize("looked", [SetReader(ALL), reader(ALL)])
def test_refused_records_are_no_indicators_and_are_found_as_refused(looked: Reader) -> None:
    assert len(looked) == len(ALL)
    assert looked.refused("10[.]0.0.1:80") == (refused("90"),)
    assert looked.refused("EVIL.org.") == (refused("91", "evil.org"),)
    assert looked.refused("10.0.0.1") == (refused("90"),)
    assert looked.refused("10.0.0.1:8080") == ()
    assert looked.refused("c2.evil.org") == ()
    assert looked.columns(["value"]).column("value").to_pylist() == [one.value for one in ALL]


def test_bytes_that_are_no_text_are_nobodys() -> None:
    for column in ("tags", "reporter"):
        assert reader(ALL).find([Spelled(column, frozenset({"\udcff"}))]).count == 0


def test_a_set_of_nothing_is_looked_into() -> None:
    for looked in (reader(IndicatorSet.of(())), SetReader(IndicatorSet.of(()))):
        assert len(looked) == 0
        for condition, _, _ in CASES:
            assert looked.find([condition]).count == 0


def test_row_groups_that_cannot_hold_it_are_not_read() -> None:
    bounds = {"type": ("domain", "domain"), "value": ("c", "d"), "lookup": ("c", "d")}

    assert IsValue(understood("c2.evil.org")).may_hold(bounds.get)
    assert not IsValue(understood("evil.org")).may_hold(bounds.get)
    assert not IsValue(understood(HASH)).may_hold(bounds.get)
    assert On("evil.org").may_hold(bounds.get), "what is below it may begin in any way"
    assert not On("45.137.22.7").may_hold(bounds.get)


@pytest.mark.parametrize("at", range(0, 4_000, 400))
def test_a_flipped_bit_is_never_an_answer(at: int) -> None:
    name, data = snapshot(ALL)
    broken = bytearray(data)
    broken[at % len(data)] ^= 1

    with pytest.raises(StoreError, match=rf"a.parquet: H202: snapshot {name} is damaged.*go back"):
        opened(name, bytes(broken)).find([])


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\x00" * 100])
def test_what_is_no_snapshot_is_damaged(data: bytes) -> None:
    with pytest.raises(StoreError, match=r"H202: snapshot .* is damaged"):
        len(opened("20260714T082411.120345Z-5f0c3a9e1b2d4c6f", data))


def test_a_file_of_another_version_cannot_be_read() -> None:
    name = snapshot_name(b"something else", WRITTEN)
    with pytest.raises(StoreError, match=r"H202: snapshot .* cannot be read"):
        opened(name, b"something else").find([])


def test_the_first_of_many_are_read_from_their_row_group() -> None:
    many = numbered(0, 50)
    found = reader(many, 7).find([])

    assert list(found.first(9)) == list(many)[:9]
    assert list(found.indicators([49, 0, 20])) == [list(many)[at] for at in (49, 0, 20)]
