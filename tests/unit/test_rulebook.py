"""Rule pages and folders of them: golden pages, determinism, only what changed, what is gone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from foxhunt.errors import UnsupportedError, UsageError
from foxhunt.indicators import IndicatorSet, IndicatorType
from foxhunt.rulebook import as_kql, family_rule, folder_name, render_rule, write_rules
from foxhunt.rules import MatchMode, build_rule, build_rules
from tests import families
from tests.golden_files import check

SETS = {"unknown_rat": families.unknown_rat, "every_type": families.every_type}


def two_families() -> IndicatorSet:
    """Unknown RAT and a family with one hash."""
    other = families.indicator(
        IndicatorType.SHA256, families.SHA256, 9, malware="win.other", malware_printable="Other"
    )
    return IndicatorSet.of([*families.unknown_rat(), other])


@pytest.mark.parametrize("format_name", ["md", "html", "json"])
@pytest.mark.parametrize("name", SETS)
def test_golden_pages(name: str, format_name: str) -> None:
    rule = family_rule(SETS[name](), "Unknown RAT", MatchMode.EXACT)

    check(f"rules/{name}.{format_name}", render_rule(rule, format_name))


def test_the_page_of_term_mode_holds_the_published_query() -> None:
    rule = family_rule(families.unknown_rat(), "unknown rat", MatchMode.TERM)
    page = render_rule(rule, "md")

    check("rules/unknown_rat.term.md", page)
    assert as_kql(rule).rstrip("\n") in page


@pytest.mark.parametrize("format_name", ["md", "html", "json", "kql"])
def test_hostile_families_make_pages_nonetheless(format_name: str) -> None:
    rule = family_rule(families.hostile(), "win.hostile", MatchMode.EXACT)

    page = render_rule(rule, format_name)

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
        as_kql(rule)


def test_folders_are_written_once_and_left_alone_after(tmp_path: Path) -> None:
    out = tmp_path / "rules"
    first = write_rules(build_rules(two_families()), out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}

    again = write_rules(build_rules(two_families()), out)

    assert len(first.written) == 9
    assert (again.written, again.unchanged, again.removed) == ((), 9, ())
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert (out / "win.other" / "rule.json").is_file()


def test_only_what_changed_is_rewritten_and_what_is_gone_is_removed(tmp_path: Path) -> None:
    write_rules(build_rules(two_families()), tmp_path)
    kept = tmp_path / "win.other" / "notes.txt"
    kept.write_text("by a person")
    more = families.indicator(IndicatorType.DOMAIN, "third.org", 3)

    report = write_rules(build_rules(IndicatorSet.of([*families.unknown_rat(), more])), tmp_path)

    assert set(report.written) == {
        "index.md",
        *(f"win.unknown_rat/rule.{kind}" for kind in ("md", "html", "json", "kql")),
    }
    assert report.removed == tuple(
        f"win.other/rule.{kind}" for kind in ("html", "json", "kql", "md")
    )
    assert kept.read_text() == "by a person"
    assert sorted(p.name for p in (tmp_path / "win.other").iterdir()) == ["notes.txt"]


def test_two_runs_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_rules(build_rules(families.every_type()), tmp_path / name)

    a, b = (
        {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("a", "b")
    )
    assert a == b
    assert len(a) == 6


def test_a_manifest_that_was_tampered_with_removes_nothing_outside(tmp_path: Path) -> None:
    out = tmp_path / "rules"
    write_rules(build_rules(families.unknown_rat()), out)
    precious = tmp_path / "precious.txt"
    precious.write_text("keep")
    listed = ["../precious.txt", str(precious), "a/../../precious.txt", "./../precious.txt"]
    (out / ".foxhunt-rules.json").write_text(json.dumps({"files": listed}))

    write_rules(build_rules(families.unknown_rat()), out)

    assert precious.read_text() == "keep"


def test_a_broken_manifest_is_an_error_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / ".foxhunt-rules.json").write_text("{")

    with pytest.raises(UsageError, match="delete it"):
        write_rules(build_rules(families.unknown_rat()), tmp_path)


@pytest.mark.parametrize(
    "label", ["../../etc", "/etc", "", "index.md", "CON", "win.a/b", "a" * 300, "win..x", "\ud800"]
)
def test_a_hostile_label_stays_one_folder_below(label: str) -> None:
    name = folder_name(label)

    assert Path(name).name == name
    assert name not in ("", ".", "..", "index.md", ".foxhunt-rules.json")
    assert len(name) < 100


def test_labels_that_look_alike_get_folders_of_their_own() -> None:
    labels = ["win.rat", "WIN.RAT", "win/rat", "win rat", "win-rat"]

    assert len({folder_name(label).casefold() for label in labels}) == len(labels)
