"""Defender XDR custom detections: the body of Microsoft Graph's detectionRules, and a Bicep twin.

The form is the one that Graph and ``2026-06-01-preview`` share (Graph docs, alertTemplate,
2026-06; Sentinel docs, custom content CI/CD, 2026-07): ``status``, ``frequency``, ``tactics`` and
``entityMappings``. Those it replaced (``isEnabled``, ``period``, ``category``,
``mitreTechniques``, ``impactedAssets``) are announced to be gone since 2026-10-01.

A result has to hold the time, the keys of its event and an asset (Defender docs, custom
detection rules, 2026); the service bounds the time, and runs an hourly rule over four hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from foxhunt.backends import Emission, Query, TimeBound
from foxhunt.content.bicep import to_bicep
from foxhunt.content.detections import Detection, compiled, detection, guid
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.pretty import to_json
from foxhunt.errors import UnsupportedError
from foxhunt.tables import get_table

_BICEP_TYPE = "Microsoft.Security/detectionRules@2026-06-01-preview"
_EXTENSION = "br:mcr.microsoft.com/bicep/extensions/microsoftsecurity:v1.0.1"
_LOOKBACK = timedelta(hours=4)
_NAME_CHARACTERS = 256
_DEFENDER = "MicrosoftThreatProtection"

_Mappings = dict[str, list[dict[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asset:
    """What an alert is about.

    Attributes:
        keys: Columns that tell the event apart.
        column: Column that names the asset.
        kind: Graph's collection of such entities.
        field: What names the column there.
    """

    keys: tuple[str, ...]
    column: str
    kind: str
    field: str


_DEVICE = _Asset(
    keys=("DeviceId", "ReportId"), column="DeviceId", kind="hosts", field="deviceIdColumn"
)
_ASSETS = {
    "DeviceNetworkEvents": _DEVICE,
    "DeviceFileEvents": _DEVICE,
    "DeviceProcessEvents": _DEVICE,
    "DeviceImageLoadEvents": _DEVICE,
    "UrlClickEvents": _Asset(
        keys=("ReportId",), column="AccountUpn", kind="accounts", field="upnColumn"
    ),
    "EmailAttachmentInfo": _Asset(
        keys=("ReportId",),
        column="RecipientEmailAddress",
        kind="mailboxes",
        field="primaryAddressColumn",
    ),
}
# What was met, where Graph has a column for it; it has none for an MD5.
_OBSERVED = {
    ("IP", "Address"): ("ips", "addressColumn"),
    ("URL", "Url"): ("urls", "addressColumn"),
    ("FileHash", "SHA1"): ("files", "sha1Column"),
    ("FileHash", "SHA256"): ("files", "sha256Column"),
}


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    keys = tuple(dict.fromkeys(k for one in _ASSETS.values() for k in (*one.keys, one.column)))
    emission = Emission(
        bound=TimeBound.RUNNER, is_alert=True, time_column="Timestamp", event_keys=keys
    )
    queries = compiled(subject, emission)
    reasons = [_reason(query) for query in queries]
    left = _left_out(queries, reasons)
    if all(reasons):
        raise UnsupportedError(
            f"no table of Defender can alert on {subject.rule.name}: {left}",
            hint="sentinel-analytics has rules for Sentinel's tables",
        )
    for query, reason in zip(queries, reasons, strict=True):
        if not reason:
            one = detection(subject, query, _LOOKBACK)
            mappings, name = _mappings(one), f"defender-{query.key}.bicep"
            body = _body(subject, one, mappings)
            text = to_json(body) + "\n"
            yield ContentFile(f"defender-{query.key}.json", text)
            twin = _body(subject, one, _with_ids(mappings))
            yield ContentFile(name, _bicep(twin, one, left, subject.version(name)))


def _reason(query: Query) -> str:
    """Why a query can be no detection; nothing if it can."""
    asset = _ASSETS.get(query.table)
    if asset is None and get_table(query.table).connector == _DEFENDER:
        return "no asset in its rows"
    if asset is None:
        return "only Sentinel has it"
    missing = {"Timestamp", *asset.keys, asset.column} - set(query.shown)
    return f"no {', '.join(sorted(missing))} in its rows" if missing else ""


def _left_out(queries: Sequence[Query], reasons: Sequence[str]) -> str:
    """Tables that have no detection, and why; the same however many parts they come in."""
    found: dict[str, dict[str, None]] = {}
    for query, reason in zip(queries, reasons, strict=True):
        if reason:
            found.setdefault(reason, {})[query.table] = None
    return "; ".join(f"{', '.join(tables)} ({reason})" for reason, tables in found.items())


def _body(subject: Subject, one: Detection, mappings: _Mappings) -> dict[str, object]:
    template: dict[str, object] = {
        "title": one.name,
        "description": one.description,
        "severity": one.severity.lower(),
    }
    if one.tactics:
        template["tactics"] = [_tactic(one)]
    template["entityMappings"] = mappings
    return {
        # Ids begin with a letter, which a GUID often does not (seen in public deployments, 2026).
        "id": f"foxhunt-{guid('defender', subject, one.query.key)}",
        "displayName": _display_name(one.name, subject.rule.malware),
        "status": "enabled",
        "queryCondition": {"queryText": one.query.text},
        "schedule": {"frequency": "PT1H"},
        "detectionAction": {"alertTemplate": template},
    }


def _display_name(name: str, malware: str) -> str:
    """A name that is unique in a tenant, as it has to be: two families share a printable name.

    >>> _display_name("Latrodectus: T.C", "js.latrodectus")
    'Latrodectus: T.C (js.latrodectus)'
    """
    label = f" ({re.sub(r'[^A-Za-z0-9._-]', '_', malware)[:64]})"
    # Too long, it keeps its end, which tells queries apart.
    return name[-(_NAME_CHARACTERS - len(label)) :] + label


def _tactic(one: Detection) -> dict[str, object]:
    """The one tactic that the service takes (seen in public deployments, 2026-09)."""
    tactic = one.tactics[0]
    grouped: dict[str, list[str]] = {}
    for technique in one.techniques:
        parent, dot, _ = technique.id.partition(".")
        if tactic in technique.tactics:
            grouped.setdefault(parent, []).extend([technique.id] if dot else [])
    return {
        "tactic": tactic,
        "techniques": [
            {"technique": parent, **({"subTechniques": below} if below else {})}
            for parent, below in grouped.items()
        ],
    }


def _mappings(one: Detection) -> _Mappings:
    """The asset, and what was met on it, as Graph names their columns."""
    asset = _ASSETS[one.table.name]
    found: _Mappings = {asset.kind: [{asset.field: asset.column}]}
    for entity in one.entities:
        identifier, column = entity.fields[-1]
        key = column if entity.type == "FileHash" else identifier
        kind, field = _OBSERVED.get((entity.type, key), ("", ""))
        if kind:
            found.setdefault(kind, []).append({field: column})
    return found


def _with_ids(mappings: _Mappings) -> _Mappings:
    """Bicep's type asks for an id of each mapping, which Graph refuses (as seen, 2026-09)."""
    return {
        kind: [{"id": f"{kind}{number}", **mapping} for number, mapping in enumerate(listed, 1)]
        for kind, listed in mappings.items()
    }


def _bicep(body: Mapping[str, object], one: Detection, left: str, version: str) -> str:
    heads = [
        f"Made by foxhunt; version {version}",
        f'Needs in bicepconfig.json: "extensions": {{"MicrosoftSecurity": "{_EXTENSION}"}}',
    ]
    if left:
        heads.append(f"Left out: {left}")
    if one.tactics[1:]:
        heads.append(f"Left out, as a detection has one tactic: {', '.join(one.tactics[1:])}")
    return (
        "".join(f"// {line}\n" for line in heads)
        + f"extension MicrosoftSecurity\n\nresource content '{_BICEP_TYPE}' = {to_bicep(body)}\n"
    )
