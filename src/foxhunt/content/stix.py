"""STIX 2.1: a bundle, and request bodies for Sentinel's upload API; nothing is sent.

A request takes 100 objects (Sentinel docs, STIX objects API, 2024-02-01-preview). Labels are
what the queries of `--delivery ti-table` find the indicators by.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from foxhunt.backends.kql_indicators import (
    MALWARE_LABEL,
    SHARED_LABEL,
    SOURCE_SYSTEM,
    validity,
)
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.content.parsed import address_and_port, is_shared_host, key_of_url
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules.attack import techniques

_BATCH = 100
# OASIS's namespace for deterministic ids of STIX (STIX 2.1, 2.9).
_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_HASHES = {
    IndicatorType.MD5: "MD5",
    IndicatorType.SHA1: "'SHA-1'",
    IndicatorType.SHA256: "'SHA-256'",
}
# Kill-chain phases of ATT&CK are its tactics in lower case with hyphens.
_PHASES = {
    "CommandAndControl": "command-and-control",
    "Execution": "execution",
    "Collection": "collection",
    "CredentialAccess": "credential-access",
}


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    rule = subject.rule
    said = [one for one in rule.indicators if pattern_of(one) is not None]
    revoked = {one.indicator: one.at for one in subject.revoked if pattern_of(one.indicator)}
    list(head(rule, [*said, *revoked], {}))  # refuses a family of which nothing can be said
    # In the order they came to be known: a new one changes the last request alone.
    said = sorted((*said, *revoked), key=lambda one: (one.first_seen, one.source, one.source_id))
    made = (to_stix(one, is_revoked=one in revoked, changed_at=revoked.get(one)) for one in said)
    objects = [json.dumps(one, ensure_ascii=True) for one in made]
    bundle_id = f"bundle--{uuid.uuid5(_NAMESPACE, f'foxhunt {rule.malware}')}"
    head_of_bundle = {"type": "bundle", "id": bundle_id}
    yield ContentFile("stix-bundle.json", _file(head_of_bundle, "objects", objects))
    for start in range(0, len(objects), _BATCH):
        text = _file(
            {"sourcesystem": SOURCE_SYSTEM}, "stixobjects", objects[start : start + _BATCH]
        )
        yield ContentFile(f"stix-upload-{start // _BATCH + 1:03}.json", text)


def _file(head_of_it: Mapping[str, str], name: str, objects: Sequence[str]) -> str:
    """A JSON object that ends with a list; one object of the list a line, so that it diffs."""
    opened = json.dumps(dict(head_of_it), ensure_ascii=True).removesuffix("}")
    listed = ",\n".join(objects)
    return f'{opened}, "{name}": [\n{listed}\n]}}\n'


def to_stix(
    one: Indicator, *, is_revoked: bool = False, changed_at: datetime | None = None
) -> dict[str, object]:
    """An indicator as a STIX 2.1 object.

    Args:
        one: Of a type that has a pattern.
        is_revoked: Whether it was taken back, which is for good.
        changed_at: When it was, aware; None if nobody says.
    """
    last = max(one.first_seen, one.last_seen or one.first_seen)
    if is_revoked:
        # Later than the version it takes back, also where a feed saw it after that: of two that
        # were changed at one time readers keep the one that they have.
        last = max(last + timedelta(seconds=1), changed_at or last)
    until = validity(one)[1]
    phases = [_PHASES[t] for found in techniques([one.threat_type]) for t in found.tactics]
    value: dict[str, object] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid5(_NAMESPACE, f'{one.source} {one.source_id}')}",
        "created": _time(one.first_seen),
        "modified": _time(last),
        "name": plain(f"{one.malware_printable} {one.type}: {one.value}")[:500],
        "indicator_types": ["malicious-activity"],
        "pattern": pattern_of(one),
        "pattern_type": "stix",
        "valid_from": _time(one.first_seen),
        "confidence": one.confidence_level,
        "labels": _labels(one),
    }
    if until is not None:
        value["valid_until"] = _time(until)
    if phases:
        value["kill_chain_phases"] = [
            {"kill_chain_name": "mitre-attack", "phase_name": phase} for phase in phases
        ]
    if references := list(_references(one)):
        value["external_references"] = references
    if is_revoked:
        value["revoked"] = True
    return value


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC).isoformat()[:19]}.000Z"


def _labels(one: Indicator) -> list[str]:
    key = key_of_url(one.value) if one.type is IndicatorType.URL else None
    host = key.host if key else one.value
    shared = one.type in (IndicatorType.URL, IndicatorType.DOMAIN) and is_shared_host(host)
    texts = [
        f"{MALWARE_LABEL}{one.malware}",
        f"threat-type:{one.threat_type}",
        *([SHARED_LABEL] if shared else []),
        *one.tags,
    ]
    return list(dict.fromkeys(filter(None, map(plain, texts))))


def _references(one: Indicator) -> Iterator[dict[str, str]]:
    page = page_of(one)
    if page is not None:
        yield {"source_name": "ThreatFox", "url": page, "external_id": one.source_id}
    if one.reference and one.reference.startswith(("https://", "http://")):
        yield {"source_name": "reference", "url": one.reference}


def pattern_of(one: Indicator) -> str | None:
    """The indicator's STIX pattern; None for a type that has none here."""
    match one.type:
        case IndicatorType.DOMAIN:
            return f"[domain-name:value = {literal(one.value)}]"
        case IndicatorType.URL:
            return f"[url:value = {literal(one.value)}]"
        case IndicatorType.IP_PORT:
            address, port = address_and_port(one.value)
            return (
                f"[network-traffic:dst_ref.value = {literal(str(address))} "
                f"AND network-traffic:dst_port = {port}]"
            )
        case IndicatorType.MD5 | IndicatorType.SHA1 | IndicatorType.SHA256:
            return f"[file:hashes.{_HASHES[one.type]} = {literal(one.value)}]"
        case _:
            return None


def literal(text: str) -> str:
    r"""A text in STIX's patterning language (STIX 2.1, 9.3).

    >>> print(literal("it's \\"))
    'it\'s \\'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
