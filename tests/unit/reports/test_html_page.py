"""What every page shares: the policy fits the style, and templates cannot forget a value."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from jinja2 import UndefinedError

from foxhunt.reports import html
from foxhunt.reports.html_page import render_page

from .report_samples import empty_result


def test_the_policy_allows_the_style_as_it_stands_in_the_file() -> None:
    """A digest of anything else would leave every report unstyled."""
    text = html.render(empty_result())
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert style is not None

    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode("ascii")

    assert f"style-src &#39;sha256-{digest}&#39;" in text


def test_the_style_loads_nothing() -> None:
    style = html.render(empty_result()).partition("<style>")[2].partition("</style>")[0]

    assert "url(" not in style
    assert "@import" not in style
    assert "<" not in style


def test_the_style_knows_dark_narrow_and_paper() -> None:
    style = html.render(empty_result())

    for query in ("prefers-color-scheme: dark", "max-width: 760px", "@media print"):
        assert query in style


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render_page("rule.html.j2", title="no more than that")
