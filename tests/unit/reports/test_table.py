"""The terminal: readable at its width, and never under a log's control."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from foxhunt.findings import HuntResult, Verdict
from foxhunt.reports.table import FINDINGS_SHOWN, render
from tests import golden_files

from . import report_samples as samples
from .report_strategies import results


@pytest.mark.parametrize("name", ["telling", "empty", "blind", "incomplete", "hostile"])
def test_golden(name: str) -> None:
    result: HuntResult = getattr(samples, f"{name}_result")()

    golden_files.check(f"reports/table/{name}.txt", render(result))


@settings(max_examples=40)
@given(results())
def test_without_colour_nothing_but_printable_lines_comes_out(result: HuntResult) -> None:
    """Escape sequences, bidi controls and NUL from a log would act on the terminal."""
    assert all(line.isprintable() for line in render(result).split("\n"))


def test_colour_comes_from_us_alone() -> None:
    """A log's own escape character is spelled out even where ours are allowed."""
    text = render(samples.hostile_result(), colour=True)

    assert "\x1b[1;31m" in text
    assert "<U+001B>[2J" in text.replace("\n", "")
    assert not any(char in text for char in "\x07\x9b\u202e\u2066\x00\x7f")
    assert "\x1b[2J" not in text


def test_markup_of_a_log_is_text() -> None:
    assert "[red]markup[/red] :bomb:" in render(samples.hostile_result(), width=400)


def test_values_are_defanged() -> None:
    text = render(samples.telling_result(), width=300)

    assert "texornacu[.]com" in text
    assert "hxxp://winupdateservice[.]com/gate.php?id=1" in text
    assert "texornacu.com" not in text
    assert "http://" not in text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, render(samples.telling_result(), width=width).split("\n"))) <= width


def test_open_findings_come_before_all_others() -> None:
    lines = render(samples.telling_result()).split("\n")

    headings = ["Open (2)", "Inbound (1)", "Stale (1)", "Suppressed (1)", "Coverage"]
    found = [heading for line in lines for heading in headings if line.startswith(heading)]
    assert found == headings


def test_findings_beyond_the_limit_are_counted() -> None:
    extra = 7
    one = samples.finding("f", verdict=Verdict.STALE, by_verdict={Verdict.STALE: 1})
    many = replace(samples.empty_result(), findings=(one,) * (FINDINGS_SHOWN + extra))

    text = render(many)

    assert f"Stale ({FINDINGS_SHOWN + extra:,})" in text
    assert "  and 7 more; the other formats have them\n" in text
    assert text.count("low ") + text.count("high ") == FINDINGS_SHOWN
