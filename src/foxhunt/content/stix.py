"""STIX 2.1: a bundle, and request bodies for Sentinel's upload API; nothing is sent.

A request takes 100 objects (Sentinel docs, STIX objects API, 2024-02-01-preview). Labels are
what the queries of `--delivery ti-table` find the indicators by.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from foxhunt.backends.kql_indicators import (
    MALWARE_LABEL,
    SHARED_LABEL,
    SOURCE_SYSTEM,
    validity,
)
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules.attack import techniques
from foxhunt.rules.parsed import address_and_port, is_shared_host, key_of_url

_BATCH = 100
# `json.dumps` makes an encoder for each call, and what is made here has no circles.
_ENCODER = json.JSONEncoder(check_circular=False)
# OASIS's namespace for deterministic ids of STIX (STIX 2.1, 2.9).
_NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_HASHES = {
    IndicatorType.MD5: "MD5",
    IndicatorType.SHA1: "'SHA-1'",
    IndicatorType.SHA256: "'SHA-256'",
}
_PATTERNED = frozenset((*_HASHES, IndicatorType.DOMAIN, IndicatorType.URL, IndicatorType.IP_PORT))
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
    said = [one for one in rule.indicators if one.type in _PATTERNED]
    revoked = {one.indicator: one.at for one in subject.revoked if one.indicator.type in _PATTERNED}
    list(head(rule, [*said, *revoked], {}))  # refuses a family of which nothing can be said
    # In the order they came to be known: a new one changes the last request alone.
    said = sorted((*said, *revoked), key=lambda one: (one.first_seen, one.source, one.source_id))
    if revoked:
        made = [to_stix(x, is_revoked=x in revoked, changed_at=revoked.get(x)) for x in said]
    else:
        made = list(map(to_stix, said))  # an indicator has fifteen fields to hash
    objects = list(map(_ENCODER.encode, made))
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
    until, first_seen = validity(one)[1], _time(one.first_seen)
    phases = _phases(one.threat_type)
    value: dict[str, object] = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid5(f'{one.source} {one.source_id}')}",
        "created": first_seen,
        "modified": _time(last) if last is not one.first_seen else first_seen,
        "name": plain(f"{one.malware_printable} {one.type}: {one.value}")[:500],
        "indicator_types": ["malicious-activity"],
        "pattern": pattern_of(one),
        "pattern_type": "stix",
        "valid_from": first_seen,
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


def uuid5(name: str) -> str:
    """`uuid.uuid5` in STIX's namespace, as text: without an object for each of a million.

    >>> uuid5("threatfox 1") == str(uuid.uuid5(_NAMESPACE, "threatfox 1"))
    True
    """
    hashed = hashlib.sha1(_NAMESPACE.bytes + name.encode(), usedforsecurity=False)
    digest = bytearray(hashed.digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC).isoformat()[:19]}.000Z"


@lru_cache(maxsize=100)
def _phases(threat_type: str) -> tuple[str, ...]:
    return tuple(_PHASES[t] for found in techniques([threat_type]) for t in found.tactics)


def _labels(one: Indicator) -> list[str]:
    shared = False
    if one.type is IndicatorType.URL or one.type is IndicatorType.DOMAIN:
        key = key_of_url(one.value) if one.type is IndicatorType.URL else None
        shared = is_shared_host(key.host if key else one.value)
    texts = [
        f"{MALWARE_LABEL}{one.malware}",
        f"threat-type:{one.threat_type}",
        *([SHARED_LABEL] if shared else []),
        *one.tags,
    ]
    return list(dict.fromkeys(filter(None, map(_label, texts))))


_label = lru_cache(maxsize=10_000)(plain)  # a family's indicators share most


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
