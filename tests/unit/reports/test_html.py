"""The HTML report: complete, bounded, and inert whatever the logs and the feed hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from foxhunt.findings import CoverageStatus, HuntResult, Verdict
from foxhunt.indicators import IndicatorType, Quarantined
from foxhunt.reports import html
from tests import golden_files

from . import report_samples as samples
from .html_reading import assert_inert, read_page
from .report_strategies import results

# The style would be in every golden file, and every change of it in every diff.
_STYLE = re.compile(r"<style>.*</style>", re.DOTALL)
_DIGEST = re.compile(r"sha256-[^&]+")


@pytest.mark.parametrize("name", ["telling", "empty", "blind", "incomplete", "hostile"])
def test_golden(name: str) -> None:
    result: HuntResult = getattr(samples, f"{name}_result")()
    text = _DIGEST.sub(
        "sha256-(digest)", _STYLE.sub("<style>(page.css)</style>", html.render(result))
    )

    golden_files.check(f"reports/html/{name}.html", text)


@settings(max_examples=40)
@given(results())
def test_no_result_makes_the_page_run_load_or_link_anything(result: HuntResult) -> None:
    assert_inert(read_page(html.render(result)))


def test_hostile_values_are_text_and_spelled_out() -> None:
    page = read_page(html.render(samples.hostile_result()))
    text = page.all_text()

    assert_inert(page)
    assert "</td><script>alert(1)</script><img src=x onerror=alert(1)>" in text
    assert "invoice<U+202E>fdp.exe<U+2066><U+200B>" in text
    assert "lone<U+D800>surrogate<U+DFFF>" in text
    assert "<U+001B>[2J<U+001B>]0;owned<U+0007><U+009B>31m<U+0000><U+007F>" in text
    assert "{{ 7 * 7 }}{% raw %}" in text
    assert "http://evil" not in text


def test_values_are_defanged_in_evidence_too() -> None:
    page = read_page(html.render(samples.telling_result()))

    assert "hxxp://winupdateservice[.]com/gate.php?id=1&x=2" in page.text("dd")
    assert "c2[.]texornacu[.]com" in page.text("dd")
    assert not re.search(r"texornacu\.com|winupdateservice\.com|http://", page.all_text())


@pytest.mark.parametrize(
    ("type_", "value", "cell", "expected"),
    [
        (IndicatorType.IP_PORT, "203.0.113.7:443", "203.0.113.7", "203[.]0[.]113[.]7"),
        (IndicatorType.IP_PORT, "[2001:db8::1]:443", "2001:DB8::1", "2001[:]DB8[:][:]1"),
        (
            IndicatorType.URL,
            "http://a.example.org:8080/x.php?y",
            "a.example.org",
            "a[.]example[.]org",
        ),
        (IndicatorType.DOMAIN, "example.org", "x.EXAMPLE.org", "x.EXAMPLE[.]org"),
    ],
)
def test_the_host_of_an_indicator_is_defanged_where_it_stands_alone(
    type_: IndicatorType, value: str, cell: str, expected: str
) -> None:
    finding = samples.finding(
        "f",
        indicator=samples.indicator(value, type_),
        observed=(),
        rows=({"Cell": cell, "_file": "f.csv", "_row": 1},),
    )
    page = read_page(html.render(replace(samples.empty_result(), findings=(finding,))))

    assert expected in page.text("dd")


def test_columns_that_may_hold_indicators_are_defanged_but_for_our_own_machine() -> None:
    """A DNS answer matched: the name that was asked for is no less dangerous to click."""
    row = {"Name": "other.example.org", "IPAddresses": "203.0.113.7", "ClientIP": "10.1.0.14"}
    dns = samples.finding("f-1", "10.1.0.14", observed=("203.0.113.7",), rows=(row,))
    row = {"SourceIP": "10.1.0.14", "DestinationIP": "203.0.113.7"}
    firewall = samples.finding("f-2", "10.1.0.14", table="CommonSecurityLog", rows=(row,))

    page = read_page(html.render(replace(samples.empty_result(), findings=(dns, firewall))))

    cells = page.text("dd")
    assert "other[.]example[.]org" in cells
    assert cells.count("203[.]0[.]113[.]7") == 3  # logged as, and a cell of each
    assert cells.count("10.1.0.14") == 2


def test_sections_come_in_the_order_of_what_to_do() -> None:
    page = read_page(html.render(samples.telling_result()))

    headings = [text.strip() for name, text in page.texts if name in ("h1", "h2", "summary")]
    wanted = ["2 open findings on 2 hosts", "Events by host and day", "Open", "Inbound", "Stale"]
    wanted += ["Suppressed", "Coverage", "Indicators", "Exclusions", "Quarantined"]
    wanted += ["Validity policy"]
    assert [heading for heading in headings if heading in wanted] == wanted


def test_severity_is_said_in_words_not_only_in_colour() -> None:
    page = read_page(html.render(samples.telling_result()))

    pills = [attributes.get("class") for tag, attributes in page.elements if tag == "span"]
    assert "pill s-high" in pills
    assert {"high", "medium", "low", "info"} <= set(page.text("span"))


def test_evidence_folds_and_few_open_findings_are_unfolded() -> None:
    def unfolded(count: int) -> int:
        found = tuple(samples.finding(f"f-{number}") for number in range(count))
        page = read_page(html.render(replace(samples.empty_result(), findings=found)))
        return sum(
            attributes.get("class") == "finding" and "open" in attributes
            for _, attributes in page.elements
        )

    assert [unfolded(count) for count in (1, 3, 4)] == [1, 3, 0]


def test_looked_and_did_not_look_read_differently() -> None:
    def title_and_warning(result: HuntResult) -> tuple[str, bool]:
        page = read_page(html.render(result))
        return page.text("h1")[0], "what follows says nothing about this" in page.all_text()

    assert title_and_warning(samples.empty_result()) == ("Looked and found nothing", False)
    assert title_and_warning(samples.blind_result()) == (
        "DID NOT LOOK: no table that can show these indicators had data",
        True,
    )
    assert title_and_warning(samples.incomplete_result()) == (
        "INCOMPLETE: not everything was evaluated; in what was: nothing found",
        True,
    )


def test_a_count_is_zero_only_where_somebody_looked() -> None:
    looked = read_page(html.render(samples.empty_result())).text("b")
    blind = read_page(html.render(samples.blind_result())).text("b")

    assert looked == ["0", "0", "0", "0", "0", "0", "12,000", "0", "2", "0"]
    assert blind == ["?", "?", "?", "?", "?", "?", "0", "0", "2", "0"]


def test_thousands_of_findings_stay_openable_and_say_what_was_cut() -> None:
    text = html.render(samples.big_result(html.FINDINGS_SHOWN + 12))

    assert len(text) < 12_000_000
    assert text.count('<details class="finding">') == html.FINDINGS_SHOWN
    assert "12 more findings, left out to keep this file small; the JSON report has all." in text
    assert "375 more hosts, left out" in text
    assert "the 59 most serious of 400 hosts have a row of their own" in text
    # Five rows of evidence each: shown, or said to be left out.
    assert text.count("Evidence: ") + text.count("5 evidence rows left out") == html.FINDINGS_SHOWN


def test_less_serious_findings_are_cut_first() -> None:
    suppressed = tuple(
        samples.finding(f"s-{number}", verdict=Verdict.SUPPRESSED, by_verdict={}, rows=())
        for number in range(3)
    )
    result = samples.big_result(html.FINDINGS_SHOWN - 1)

    text = html.render(replace(result, findings=result.findings + suppressed))

    assert "2 more findings, left out" in text
    assert "b-4998" in text
    assert "s-0" in text
    assert "s-1<" not in text


def test_unread_files_and_quarantine_are_bounded_with_counts() -> None:
    failed = samples.coverage("", CoverageStatus.NOT_EVALUATED, reason="H301: unreadable")
    result = replace(
        samples.empty_result(),
        coverage=(failed,) * (html.COVERAGE_SHOWN + 1),
        quarantined=(Quarantined("1", "x", "domain", "H101: no"),) * (html.QUARANTINED_SHOWN + 2),
    )

    text = html.render(result)

    assert text.count("1 more entry, left out") == 2
    assert "2 more records, left out" in text
    assert text.count("H301: unreadable") == 2 * html.COVERAGE_SHOWN


def test_machines_come_first_when_there_are_many_findings() -> None:
    hosts = ("WS-1", "WS-2", "WS-2", None)
    found = tuple(samples.finding(f"f-{at}", host) for at, host in enumerate(hosts))

    page = read_page(html.render(replace(samples.empty_result(), findings=found)))

    assert "Machines to look at " in page.text("h2")
    cells = page.text("td")
    assert cells[cells.index("WS-2") :][:4] == ["WS-2", "Unknown RAT", "2", "4"]
    assert cells.index("WS-2") < cells.index("(no host)") < cells.index("WS-1")
