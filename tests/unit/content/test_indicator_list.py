"""The list for watchlists: what is read back is what went in."""

from __future__ import annotations

import csv
import io

import pytest

from foxhunt.backends.kql_indicators import CSV_COLUMNS
from foxhunt.content import Subject, get_content
from foxhunt.errors import UnsupportedError
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rules import build_rule
from tests import families
from tests.subjects import text_of


@pytest.mark.parametrize("indicators", [families.every_type(), families.hostile()])
def test_every_value_is_read_back_as_it_was(indicators: IndicatorSet) -> None:
    rule = build_rule("Rat", "win.rat", indicators)
    rows = list(csv.DictReader(io.StringIO(text_of(rule, "csv"), newline="")))

    assert tuple(rows[0]) == CSV_COLUMNS
    assert {row["Indicator"] for row in rows} == {
        one.value for one in indicators if one.type.is_huntable
    }
    assert {row["Malware"] for row in rows} == {one.malware_printable for one in indicators}
    assert {row["Shape"] for row in rows} <= {"name", "url", "address", "hash"}


def test_a_family_without_anything_to_look_for_has_no_list() -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    rule = build_rule("Mail", "win.mail", IndicatorSet.of([mail]))

    with pytest.raises(UnsupportedError, match="no indicator that a query looks for"):
        list(get_content("csv")(Subject(rule=rule)))
