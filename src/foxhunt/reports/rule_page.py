"""The page of a rule: its indicators, its queries, what it needs, and when it is wrong.

The layout is that of the published ThreatFox rule pages, so that theirs and ours can be laid side
by side; values are defanged, except in the queries, which have to run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from markupsafe import Markup, escape

from foxhunt.indicators import Indicator
from foxhunt.reports import html_page
from foxhunt.reports.markdown import code, escaped, table
from foxhunt.reports.text import prose, shown, visible

_MALPEDIA = re.compile(r"https://malpedia\.caad\.fkie\.fraunhofer\.de/details/([a-z0-9_.]+)")
# Both formats show all of a family's indicators, which have few kinds of threat.
_MOST_KEPT = 50_000
_value = lru_cache(maxsize=_MOST_KEPT)(shown)
_threat = lru_cache(maxsize=1_000)(prose)
_INDICATOR_HEADER = ("Type", "Value", "Threat Type", "First Seen", "Confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePage:
    """What a rule page says. Texts are plain, never markup, and may be hostile.

    Attributes:
        title: Of the page.
        description: Paragraphs.
        facts: Label and value of each line of the summary.
        indicators: All of them, in the order to show.
        queries: Heading, table and text of each query; the text is printed as it is.
        required_tables: Table, connector, and what the connector must deliver.
        scenarios: Title, description and filter of each false-positive scenario.
        techniques: ATT&CK id and name.
        references: URLs or other texts. Only the page of a family at Malpedia is a link.
    """

    title: str
    description: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    indicators: tuple[Indicator, ...] = ()
    queries: tuple[tuple[str, str, str], ...] = ()
    required_tables: tuple[tuple[str, str, str], ...] = ()
    scenarios: tuple[tuple[str, str, str], ...] = ()
    techniques: tuple[tuple[str, str], ...] = ()
    references: tuple[str, ...] = ()


def page_formats() -> tuple[str, ...]:
    """Names `render_page` accepts, sorted."""
    return tuple(sorted(_FORMATS))


def render_page(page: RulePage, format_name: str = "md") -> str:
    """Return ``page`` as Markdown (``"md"``) or as one self-contained HTML file (``"html"``).

    Raises:
        KeyError: Unknown format; the message lists the known ones.
    """
    if format_name not in _FORMATS:
        raise KeyError(f"unknown page format {format_name!r}; known: {', '.join(page_formats())}")
    return _FORMATS[format_name](page)


def fenced(text: str, language: str) -> str:
    """Return ``text`` in a fence that nothing in it can close (CommonMark 0.31, 4.5)."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    body = visible(text, keep="\n\t").strip("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def _markdown(page: RulePage) -> str:
    return "\n".join(_lines(page)).rstrip("\n") + "\n"


def _lines(page: RulePage) -> Iterator[str]:
    yield f"# {escaped(prose(page.title))}"
    yield ""
    for paragraph in page.description:
        yield escaped(prose(paragraph))
        yield ""
    yield "## IOC Summary"
    yield ""
    yield from (f"- **{escaped(prose(k))}:** {escaped(prose(v))}" for k, v in page.facts)
    yield ""
    yield from _indicators(page)
    yield from _queries(page)
    yield from _needs(page)
    yield from _scenarios(page)
    yield from _list("Techniques", [f"{code(prose(i))} {_plain(n)}" for i, n in page.techniques])
    yield from _list("References", [_reference(text) for text in page.references])


@lru_cache(maxsize=1_000)
def _plain(text: str) -> str:
    return escaped(prose(text))


def _indicators(page: RulePage) -> Iterator[str]:
    rows = (
        (kind, code(value), _escaped(threat), first, confidence)
        for kind, value, threat, first, confidence in map(_indicator, page.indicators)
    )
    yield from table(_INDICATOR_HEADER, rows)


_escaped = lru_cache(maxsize=1_000)(escaped)


def _indicator(indicator: Indicator) -> tuple[str, str, str, str, str]:
    return (
        str(indicator.type),
        _value(indicator.value),
        _threat(indicator.threat_type),
        indicator.first_seen.date().isoformat(),
        f"{indicator.confidence_level}%",
    )


def _queries(page: RulePage) -> Iterator[str]:
    if page.queries:
        yield "## Hunting Queries"
        yield ""
    for heading, table_name, text in page.queries:
        yield f"### {_plain(heading)}"
        yield ""
        yield f"Table: {code(prose(table_name))}"
        yield ""
        yield fenced(text, "kql")
        yield ""


def _needs(page: RulePage) -> Iterator[str]:
    if not page.required_tables:
        return
    yield "## Required Sentinel Tables"
    yield ""
    rows = (
        (code(prose(name)), code(prose(connector)), _plain(must_deliver))
        for name, connector, must_deliver in page.required_tables
    )
    yield from table(("Sentinel Table", "Data Connector", "Must Deliver"), rows)


def _scenarios(page: RulePage) -> Iterator[str]:
    if page.scenarios:
        yield "## False Positive Scenarios"
        yield ""
    for title, description, exclusion in page.scenarios:
        yield f"### Scenario: {_plain(title)}"
        yield ""
        yield f"- **Description:** {_plain(description)}"
        yield f"- **Filter/Exclusion:** {_plain(exclusion)}"
        yield ""


def _list(heading: str, items: list[str]) -> Iterator[str]:
    if items:
        yield f"## {heading}"
        yield ""
        yield from (f"- {item}" for item in items)
        yield ""


def _reference(text: str) -> str:
    return f"<{text}>" if _MALPEDIA.fullmatch(text) else code(shown(text))


def _html(page: RulePage) -> str:
    return html_page.render_page(
        "rule.html.j2",
        title=prose(page.title),
        description=[prose(paragraph) for paragraph in page.description],
        facts=[(prose(label), prose(value)) for label, value in page.facts],
        indicator_header=_INDICATOR_HEADER,
        indicators=_html_rows(page),
        queries=[
            (prose(heading), prose(name), visible(text, keep="\n\t").strip("\n"))
            for heading, name, text in page.queries
        ],
        required_tables=[
            (prose(name), prose(connector), prose(must_deliver))
            for name, connector, must_deliver in page.required_tables
        ],
        scenarios=[tuple(map(prose, scenario)) for scenario in page.scenarios],
        techniques=[(prose(id_), prose(name)) for id_, name in page.techniques],
        references=[
            (text, True) if _MALPEDIA.fullmatch(text) else (shown(text), False)
            for text in page.references
        ],
    )


def _html_rows(page: RulePage) -> Markup:
    """The lines of the table of indicators: by the template each would take ten times as long.

    Their cells are escaped as one text. None has a line break: what does not print is spelled.
    """
    cells = "\n".join([cell for one in page.indicators for cell in _indicator(one)])
    texts = iter(str(escape(cells)).split("\n") if page.indicators else ())
    rows = [
        f"<tr><td>{kind}</td><td><code>{value}</code></td><td>{threat}</td>"
        f'<td class="time">{first}</td><td>{confidence}</td></tr>'
        for kind, value, threat, first, confidence in zip(*[texts] * 5, strict=True)
    ]
    return Markup("\n".join(rows))  # noqa: S704  # every cell in it is escaped


_FORMATS: MappingProxyType[str, Callable[[RulePage], str]] = MappingProxyType(
    {"html": _html, "md": _markdown}
)
