"""Azure-Sentinel's YAML: hunting queries and scheduled analytics rules, one file a query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from foxhunt.backends.kql_text import timespan
from foxhunt.content.detections import FREQUENCY, Detection, alerts, guid, hunts
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.yaml_text import document

CUSTOM_DETAILS = {
    "Indicator": "Indicator",
    "IndicatorType": "IndicatorType",
    "MalwareFamily": "Malware",
    "ConfidenceLevel": "ConfidenceLevel",
    "MatchKind": "Match",
}


def hunting(subject: Subject) -> Iterator[ContentFile]:
    """Hunting queries; see `foxhunt.content.Content`."""
    for one in hunts(subject):
        name = f"hunting-{one.query.key}.yaml"
        value = {
            "id": guid("hunting", subject, one.query.key),
            "name": one.name,
            "description": one.description,
            "description-detailed": one.detailed,
            "requiredDataConnectors": one.connectors,
            **_attack(one),
            "query": one.query.text + "\n",
            "entityMappings": [entity.to_dict() for entity in one.entities],
            "version": subject.version(name),
        }
        yield ContentFile(name, document(value))


def analytics(subject: Subject) -> Iterator[ContentFile]:
    """Scheduled analytics rules; see `foxhunt.content.Content`."""
    for one in alerts(subject):
        name = f"analytic-{one.query.key}.yaml"
        value = {
            "id": guid("analytic", subject, one.query.key),
            "name": one.name,
            "description": one.description,
            "description-detailed": one.detailed,
            "severity": one.severity,
            "requiredDataConnectors": one.connectors,
            "queryFrequency": timespan(FREQUENCY),
            "queryPeriod": timespan(one.period),
            "triggerOperator": "gt",
            "triggerThreshold": 0,
            **_attack(one),
            "query": one.query.text + "\n",
            "entityMappings": [entity.to_dict() for entity in one.entities],
            "customDetails": CUSTOM_DETAILS,
            "alertDetailsOverride": alert_details(one),
            "eventGroupingSettings": {"aggregationKind": "AlertPerResult"},
            "incidentConfiguration": incident_configuration(timespan(timedelta(hours=5))),
            "version": subject.version(name),
            "kind": "Scheduled",
        }
        yield ContentFile(name, document(value))


def alert_details(one: Detection) -> dict[str, object]:
    """How an alert is named: by what was met, in at most three of the row's columns."""
    return {
        "alertDisplayNameFormat": f"{{{{Malware}}}}: {{{{Indicator}}}} in {one.table.name}",
        "alertDescriptionFormat": "ThreatFox lists {{Indicator}} ({{IndicatorType}}); met as "
        "{{Match}}.",
    }


def incident_configuration(span: str) -> dict[str, object]:
    """One incident for alerts about the same entities within ``span``."""
    return {
        "createIncident": True,
        "groupingConfiguration": {
            "enabled": True,
            "reopenClosedIncident": False,
            "lookbackDuration": span,
            "matchingMethod": "AllEntities",
        },
    }


def _attack(one: Detection) -> dict[str, list[str]]:
    return {
        "tactics": list(one.tactics),
        "relevantTechniques": [technique.id for technique in one.techniques],
    }
