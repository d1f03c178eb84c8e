"""Defender XDR custom detections: the body of Microsoft Graph's detectionRules, and a Bicep twin.

A result has to hold the time, the keys of its event and a column of an impacted asset
(Defender docs, custom detection rules, 2026); the time is bounded by the service, which runs
an hourly rule over four hours. Tables that are Sentinel's alone are left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from foxhunt.backends import Emission, TimeBound
from foxhunt.content.bicep import to_bicep
from foxhunt.content.detections import Detection, compiled, detection
from foxhunt.content.model import ContentFile, Subject
from foxhunt.errors import UnsupportedError

_BICEP_TYPE = "Microsoft.Security/detectionRules@2026-06-01-preview"


@dataclass(frozen=True, slots=True)
class _Asset:
    """What an alert is about.

    Attributes:
        keys: Columns that tell the event apart.
        column: Column that names the asset.
        type: Graph's type of it.
    """

    keys: tuple[str, ...]
    column: str
    type: str


_DEVICE = _Asset(("DeviceId", "ReportId"), "DeviceId", "impactedDeviceAsset")
_ASSETS = {
    "DeviceNetworkEvents": _DEVICE,
    "DeviceFileEvents": _DEVICE,
    "DeviceProcessEvents": _DEVICE,
    "DeviceImageLoadEvents": _DEVICE,
    "UrlClickEvents": _Asset(("ReportId",), "AccountUpn", "impactedUserAsset"),
    # EmailUrlInfo names neither sender nor recipient: nothing there is an asset.
    "EmailAttachmentInfo": _Asset(("ReportId",), "RecipientEmailAddress", "impactedMailboxAsset"),
}
_CATEGORIES = {
    "CommandAndControl": "CommandAndControl",
    "Execution": "Execution",
    "Collection": "Collection",
    "CredentialAccess": "CredentialAccess",
}


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    keys = tuple(dict.fromkeys(k for one in _ASSETS.values() for k in (*one.keys, one.column)))
    emission = Emission(
        bound=TimeBound.RUNNER, is_alert=True, time_column="Timestamp", event_keys=keys
    )
    found = [
        detection(subject, query, timedelta(hours=4))
        for query in compiled(subject, emission)
        if query.table in _ASSETS
    ]
    if not found:
        tables = ", ".join(sorted({search.table for search in subject.rule.searches}))
        raise UnsupportedError(f"no table of Defender shows indicators of this family: {tables}")
    for one in found:
        body = _body(one)
        yield ContentFile(
            f"defender-{one.query.key}.json", json.dumps(body, indent=2, ensure_ascii=True) + "\n"
        )
        yield ContentFile(f"defender-{one.query.key}.bicep", _bicep(body))


def _body(one: Detection) -> dict[str, object]:
    asset = _ASSETS[one.table.name]
    identifier = asset.column[0].lower() + asset.column[1:]
    category = next((_CATEGORIES[t] for t in one.tactics if t in _CATEGORIES), "Malware")
    return {
        "displayName": one.name,
        "isEnabled": True,
        "queryCondition": {"queryText": one.query.text},
        "schedule": {"period": "1H"},
        "detectionAction": {
            "alertTemplate": {
                "title": one.name,
                "description": one.description,
                "severity": one.severity.lower(),
                "category": category,
                "mitreTechniques": [technique.id for technique in one.techniques],
                "impactedAssets": [
                    {
                        "@odata.type": f"#microsoft.graph.security.{asset.type}",
                        "identifier": identifier,
                    }
                ],
            },
            "responseActions": [],
        },
    }


def _bicep(body: Mapping[str, object]) -> str:
    return (
        "// Needs the extension microsoftSecurity in bicepconfig.json\n"
        f"extension microsoftSecurity\n\nresource content '{_BICEP_TYPE}' = {to_bicep(body)}\n"
    )
