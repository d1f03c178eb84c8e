"""Pages of rules: values defanged, queries exact, and nothing that breaks out of either."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxhunt.reports.rule_page import fenced, page_formats, render_page
from foxhunt.reports.text import shown
from tests import golden_files

from .html_reading import assert_inert, read_page
from .report_samples import QUERY, hostile_page, indicator, sample_page

MALPEDIA = "https://malpedia.caad.fkie.fraunhofer.de/details/win.unknown_rat"


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_markdown_golden(name: str) -> None:
    page = {"sample": sample_page, "hostile": hostile_page}[name]()

    golden_files.check(f"reports/rule_page/{name}.md", render_page(page))


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_html_golden(name: str) -> None:
    page = {"sample": sample_page, "hostile": hostile_page}[name]()
    text = render_page(page, "html")
    text = re.sub(r"<style>.*</style>", "<style>(page.css)</style>", text, flags=re.DOTALL)

    golden_files.check(f"reports/rule_page/{name}.html", re.sub("sha256-[^&]+", "sha256-", text))


def test_indicators_are_defanged_and_queries_exact_in_both_formats() -> None:
    markdown = render_page(sample_page())
    page = read_page(render_page(sample_page(), "html"))

    assert f"```kql\n{QUERY}```\n" in markdown
    assert "| domain | `texornacu[.]com` | botnet_cc | 2026-05-24 | 100% |\n" in markdown
    assert "texornacu.com" not in markdown.replace(QUERY, "")
    assert QUERY.rstrip("\n") in page.text("code")
    assert "texornacu[.]com" in page.text("code")


@given(
    st.lists(st.sampled_from(["`", "``", "```", "~~~", "a", "\n", " ", "\r", "\x85"])).map("".join)
)
def test_nothing_in_a_query_closes_its_fence(text: str) -> None:
    """CommonMark closes a fence at a line of at least as many backticks, up to 3 blanks before."""
    opening, *body, closing = fenced(text, "kql").split("\n")
    ticks = opening.removesuffix("kql")

    assert closing == ticks
    assert set(ticks) == {"`"}
    assert not [line for line in body if line.strip().startswith(ticks)]
    assert "\r" not in "".join(body)


def test_a_query_that_closes_a_fence_of_three_gets_one_of_four() -> None:
    page = replace(sample_page(), queries=(("h", "T", "T\n```\n# not a heading\n"),))

    assert "````kql\nT\n```\n# not a heading\n````\n" in render_page(page)


def test_only_malpedia_is_linked() -> None:
    assert_inert(read_page(render_page(sample_page(), "html")), links=frozenset({MALPEDIA}))
    assert_inert(read_page(render_page(hostile_page(), "html")))
    assert re.findall(r"<https?:[^>]*>", render_page(sample_page())) == [f"<{MALPEDIA}>"]
    assert "<http" not in "\n".join(_outside_fences(render_page(hostile_page())))


def _outside_fences(text: str) -> list[str]:
    """Lines of Markdown that are not in a fenced block."""
    outside, fence = [], ""
    for line in text.split("\n"):
        ticks = re.match("`{3,}", line)
        if fence:
            fence = "" if line == fence else fence
        elif ticks:
            fence = ticks[0]
        else:
            outside.append(line)
    assert not fence
    return outside


def test_hostile_text_makes_no_heading_of_the_markdown_page() -> None:
    outside = _outside_fences(render_page(hostile_page()))

    assert {line for line in outside if line.startswith("## ")} == {
        "## IOC Summary",
        "## Hunting Queries",
        "## Required Sentinel Tables",
        "## False Positive Scenarios",
        "## Techniques",
        "## References",
    }
    # In a code span a tag is text; anywhere else it would be one.
    assert not any("<script" in re.sub("`[^`]*`", "", line) for line in outside)


def test_what_a_page_lacks_has_no_heading() -> None:
    bare = replace(
        sample_page(), queries=(), required_tables=(), scenarios=(), techniques=(), references=()
    )

    assert re.findall("^## .*", render_page(bare), re.MULTILINE) == ["## IOC Summary"]
    assert len(read_page(render_page(bare, "html")).text("h2")) == 1


def test_all_indicators_are_on_the_page_in_their_order() -> None:
    values = [f"c{number}.example.org" for number in range(2_000)]
    page = replace(sample_page(), indicators=tuple(map(indicator, values)))

    text = render_page(page)

    assert re.findall(r"^\| domain \| `(.*?)`", text, re.MULTILINE) == [
        value.replace(".", "[.]") for value in values
    ]


def test_no_indicator_leaves_its_row_of_the_html_page() -> None:
    hostile = ("a\nb.org", "<td>&\"'", "</table><script>", "\x1f\u2028\r", "")
    given = tuple(replace(indicator("a.org"), value=value, threat_type=value) for value in hostile)
    text = render_page(replace(sample_page(), indicators=given), "html")

    assert_inert(read_page(text), links=frozenset({MALPEDIA}))
    body = text.partition('<table class="spaced">')[2].partition("</table>")[0]
    assert body.count("<tr>") == 1 + len(hostile)
    assert body.count("<td") == 5 * len(hostile)
    assert [html.unescape(cell) for cell in re.findall("<code>(.*)</code>", body)] == list(
        map(shown, hostile)
    )


def test_an_unknown_format_names_the_known_ones() -> None:
    assert page_formats() == ("html", "md")
    with pytest.raises(KeyError, match="unknown page format 'pdf'; known: html, md"):
        render_page(sample_page(), "pdf")
