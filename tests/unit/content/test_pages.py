"""Rule pages: golden files, and hostile families."""

from __future__ import annotations

import re

import pytest

from foxhunt.backends import Delivery
from foxhunt.content import Subject
from foxhunt.errors import UnsupportedError, UsageError
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rulebook import family_rule, render
from foxhunt.rules import MatchMode, build_rule
from tests import families
from tests.golden_files import check
from tests.subjects import text_of

SETS = {"unknown_rat": families.unknown_rat, "every_type": families.every_type}


@pytest.mark.parametrize("format_name", ["md", "html", "json"])
@pytest.mark.parametrize("name", SETS)
def test_golden_pages(name: str, format_name: str) -> None:
    rule = family_rule(SETS[name](), "Unknown RAT", MatchMode.EXACT)

    check(f"rules/{name}.{format_name}", text_of(rule, format_name))


def test_the_page_of_term_mode_holds_the_published_query() -> None:
    rule = family_rule(families.unknown_rat(), "unknown rat", MatchMode.TERM)
    page = text_of(rule, "md")

    check("rules/unknown_rat.term.md", page)
    assert text_of(rule, "kql").rstrip("\n") in page


@pytest.mark.parametrize("format_name", ["md", "html", "json", "kql"])
def test_hostile_families_make_pages_nonetheless(format_name: str) -> None:
    rule = family_rule(families.hostile(), "win.hostile", MatchMode.EXACT)

    page = text_of(rule, format_name)

    if format_name in ("md", "html"):
        # In Markdown a code span shows markup as text (CommonMark 0.31, 6.1).
        outside = re.sub(r"(?s)```kql.*?\n```", "", page)
        assert "<script" not in re.sub(r"(`+)[^`\n]+\1", "", outside)
    check(f"rules/hostile.{format_name}", page)


@pytest.mark.parametrize("name", ["Unknown RAT", "UNKNOWN RAT", "win.unknown_rat", "u-rat"])
def test_a_family_is_found_by_name_label_and_alias_in_any_case(name: str) -> None:
    assert family_rule(families.every_type(), name, MatchMode.EXACT).malware == "win.unknown_rat"


def test_a_name_of_two_families_is_refused_with_their_labels() -> None:
    twin = families.indicator(IndicatorType.DOMAIN, "evil.org", 7, malware="elf.unknown_rat")
    both = IndicatorSet.of([*families.unknown_rat(), twin])

    with pytest.raises(UsageError, match=r"give one label of: .*elf\.unknown_rat"):
        family_rule(both, "Unknown RAT", MatchMode.EXACT)


def test_a_family_no_table_can_show_is_refused_as_kql_not_printed_empty() -> None:
    mail = families.indicator(IndicatorType.ENVELOPE_FROM, "bill@evil.org")
    rule = build_rule("Mail", "win.mail", IndicatorSet.of([mail]))

    with pytest.raises(UnsupportedError, match="envelope_from"):
        text_of(rule, "kql")


def test_a_page_of_thousands_reads_them_from_a_table_and_says_so_unless_told_to_list_them() -> None:
    many = IndicatorSet.of(
        families.indicator(IndicatorType.DOMAIN, f"texornacu{number}.com", number)
        for number in range(2_001)
    )
    rule = family_rule(many, "Unknown RAT", MatchMode.EXACT)

    page = text_of(rule, "md")
    listed = next(iter(render(Subject(rule=rule, delivery=Delivery.INLINE), "kql"))).text

    assert "The queries read its indicators from ThreatIntelIndicators" in page
    assert "`ThreatIntelligence`" in page.partition("## Required Sentinel Tables")[2]
    assert "datatable" not in page
    assert '"texornacu2000.com"' in listed
    assert "ThreatIntelIndicators" not in listed
