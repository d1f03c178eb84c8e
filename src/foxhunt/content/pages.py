"""The rule's page for people, as Markdown and HTML, and what tools read of it: KQL and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from foxhunt.backends import Delivery, Emission, Query
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.pretty import to_json
from foxhunt.errors import UnsupportedError
from foxhunt.exclusions import scenarios
from foxhunt.indicators import Family, Indicator
from foxhunt.reports.rule_page import RulePage, render_page
from foxhunt.reports.text import plural
from foxhunt.rules import MatchMode, Rule
from foxhunt.rules.attack import techniques
from foxhunt.tables import get_table

_MEANINGS = {
    "botnet_cc": "command-and-control endpoints: a machine that contacts one is likely infected",
    "payload_delivery": "places the malware is downloaded from: a machine that fetched from one "
    "may be infected",
    "payload": "files of the malware: a machine that holds one is infected or was about to be",
    "cc_skimming": "endpoints that web skimmers send stolen payment data to",
}
_MOST_REFERENCES = 25
_MOST_LISTED = 2_000
_TI_TABLE = ("ThreatIntelIndicators", "ThreatIntelligence", "The family's indicators, uploaded")
_FROM_TI_TABLE = (
    "The queries read its indicators from ThreatIntelIndicators, where the uploads that "
    "foxhunt rule --format stix writes put them. With --delivery inline they list them."
)


def queries(subject: Subject) -> tuple[Query, ...]:
    """The rule's KQL, for a person who runs it: of any length.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    delivery = delivery_of(subject)
    emission = Emission(delivery=delivery, data_url=subject.data_url, lookback=subject.lookback)
    return subject.queries(emission)


def delivery_of(subject: Subject) -> Delivery:
    """How a page's queries get their indicators, if that was left to us: as a person would.

    Nothing limits the text of a query that is pasted in, so that most families are listed; but
    a list of thousands in each of thirty queries is no page any more.
    """
    if subject.delivery is not Delivery.AUTO:
        return subject.delivery
    is_term = subject.rule.mode is MatchMode.TERM
    is_short = len(subject.rule.indicators) <= _MOST_LISTED
    return Delivery.INLINE if is_term or is_short else Delivery.TI_TABLE


def kql(subject: Subject) -> Iterator[ContentFile]:
    """All queries, one blank line between and none inside.

    Raises:
        UnsupportedError: A value cannot be said in KQL, or no table can show an indicator.
    """
    rule = subject.rule
    texts = [query.text for query in queries(subject)]
    if not texts:
        types = ", ".join(rule.indicators.by_type())
        raise UnsupportedError(
            f"{rule.name} has no indicator that a query of mode {rule.mode} looks for: {types}"
        )
    yield ContentFile("rule.kql", "\n\n".join(texts) + "\n")


def markdown(subject: Subject) -> Iterator[ContentFile]:
    """The rule's page in Markdown.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    yield ContentFile("rule.md", render_page(_page(subject), "md"))


def html(subject: Subject) -> Iterator[ContentFile]:
    """The rule's page as one self-contained HTML file.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    yield ContentFile("rule.html", render_page(_page(subject), "html"))


def as_json(subject: Subject) -> Iterator[ContentFile]:
    """The rule as one JSON object, ``foxhunt.rule/1``; values exact.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    rule = subject.rule
    family = _family(rule)
    value = {
        "schema": "foxhunt.rule/1",
        "name": rule.name,
        "malware": rule.malware,
        "aliases": list(family.aliases),
        "mode": str(rule.mode),
        "indicators": [_indicator(one) for one in rule.indicators],
        "searches": [
            {
                "table": search.table,
                "columns": [
                    {
                        "column": part.observable.column,
                        "shows": str(part.observable.shows),
                        "indicator_types": [str(type_) for type_ in part.types],
                    }
                    for part in search.predicate.parts
                ],
            }
            for search in rule.searches
        ],
        "queries": [
            {"language": "kql", "table": q.table, "columns": list(q.columns), "text": q.text}
            for q in queries(subject)
        ],
    }
    yield ContentFile("rule.json", to_json(value) + "\n")


def _indicator(indicator: Indicator) -> dict[str, Any]:  # JSON values have no narrower type
    last = indicator.last_seen
    return {
        "value": indicator.value,
        "type": str(indicator.type),
        "threat_type": indicator.threat_type,
        "confidence_level": indicator.confidence_level,
        "first_seen": indicator.first_seen.isoformat(),
        "last_seen": last.isoformat() if last else None,
        "source": indicator.source,
        "source_id": indicator.source_id,
        "reference": indicator.reference,
    }


def _page(subject: Subject) -> RulePage:
    """What the rule's page says, made once for all of its formats.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    if _page not in subject.memo:
        subject.memo[_page] = _page_of(subject)
    # The memo is of anybody's values; under this key is what was put there.
    return cast(RulePage, subject.memo[_page])


def _page_of(subject: Subject) -> RulePage:
    """The page, all of it from the indicators: no day of today, no chance."""
    rule = subject.rule
    family = _family(rule)
    threats = Counter(one.threat_type for one in rule.indicators)
    return RulePage(
        title=f"ThreatFox: {rule.name} IOCs",
        description=(
            *_description(rule, family, threats),
            *([_FROM_TI_TABLE] if delivery_of(subject) is Delivery.TI_TABLE else []),
        ),
        facts=tuple(_facts(rule, family)),
        indicators=tuple(rule.indicators),
        queries=tuple((query.heading, query.table, query.text) for query in queries(subject)),
        required_tables=(
            *(
                (table.name, table.connector, table.must_deliver)
                for table in (get_table(search.table) for search in rule.searches)
            ),
            *([_TI_TABLE] if delivery_of(subject) is Delivery.TI_TABLE else []),
        ),
        scenarios=tuple((one.title, one.description, one.check) for one in scenarios()),
        techniques=tuple((one.id, one.name) for one in techniques(threats)),
        references=tuple(_references(rule)),
    )


def _family(rule: Rule) -> Family:
    if _family not in rule.memo:
        (rule.memo[_family],) = rule.indicators.families()
    return cast(Family, rule.memo[_family])  # see `_page`


def _description(rule: Rule, family: Family, threats: Counter[str]) -> Iterator[str]:
    aliases = f", also known as {', '.join(family.aliases)}," if family.aliases else ""
    kinds = ", ".join(f"{count:,} {name}" for name, count in rule.indicators.by_type().items())
    yield (
        f"{rule.name}{aliases} is a malware family that ThreatFox tracks as {rule.malware}. "
        f"This rule looks for its {plural(family.count, 'published indicator')} ({kinds}), "
        f"first seen {_between(family)}."
    )
    for threat, count in sorted(threats.items(), key=lambda item: (-item[1], item[0])):
        yield f"{threat} ({count:,}): {_MEANINGS.get(threat, 'not described by ThreatFox')}."
    if rule.mode is MatchMode.TERM:
        yield (
            "The queries compare as the published pages do (has_any, in): they also find names "
            "that only contain an indicator, and ignore ports. Use them for comparison."
        )
    else:
        yield (
            "A domain matches itself and its subdomains and nothing that only looks like it; an "
            "address counts fully only with its port; the host of a URL alone is a weak sign. "
            "The column Match of each query says which."
        )
    hidden = [
        name for name, n in rule.indicators.by_type().items() if n and not _is_shown(rule, name)
    ]
    if hidden:
        yield f"No table can show its indicators of the types: {', '.join(hidden)}."


def _is_shown(rule: Rule, type_name: str) -> bool:
    return any(type_name in map(str, search.types) for search in rule.searches)


def _between(family: Family) -> str:
    first, last = family.first_seen.date(), family.last_activity.date()
    return f"on {first}" if first == last else f"from {first} on, last active on {last}"


def _facts(rule: Rule, family: Family) -> Iterator[tuple[str, str]]:
    by_type = rule.indicators.by_type()
    yield "Malware Family", rule.name
    yield "Malpedia", rule.malware
    if family.aliases:
        yield "Aliases", ", ".join(family.aliases)
    yield "Total IOCs", f"{family.count:,}"
    yield "IOC Types", ", ".join(by_type)
    yield "First Seen", family.first_seen.date().isoformat()
    yield "Last Active", family.last_activity.date().isoformat()
    yield "Matching", str(rule.mode)


def _references(rule: Rule) -> Iterator[str]:
    yield f"https://malpedia.caad.fkie.fraunhofer.de/details/{rule.malware}"
    yield f"https://threatfox.abuse.ch/browse/malware/{rule.malware}/"
    named = sorted({one.reference for one in rule.indicators if one.reference})
    yield from named[:_MOST_REFERENCES]
    if len(named) > _MOST_REFERENCES:
        yield f"and {len(named) - _MOST_REFERENCES:,} more, in the rule's JSON"
