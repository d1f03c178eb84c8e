"""What every registered report owes whoever reads it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from foxhunt.findings import Finding, HuntResult
from foxhunt.reports import get_report, report_names
from tests.unit.reports import report_samples as samples
from tests.unit.reports.report_strategies import results

# Formats that people look at; the others are read by tools and hold values exactly.
SHOWN = ("html", "md", "table")

RESULTS = {
    name: getattr(samples, f"{name}_result")()
    for name in ("telling", "empty", "blind", "incomplete", "hostile")
}

# How the formats say it; an empty coverage is how JSON says that no table is concerned.
_NOT_LOOKED = ("not-evaluated", "no-data", "DID NOT LOOK", '"coverage": []')
# Names of the style would be taken for words of the report.
_STYLE = re.compile("<style>.*</style>", re.DOTALL)

every_report = pytest.mark.parametrize("name", report_names())


def _render(name: str, result: HuntResult) -> str:
    return get_report(name).render(result)


def test_the_shown_formats_are_reports() -> None:
    assert set(SHOWN) < set(report_names())


@every_report
@settings(max_examples=25)
@given(result=results())
def test_any_result_gives_one_text_that_can_be_stored(name: str, result: HuntResult) -> None:
    text = _render(name, result)

    assert text == _render(name, result)
    assert text.encode("utf-8").decode("utf-8") == text
    assert text == "" or text.endswith("\n")


@every_report
def test_a_report_does_not_depend_on_the_terminal(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _render(name, RESULTS["telling"])

    for variable, value in (("COLUMNS", "40"), ("FORCE_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(variable, value)

    assert _render(name, RESULTS["telling"]) == before


@every_report
def test_looked_and_found_nothing_is_not_did_not_look(name: str) -> None:
    """The governing sentence: a rule that was not evaluated is no rule that found nothing."""
    clean = RESULTS["empty"]
    failed = RESULTS["incomplete"].coverage[1:]
    said = _STYLE.sub("", _render(name, clean))
    assert not any(words in said for words in ("not-evaluated", "DID NOT LOOK", "INCOMPLETE"))

    for blind in (
        RESULTS["blind"],
        RESULTS["incomplete"],
        replace(clean, coverage=()),
        replace(clean, coverage=failed),
    ):
        text = _STYLE.sub("", _render(name, blind))
        assert text != said
        assert any(words in text for words in _NOT_LOOKED)


@every_report
def test_a_gap_stays_visible_beside_findings(name: str) -> None:
    result = replace(RESULTS["incomplete"], findings=RESULTS["telling"].findings)

    text = _render(name, result)

    assert "not-evaluated" in text
    assert "out of memory" in " ".join(text.split())
    assert "WS-014" in text


@every_report
def test_every_finding_is_there_whatever_its_verdict(name: str) -> None:
    """An exclusion marks and never deletes."""
    text = "".join(_render(name, RESULTS["telling"]).split())

    for finding in RESULTS["telling"].findings:
        assert _start_of_value(name, finding) in text
        assert finding.verdict in text.lower()


def _start_of_value(name: str, finding: Finding) -> str:
    """So much of the indicator as a folded cell of the terminal holds in one line."""
    value = finding.indicator.value[:14]
    if name not in SHOWN:
        return value
    return {
        "texornacu.com": "texornacu[.]com",
        "http://winupda": "hxxp://winupda",
        "203.0.113.7:44": "203[.]0[.]113[.]7:44",
        "[2001:db8::1]:": "[2001[:]db8[:][:]1]:",
    }.get(value, value)


@every_report
def test_no_report_lets_a_log_command_the_terminal(name: str) -> None:
    """Reports are looked at with `cat`, too."""
    text = _render(name, RESULTS["hostile"])

    assert not set(text) & set("\x00\x07\x1b\x7f\x9b\u202e\u2066\u200b")


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_shown_can_be_clicked(name: str) -> None:
    assert "http://" not in _render(name, RESULTS["hostile"])
    assert "http://" not in _render(name, RESULTS["telling"])
