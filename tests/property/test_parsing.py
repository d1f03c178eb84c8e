"""Parsing: canonical or refused, whatever the text; and showing loses nothing."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from foxhunt.errors import ParseError
from foxhunt.indicators import IndicatorType, canonical_name, defang, parse, refang

from ..strategies import domain_names, hostile_text, indicator_texts

TYPES = st.sampled_from(list(IndicatorType))


@given(indicator_texts())
def test_what_a_feed_lists_parses_to_a_value_that_parses_to_itself(
    typed: tuple[IndicatorType, str],
) -> None:
    type_, text = typed
    value = parse(text, type_)

    assert parse(value, type_) == value


@given(hostile_text(), TYPES)
@example("[" * 8_000 + "." + "]" * 8_000, IndicatorType.ENVELOPE_FROM)
@example("[\\" * 10 + "[.]" + "]" * 10, IndicatorType.ENVELOPE_FROM)
@example("hxxp [:] //evil.org", IndicatorType.URL)
@example("http://evil.org/" + "\u00fc" * 16_000, IndicatorType.URL)
@example("\u0130.org", IndicatorType.DOMAIN)
@example("http://evil.org/x\ud800", IndicatorType.URL)
def test_hostile_text_is_refused_or_canonical(text: str, type_: IndicatorType) -> None:
    """No other exception escapes, and nothing half-canonical gets through."""
    try:
        value = parse(text, type_)
    except ParseError:
        return

    assert parse(value, type_) == value
    assert value.isprintable()


@given(hostile_text(), TYPES)
def test_a_huntable_value_is_plain_ascii(text: str, type_: IndicatorType) -> None:
    """Its comparison depends on no table of Unicode, and it holds no blank."""
    try:
        value = parse(text, type_)
    except ParseError:
        return

    assert not type_.is_huntable or (value.isascii() and " " not in value)


@given(indicator_texts())
def test_refanging_undoes_defanging(typed: tuple[IndicatorType, str]) -> None:
    type_, text = typed
    value = parse(text, type_)

    assert refang(defang(value)) == value


@given(indicator_texts())
def test_what_is_shown_can_be_pasted_back(typed: tuple[IndicatorType, str]) -> None:
    type_, text = typed
    value = parse(text, type_)

    assert parse(defang(value), type_) == value


@given(indicator_texts())
def test_a_canonical_value_needs_no_refanging(typed: tuple[IndicatorType, str]) -> None:
    type_, text = typed
    value = parse(text, type_)

    assert refang(value) == value


@given(hostile_text())
def test_no_text_makes_defanging_or_refanging_fail(text: str) -> None:
    defang(text)
    refang(text)


@given(domain_names(), st.sampled_from(["", ".", "..", "\u3002"]), st.data())
def test_a_logged_name_reads_as_the_indicator_does(
    name: str, end: str, data: st.DataObject
) -> None:
    """R1: neither case, nor trailing dots, nor blanks around make another name of it."""
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    mixed = "".join(c.upper() if up else c for c, up in zip(name, flips, strict=True))

    assert canonical_name(f" {mixed}{end} ") == name


@given(hostile_text())
def test_no_logged_name_makes_reading_it_fail(text: str) -> None:
    assert canonical_name(text) == canonical_name(text).lower()
