"""ARM templates: analytics rules and hunting queries, one file a query.

API versions of Azure's own type definitions (2026): alertRules 2025-09-01, savedSearches
2020-08-01.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from foxhunt.content.detections import FREQUENCY, Detection, alerts, guid, hunts
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.pretty import to_json
from foxhunt.content.sentinel_yaml import CUSTOM_DETAILS, alert_details, incident_configuration

ALERT_API = "2025-09-01"
SEARCH_API = "2020-08-01"
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def analytics(subject: Subject) -> Iterator[ContentFile]:
    """Analytics rules; see `foxhunt.content.Content`."""
    return _files("analytic", subject, alerts(subject), _alert_rule)


def hunting(subject: Subject) -> Iterator[ContentFile]:
    """Hunting queries; see `foxhunt.content.Content`."""
    return _files("hunting", subject, hunts(subject), _saved_search)


def _files(
    kind: str,
    subject: Subject,
    found: Iterator[Detection],
    resource: Callable[[Detection, str], dict[str, object]],
) -> Iterator[ContentFile]:
    for one in found:
        name = f"arm-{kind}-{one.query.key}.json"
        made = resource(one, guid(kind, subject, one.query.key))
        yield ContentFile(name, _template(made, subject.version(name)))


def _alert_rule(one: Detection, id_: str) -> dict[str, object]:
    return {
        "type": "Microsoft.OperationalInsights/workspaces/providers/alertRules",
        "name": f"/Microsoft.SecurityInsights/{id_}",
        "apiVersion": ALERT_API,
        "kind": "Scheduled",
        "properties": rule_properties(one),
    }


def _saved_search(one: Detection, id_: str) -> dict[str, object]:
    return {
        "type": "Microsoft.OperationalInsights/workspaces/savedSearches",
        "name": f"/{id_}",
        "apiVersion": SEARCH_API,
        "properties": search_properties(one),
    }


def rule_properties(one: Detection) -> dict[str, object]:
    """Properties of an analytics rule, durations in ISO 8601."""
    return {
        "displayName": one.name,
        "description": one.description,
        "severity": one.severity,
        "enabled": True,
        "query": one.query.text,
        "queryFrequency": duration(FREQUENCY),
        "queryPeriod": duration(one.period),
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "suppressionDuration": "PT5H",
        "suppressionEnabled": False,
        "tactics": list(one.tactics),
        # Sub-techniques have a property of their own, in preview APIs only.
        "techniques": list(dict.fromkeys(t.id.partition(".")[0] for t in one.techniques)),
        "entityMappings": [entity.to_dict() for entity in one.entities],
        "customDetails": dict(CUSTOM_DETAILS),
        "alertDetailsOverride": alert_details(one),
        "eventGroupingSettings": {"aggregationKind": "AlertPerResult"},
        "incidentConfiguration": incident_configuration("PT5H"),
    }


def search_properties(one: Detection) -> dict[str, object]:
    """Properties of a saved search that the hunting page shows."""
    tags = {
        "description": one.description,
        "tactics": ",".join(one.tactics),
        "relevantTechniques": ",".join(technique.id for technique in one.techniques),
    }
    return {
        "eTag": "*",
        "displayName": one.name,
        "category": "Hunting Queries",
        "query": one.query.text,
        "version": 1,
        "tags": [{"name": name, "value": value} for name, value in tags.items()],
    }


def duration(span: timedelta) -> str:
    """A span in ISO 8601, in days or hours.

    >>> duration(timedelta(hours=1)), duration(timedelta(days=14))
    ('PT1H', 'P14D')
    """
    hours = int(span.total_seconds()) // 3600
    return f"P{hours // 24}D" if hours % 24 == 0 else f"PT{hours}H"


def _template(resource: Mapping[str, object], version: str) -> str:
    safe = {key: escaped(value) for key, value in resource.items()}
    template = {
        "$schema": _SCHEMA,
        "contentVersion": f"{version}.0",
        "parameters": {"workspace": {"type": "String"}},
        "resources": [{**safe, "name": f"[concat(parameters('workspace'), '{resource['name']}')]"}],
    }
    return to_json(template) + "\n"


def escaped(value: object) -> object:
    """Texts that would be read as an expression, escaped (ARM docs, template expressions, 2025).

    >>> escaped({"displayName": "[RAT]"})
    {'displayName': '[[RAT]'}
    """
    if isinstance(value, str):
        # One that does not end with a bracket is none, and a bracket more would stay in it.
        return f"[{value}" if value.startswith("[") and value.endswith("]") else value
    if isinstance(value, dict):
        return {key: escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [escaped(inner) for inner in value]
    return value
