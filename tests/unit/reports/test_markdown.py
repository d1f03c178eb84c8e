"""Markdown for tickets: nothing of a log or feed is markup, and nothing links."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.findings import HuntResult
from foxhunt.reports.markdown import code, escaped, render
from foxhunt.reports.text import visible
from tests import golden_files

from . import report_samples as samples
from .report_strategies import results


@pytest.mark.parametrize("name", ["telling", "empty", "blind", "incomplete", "hostile"])
def test_golden(name: str) -> None:
    result: HuntResult = getattr(samples, f"{name}_result")()

    golden_files.check(f"reports/markdown/{name}.md", render(result))


LINKS = ("www.evil.org", "ftp://evil.org", "HTTPS://evil.org", "xhttp://evil.org")


@given(st.text() | st.sampled_from(samples.HOSTILE + LINKS))
def test_escaped_text_reads_back_and_holds_no_markup(text: str) -> None:
    text = visible(text)
    result = escaped(text)

    assert html.unescape(result) == html.unescape(text) or "&" in text
    assert not set(result.replace("&#", "")) & set("\\`*{}[]<>|~!")
    assert not re.match(r"\s*([-+=:#]|\d+[.)]\s)", result)
    assert not re.search(r"(?i)www\.|(https?|ftp)://", result)


@pytest.mark.parametrize("text", ["a`b", "a|b", "``", " ", "", "`"])
def test_code_that_would_break_out_is_escaped_instead(text: str) -> None:
    result = code(text)

    assert "`" not in result
    assert "|" not in result


@settings(max_examples=60)
@given(results())
def test_every_row_of_a_table_has_the_cells_of_its_header(result: HuntResult) -> None:
    """One unescaped pipe would shift the cells, and show a host as an indicator."""
    lines = render(result).split("\n")

    for at, line in enumerate(lines):
        if line.startswith("|---"):
            width = line.count("|")
            assert lines[at - 1].count("|") == width
            for row in lines[at + 1 :]:
                if not row.startswith("|"):
                    break
                assert row.count("|") == width


@settings(max_examples=60)
@given(results())
def test_headings_are_ours(result: HuntResult) -> None:
    known = {"Not evaluated", "Coverage", "Exclusions", "Validity policy"}
    known |= {"Open", "Inbound", "Stale", "Suppressed", "Quarantined"}

    first, *others = [line for line in render(result).split("\n") if line.startswith("#")]

    assert first.startswith("# ")
    assert {re.sub(r" \([\d,]+\)$", "", line.removeprefix("## ")) for line in others} <= known


def test_values_are_defanged() -> None:
    text = render(samples.telling_result())

    assert "`hxxp://winupdateservice[.]com/gate.php?id=1`" in text
    assert "`[2001[:]db8[:][:]1]:8443`" in text
    assert not re.search(r"texornacu\.com|winupdateservice\.com|http://", text)
