"""A query as a detection: what a rule says beside its text, the same in every Microsoft format.

Limits are those of Azure-Sentinel's own template tests and of the service (Sentinel docs and
the repository's detectionTemplateSchemaValidation, 2026).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from foxhunt.backends import Delivery, Emission, Query, TimeBound
from foxhunt.content.entities import EntityMapping, entity_mappings
from foxhunt.content.model import Subject
from foxhunt.errors import UnsupportedError
from foxhunt.findings import Severity, severity_of
from foxhunt.indicators import IndicatorType
from foxhunt.rules import MatchKind, MatchMode, Rule
from foxhunt.rules.attack import Technique, techniques
from foxhunt.tables import Shows, Table, get_table

# One less than the service takes: a block of text in YAML ends with a line break.
RULE_CHARACTERS = 10_000 - 1
# The service takes 256; Azure-Sentinel's style guide, which its lists are made for, asks for 50.
NAME_CHARACTERS = 50
DESCRIPTION_CHARACTERS = 255
FREQUENCY = timedelta(hours=1)
# Events may come in late: the rule looks back a day, at what came in since it last ran.
LOOKBACK = timedelta(days=1)
# Threat intelligence and watchlists are published again within fourteen days, and a rule sees
# nothing older than its period.
LIST_PERIOD = timedelta(days=14)
_NAMESPACE = uuid.UUID("5a8f6d5e-2f0b-5c59-9d0e-7f0c0d6a4f11")
_SEVERITIES = {
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Informational",
}
# The strongest way in which a column can meet an indicator.
_STRONGEST = {Shows.ANSWERS: MatchKind.RESOLVED_IP, Shows.ADDRESS: MatchKind.IP_PORT}
_EXACTLY = ". Exact about label borders, ports and paths."
_ROWS = (
    "Each row says which indicator it met (Indicator), of which family and with which confidence, "
    "and how (Match): exact, subdomain, ip:port, url, url-prefix and hash are strong signs; ip, "
    "resolved-ip and url-host are weak ones. Verdict is open, inbound (it came from there) or "
    "stale (the event lies outside the time for which the indicator counts)."
)
_PLURALS = {
    IndicatorType.DOMAIN: "names",
    IndicatorType.URL: "URLs",
    IndicatorType.IP_PORT: "addresses",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What is deployed of one query.

    Attributes:
        query: Its text and columns.
        table: The table it reads.
        name: Family and column, at most 50 characters; tells the rule's queries apart. Families
            of one printable name share theirs.
        description: At most 255 characters.
        detailed: All that there is to say of it, on one line.
        severity: As Sentinel spells it.
        techniques: What it detects.
        entities: Columns of the result that name hosts, accounts and so on.
        period: How far back the query can see at all.
    """

    query: Query
    table: Table
    name: str
    description: str
    detailed: str
    severity: str
    techniques: tuple[Technique, ...]
    entities: tuple[EntityMapping, ...]
    period: timedelta

    @property
    def tactics(self) -> tuple[str, ...]:
        """Every tactic of every technique, sorted: one without the other is refused."""
        return tuple(sorted({tactic for one in self.techniques for tactic in one.tactics}))

    @property
    def connectors(self) -> list[dict[str, object]]:
        """What has to be connected, as Azure-Sentinel's files say it."""
        found: list[dict[str, object]] = [
            {"connectorId": self.table.connector, "dataTypes": [self.table.name]}
        ]
        if "ThreatIntelIndicators" in self.query.text:
            found.append(
                {"connectorId": "ThreatIntelligence", "dataTypes": ["ThreatIntelIndicators"]}
            )
        return found


def guid(kind: str, subject: Subject, key: str) -> str:
    """The id of a piece of content: the same for the same family, kind and query, for good.

    >>> str(uuid.uuid5(_NAMESPACE, "analytic/win.asyncrat/dnsevents-name"))
    'cdfc0a57-786a-5d5c-96cb-ad582aa8050b'
    """
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{subject.rule.malware}/{key}"))


def hunts(subject: Subject) -> Iterator[Detection]:
    """The rule's hunting queries: every event, with its verdict.

    Raises:
        UnsupportedError: A value cannot be said in KQL, or nothing is to be looked for.
    """
    yield from _detections(subject, Emission(bound=TimeBound.PORTAL), LIST_PERIOD)


def alerts(subject: Subject) -> Iterator[Detection]:
    """The rule's analytics rules: open events that came in since the last run.

    Raises:
        UnsupportedError: A value cannot be said in KQL, nothing is to be looked for, or the
            rule is one of terms.
    """
    if subject.rule.mode is MatchMode.TERM:
        # Their rows name no indicator, and nothing bounds their time: the same event would
        # raise an alert every hour.
        raise UnsupportedError(
            "a rule that matches terms cannot raise alerts", hint="use --match exact"
        )
    emission = Emission(
        lookback=LOOKBACK, ingested=FREQUENCY, is_alert=True, time_column="TimeGenerated"
    )
    yield from _detections(subject, emission, LOOKBACK)


def _detections(subject: Subject, emission: Emission, period: timedelta) -> tuple[Detection, ...]:
    """What is deployed of the queries, made once for the formats that say it."""
    key = _detections, emission, period
    if key not in subject.memo:
        found = []
        for query in compiled(subject, emission):
            is_inline = "datatable" in query.text
            span = period if is_inline else max(period, LIST_PERIOD)
            found.append(detection(subject, query, span))
        subject.memo[key] = tuple(found)
    # The memo is of anybody's values; under this key is what was put there.
    return cast(tuple[Detection, ...], subject.memo[key])


def compiled(subject: Subject, emission: Emission) -> tuple[Query, ...]:
    """The rule's queries, each within the length of a rule.

    Raises:
        UnsupportedError: A value cannot be said in KQL, or nothing is to be looked for.
    """
    queries = subject.queries(
        replace(
            emission,
            delivery=subject.delivery,
            data_url=subject.data_url,
            most_characters=RULE_CHARACTERS,
        )
    )
    if not queries:
        types = ", ".join(subject.rule.indicators.by_type())
        raise UnsupportedError(f"no table can show an indicator of {subject.rule.name}: {types}")
    if subject.delivery is Delivery.EXTERNALDATA and emission.bound is TimeBound.RUNNER:
        raise UnsupportedError("Defender's detections do not read externaldata")
    return queries


def detection(subject: Subject, query: Query, period: timedelta) -> Detection:
    """What is deployed of ``query``."""
    table, rule = get_table(query.table), subject.rule
    observable = next(one for one in table.observables if one.column == query.columns[0])
    part = f" #{query.key.rpartition('-')[2]}" if ", part " in query.heading else ""
    kind = _STRONGEST.get(observable.shows, MatchKind.EXACT)
    severity = severity_of(kind, query.confidence, is_blocked=False)
    what = _looked_for(rule, query)
    column = f"{table.name}.{observable.column}"
    opening = f"Looks in {column} for {what} that ThreatFox lists for "
    is_exact = rule.mode is MatchMode.EXACT
    ending = _EXACTLY if is_exact else ". Matches terms, borders or not."
    return Detection(
        query=query,
        table=table,
        name=_name(rule, f": {column}{part}"),
        description=_shortened(f"{opening}{_plain(rule.name)}", ending, DESCRIPTION_CHARACTERS),
        detailed=f"{opening}{_plain(rule.name)} ({_plain(rule.malware)}){ending}"
        + (f" {_ROWS}" if is_exact else ""),
        severity=_SEVERITIES[severity],
        techniques=techniques(query.threat_types),
        entities=entity_mappings(table, observable, query.shown),
        period=period,
    )


def _name(rule: Rule, ending: str) -> str:
    """The family and ``ending``; a family that has to be cut keeps a sign of its own.

    Families that begin alike would have one name otherwise.
    """
    name, room = _plain(rule.name), NAME_CHARACTERS - len(ending)
    if len(name) <= room:
        return name + ending
    sign = hashlib.sha256(rule.malware.encode("utf-8", "surrogatepass")).hexdigest()[:4]
    kept = max(room - len(sign) - 1, 1)
    return f"{name[:kept].rstrip()}~{sign}{ending}"


def _looked_for(rule: Rule, query: Query) -> str:
    """What the rule has to look for in the query's columns, such as ``names and URLs``."""
    search = rule.search(query.table)
    parts = search.predicate.parts if search else ()
    types = {t for one in parts if one.observable.column in query.columns for t in one.types}
    words = [_PLURALS.get(t, "hashes") for t in IndicatorType if t in types]
    return " and ".join(dict.fromkeys(words))


def _plain(text: str) -> str:
    """A family's name on one line, without what templates and formats read as their own."""
    kept = text
    if not text.isprintable():  # few are not: no look at each character
        kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.replace("{{", "{ {").replace("}}", "} }").split())


def _shortened(text: str, ending: str, most: int) -> str:
    room = most - len(ending)
    return (text if len(text) <= room else text[: room - 1] + "\N{HORIZONTAL ELLIPSIS}") + ending
