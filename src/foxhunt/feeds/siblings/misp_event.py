"""MISP: events as JSON, one, a list, an answer of its API, or the files of a MISP feed.

Attributes that are for detection (``to_ids``) are the records, those of objects included. Others
are context, and so are attributes that were deleted: a note tells their number, by type. What an
earlier sync took of them is taken back.

- Source: ``misp``. The id is the attribute's UUID.
- Types: ``domain``, ``hostname``, ``url``, ``ip-dst|port``, ``domain|ip`` (its domain), hashes
  (``md5``, ``sha1``, ``sha256``, ``sha3-384``), alone, behind ``filename|`` or as
  ``malware-sample``; an object ``ip-port`` is its address with each of its ports. Any other type is
  quarantined with its reason.
- Family: what a galaxy of the attribute names (``misp-galaxy:malpedia="AsyncRAT"``; else one of the
  other malware galaxies), else the comment of ThreatFox's feed ("AsyncRAT botnet C2 server
  (confidence level: 100%)"), else a galaxy of the event. Without any, ``unknown``.
- Confidence: that of such a comment, else of MISP's taxonomy (``misp:confidence-level``), else 50,
  which is ThreatFox's default for what somebody submits.
- ``first_seen`` is the attribute's, else the day of the event: an attribute's ``timestamp`` moves
  with every edit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import Broken, Reading
from foxhunt.feeds.siblings.json_documents import each_key, each_place, keys_in
from foxhunt.feeds.siblings.told import (
    RawTold,
    Told,
    address_and_port,
    broken,
    family,
    threat_type_of,
)
from foxhunt.indicators import Retraction

SOURCE = "misp"
_START = re.compile(r'\[?\s*\{\s*"(?:Event|response)"\s*:')
_TYPES = {
    "domain": "domain",
    "hostname": "domain",
    "url": "url",
    "md5": "md5_hash",
    "sha1": "sha1_hash",
    "sha256": "sha256_hash",
    "sha3-384": "sha3_384_hash",
}
_REASONS = {
    "ip-dst": "an address without a port is no indicator of foxhunt's",
    "ip-src": "an address without a port is no indicator of foxhunt's",
    "ip-src|port": "the port of a source says nothing about the next connection",
    "hostname|port": "a name with a port is no indicator of foxhunt's",
}
_GALAXY = re.compile(r'misp-galaxy:([a-z0-9-]{1,60})="(.{1,200})"', re.DOTALL)
# Clusters of MISP's galaxies whose values are malware; Malpedia's come first.
_MALWARE_GALAXIES = (
    *("malpedia", "mitre-malware", "mitre-tool", "tool", "rat", "stealer", "banker", "botnet"),
    *("ransomware", "backdoor", "android", "cryptominers"),
)
# ATT&CK's galaxies write "Amadey - S1025".
_ATTACK_ID = re.compile(r" - [SG][0-9]{4}$")
_COMMENT = re.compile(r"(.{1,300}?) \(confidence level: ([0-9]{1,3})%\)\s*", re.DOTALL)
_SAID = {
    " botnet C2 server": "botnet_cc",
    " botnet C2": "botnet_cc",
    " payload delivery server": "payload_delivery",
    " payload delivery URL": "payload_delivery",
    " payload": "payload",
}
_CONFIDENCE_TAG = re.compile(r'misp:confidence-level="([a-z-]{1,40})"')
# MISP taxonomies, `misp`, predicate confidence-level: its numerical values (2026-10).
_CONFIDENCE = {
    "completely-confident": 100,
    "usually-confident": 75,
    "fairly-confident": 50,
    "rarely-confident": 25,
    "unconfident": 0,
}
# An answer is an object with a list of objects, which hold the events.
_DEEPEST = 4
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def recognises(head: str) -> bool:
    """Whether the beginning of a file is MISP's."""
    keys = keys_in(head)
    return bool(_START.match(head.lstrip())) and bool({"Event", "Attribute"} & keys)


def told(stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
    """Yield the attributes of events that are for detection.

    Raises:
        FeedError: It holds no event.
    """
    if not is_json:
        raise FeedError("no MISP event: not JSON", at=SourceSpan(reading.name))
    reading.format = "MISP events"
    text = JsonText(stream, reading.name)
    left: Counter[str] = Counter()
    events = 0
    for event in _events(text):
        events += 1
        if isinstance(event, Broken):
            yield Told(source=SOURCE, record=event)
        else:
            yield from _Event.of(event).told(left)
    if text.peek():
        raise text.error("more text after the end of the JSON")
    if not events:
        raise FeedError("JSON, but no MISP event in it", at=SourceSpan(reading.name))
    if left:
        counted = ", ".join(f"{n} {name[:40]}" for name, n in sorted(left.items()))
        reading.notes.append(f"attributes not for detection or deleted: {counted[:500]}")


def _events(text: JsonText, depth: int = 0) -> Iterator[Mapping[str, object] | Broken]:
    """The events of an object or a list, whatever they are wrapped in."""
    if text.peek() == "[" and depth < _DEEPEST:
        for _ in each_place(text):
            yield from _events(text, depth + 1)
    elif text.peek() == "{" and depth < _DEEPEST:
        for key in each_key(text):
            if key == "Event" and text.peek() == "{":
                yield _event(text)
            elif key == "response":
                yield from _events(text, depth + 1)
            elif key == "Attribute" and text.peek() == "[":
                # An answer of its search for attributes: each names its event.
                yield {"Attribute": list(text.each_item())}
            else:
                text.value()
    else:
        yield broken(text.value())


def _event(text: JsonText) -> Mapping[str, object]:
    """An event; its attributes are taken one by one, since an event may be large."""
    event: dict[str, object] = {}
    for key in each_key(text):
        is_list = key in ("Attribute", "Object") and text.peek() == "["
        event[key] = list(text.each_item()) if is_list else text.value()
    return event


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """What the attributes of an event have in common.

    Attributes:
        raw: The event.
        tags: Names of its tags, those of its galaxies included.
        reporter: Who made it.
        day: Its date, as a time.
    """

    raw: Mapping[str, object]
    tags: tuple[str, ...]
    reporter: object
    day: str | None = field(default=None)

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> _Event:
        """What an event says of itself."""
        by, day = raw.get("Orgc"), raw.get("date")
        is_day = isinstance(day, str) and bool(_DAY.fullmatch(day))
        return cls(
            raw=raw,
            tags=_tags(raw),
            reporter=by.get("name") if isinstance(by, Mapping) else None,
            day=f"{day} 00:00:00" if is_day else None,
        )

    def told(self, left: Counter[str]) -> RawTold:
        """The records; what is none is counted in ``left`` by its type."""
        for raw in _list(self.raw.get("Attribute")):
            yield from self._attribute(raw, left)
        for one in _list(self.raw.get("Object")):
            if not isinstance(one, Mapping):
                yield Told(source=SOURCE, record=broken(one))
            elif one.get("deleted") in _YES:
                left["object"] += 1
                for raw in _joined(one):
                    yield from _retracted(raw, "deleted with its object", one.get("timestamp"))
            else:
                for raw in _joined(one):
                    yield from self._attribute(raw, left)

    def _attribute(self, raw: object, left: Counter[str]) -> RawTold:
        if not isinstance(raw, Mapping):
            yield Told(source=SOURCE, record=broken(raw))
            return
        kind, value, own_id = raw.get("type"), raw.get("value"), raw.get("uuid")
        shown = kind if isinstance(kind, str) else ""
        if raw.get("to_ids", True) not in _YES or raw.get("deleted") in _YES:
            left[shown if shown.isprintable() else "other"] += 1
            is_deleted = raw.get("deleted") in _YES
            why = "deleted" if is_deleted else "no longer for detection"
            yield from _retracted(raw, why, raw.get("timestamp"))
            return
        source_id = own_id if isinstance(own_id, str) and own_id else None
        found = _typed(shown, value)
        record = found if isinstance(found, Broken) else self._record(raw, *found)
        changed = _moment(raw.get("timestamp"))
        yield Told(
            source=SOURCE, source_id=source_id, record=record, type=shown[:60], changed=changed
        )

    def _record(self, raw: Mapping[str, object], kind: str, value: object) -> dict[str, object]:
        comment = raw.get("comment")
        said = _COMMENT.fullmatch(comment) if isinstance(comment, str) else None
        tags = _tags(raw)
        named, threat_type = _said(said[1]) if said else (None, None)
        names = _malware(tags) or ([named] if named else []) or _malware(self.tags)
        if threat_type is None:
            is_delivery = raw.get("category") == "Payload delivery"
            default = "payload_delivery" if is_delivery else "unknown"
            threat_type = threat_type_of(kind, default)
        return {
            "ioc_value": value,
            "ioc_type": kind,
            "threat_type": threat_type,
            "first_seen": raw.get("first_seen") or self.day or _epoch(raw.get("timestamp")),
            "last_seen": raw.get("last_seen"),
            "confidence_level": int(said[2]) if said else _confidence(tags, self.tags),
            "reporter": self.reporter,
            "tags": list(dict.fromkeys((*tags, *self.tags))),
        } | family(names)


_YES = (True, 1, "1", "true", "True")


def _retracted(raw: object, why: str, at: object) -> Iterator[Retraction]:
    own_id = raw.get("uuid") if isinstance(raw, Mapping) else None
    if isinstance(own_id, str) and own_id:
        yield Retraction(SOURCE, own_id, f"{why} by the event's maker", _moment(at))


def _list(raw: object) -> list[object]:
    return raw if isinstance(raw, list) else []


def _tags(raw: Mapping[str, object]) -> tuple[str, ...]:
    """Names of tags, and of the galaxies' clusters, which are tags too."""
    found = [one.get("name") for one in _list(raw.get("Tag")) if isinstance(one, Mapping)]
    for galaxy in _list(raw.get("Galaxy")):
        clusters = galaxy.get("GalaxyCluster") if isinstance(galaxy, Mapping) else None
        found += [one.get("tag_name") for one in _list(clusters) if isinstance(one, Mapping)]
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str) and name))


def _malware(tags: tuple[str, ...]) -> list[str]:
    """The families that tags name, by the first galaxy that names any."""
    found = [match.groups() for tag in tags if (match := _GALAXY.fullmatch(tag))]
    for galaxy in _MALWARE_GALAXIES:
        names = [_ATTACK_ID.sub("", name) for kind, name in found if kind == galaxy]
        if names:
            return names
    return []


def _said(text: str) -> tuple[str | None, str | None]:
    """Family and threat type of a comment of ThreatFox's feed."""
    for ending, threat_type in _SAID.items():
        if text.endswith(ending):
            return text.removesuffix(ending), threat_type
    return None, None


def _confidence(*levels: tuple[str, ...]) -> int | None:
    for tags in levels:
        for tag in tags:
            match = _CONFIDENCE_TAG.fullmatch(tag)
            if match and match[1] in _CONFIDENCE:
                return _CONFIDENCE[match[1]]
    return None


def _typed(kind: str, value: object) -> tuple[str, object] | Broken:
    """Type and value in ThreatFox's spelling, or why there are none."""
    if not isinstance(value, str):
        return Broken("", "an attribute without a value")
    if kind in _TYPES:
        return _TYPES[kind], value
    if kind == "domain|ip":
        return "domain", value.partition("|")[0]
    if kind == "ip-dst|port":
        address, _, port = value.rpartition("|")
        return "ip:port", address_and_port(address or value, port if address else None)
    name = "md5" if kind == "malware-sample" else kind.removeprefix("filename|")
    if name != kind and name in _TYPES:
        # A file's name may hold the sign that separates them.
        return _TYPES[name], value.rpartition("|")[2]
    why = _REASONS.get(kind, f"no type of indicator is a MISP attribute of type {kind[:60]!r}")
    return Broken(value, why)


def _joined(raw: Mapping[str, object]) -> Iterator[object]:
    """The attributes of an object; address and ports of an ``ip-port`` object are one each."""
    attributes = _list(raw.get("Attribute"))
    if raw.get("name") != "ip-port":
        yield from attributes
        return
    parts = [one for one in attributes if isinstance(one, Mapping)]
    ports = [one for one in parts if one.get("object_relation") == "dst-port"]
    addresses = [one for one in parts if one.get("object_relation") in ("ip", "ip-dst")]
    if len(addresses) != 1 or not ports:
        yield from attributes
        return
    yield from (one for one in attributes if one not in ports and one not in addresses)
    for number, port in enumerate(ports, start=1):
        own_id = addresses[0].get("uuid")
        yield dict(addresses[0]) | {
            "type": "ip-dst|port",
            "value": f"{addresses[0].get('value')}|{port.get('value')}",
            "uuid": own_id if number == 1 else f"{own_id}.{number}",
        }


def _epoch(raw: object) -> str | None:
    """A time of MISP's as text that `read_record` reads."""
    moment = _moment(raw)
    return None if moment is None else moment.isoformat(sep=" ")


def _moment(raw: object) -> datetime | None:
    """Seconds since 1970, as MISP writes times; None if it is something else."""
    if not isinstance(raw, str | int) or not re.fullmatch(r"[0-9]{1,10}", str(raw)):
        return None
    return datetime.fromtimestamp(int(raw), UTC)
