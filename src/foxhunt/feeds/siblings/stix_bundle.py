"""STIX 2.0 and 2.1: bundles, TAXII envelopes and the bodies of Sentinel's upload API.

Objects of type ``indicator`` are the records, one for each alternative of its pattern
(`foxhunt.feeds.siblings.stix_patterns`); of the other objects names are read, and their number is
told.

- Source: the name of the identity that created it, else ``stix``. The id is STIX's own; from the
  second alternative on, ``.2`` and so on is put behind it.
- Family: the malware and tools that it ``indicates`` by a relationship, with their aliases, and the
  Malpedia label where an external reference gives one; or a label ``malware:...`` as foxhunt
  writes it. Without any, ``unknown``.
- Confidence: ``confidence``, else 50, which is ThreatFox's default for what somebody submits.
- ``valid_from`` is ``first_seen``. ``valid_until`` sets ``last_seen`` so that the validity of R6
  ends when the publisher says; without it ``modified`` is ``last_seen``. Where the publisher's end
  comes before the shortest validity that foxhunt knows, and for hashes, which do not age, the
  indicator counts for longer than he says, and a note tells for how many.
- ``revoked`` takes back what an earlier sync took, and every version of the object in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from foxhunt.errors import FeedError, ParseError, SourceSpan
from foxhunt.feeds.json_text import JsonText
from foxhunt.feeds.raw import Broken, Reading
from foxhunt.feeds.siblings.json_documents import each_key, keys_in
from foxhunt.feeds.siblings.told import RawTold, Told, broken, family, threat_type_of, words
from foxhunt.feeds.threatfox import read_time
from foxhunt.indicators import Retraction
from foxhunt.indicators.validity import ValidityPolicy

if TYPE_CHECKING:
    from foxhunt.feeds.siblings.stix_patterns import Observable

SOURCE = "stix"
_BUNDLE = re.compile(r'(?<!\\)"type"\s*:\s*"bundle"')
_LISTS = ("objects", "stixobjects")
_REVOKED = "revoked: its publisher took it back"
_KIND = "STIX pattern"
_NAMED = ("malware", "tool")
# What foxhunt's own bundles say in labels (`foxhunt.content.stix`).
_MALWARE, _THREAT_TYPE, _SHARED = "malware:", "threat-type:", "shared-host"
# STIX allows any number of digits, Python's datetime six.
_FINER_DIGITS = re.compile(r"(\.[0-9]{6})[0-9]+")
_LIFETIMES = ValidityPolicy().lifetimes
# The end of the years that a time of a feed may lie in.
_LATEST = datetime(2100, 12, 31, tzinfo=UTC)
# Names of other feeds: a stranger's identity must not pass for one of them.
_TAKEN = frozenset({"threatfox", "urlhaus", "malwarebazaar", "feodotracker", "sslbl", "misp"})


def recognises(head: str) -> bool:
    """Whether the beginning of a file is STIX's."""
    keys = keys_in(head)
    if not keys or not head.lstrip().startswith("{"):
        return False
    return bool(_BUNDLE.search(head)) or {"objects", "spec_version"} <= keys or _LISTS[1] in keys


def told(stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
    """Yield the indicators of a bundle.

    Raises:
        FeedError: It is no bundle.
    """
    if not is_json:
        raise FeedError("no STIX bundle: not JSON", at=SourceSpan(reading.name))
    objects = _Objects()
    objects.read(JsonText(stream, reading.name), reading)
    for raw in objects.indicators:
        yield from objects.told(raw)
    if objects.revoked:
        reading.notes.append(f"indicators that are revoked: {len(objects.revoked):,}")
    if objects.longer:
        reading.notes.append(
            f"{objects.longer} indicators count for longer than their valid_until says: "
            "foxhunt's own lifetime of the type is longer"
        )


@dataclass(slots=True)
class _Objects:
    """The objects of one bundle: a relationship may stand before what it relates."""

    indicators: list[object] = field(default_factory=list)
    named: dict[str, Mapping[str, object]] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    indicated: dict[str, list[str]] = field(default_factory=dict)
    # With the time of the version that says so.
    revoked: dict[str, datetime | None] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    longer: int = 0

    def read(self, text: JsonText, reading: Reading) -> None:
        reading.format = "STIX bundle"
        has_objects, kind = False, None
        if text.peek() != "{":
            raise FeedError("no STIX bundle: not an object", at=SourceSpan(reading.name))
        for key in each_key(text):
            if key in _LISTS and text.peek() == "[":
                has_objects = True
                for item in text.each_item():
                    self._take(item)
            else:
                value = text.value()
                kind = value if key == "type" else kind
        if text.peek():
            raise text.error("more text after the end of the JSON")
        if not has_objects and kind != "bundle":
            raise FeedError("JSON, but no STIX bundle: no objects", at=SourceSpan(reading.name))
        if self.others:
            counted = ", ".join(f"{n} {name[:40]}" for name, n in sorted(self.others.items()))
            reading.notes.append(f"objects that are no indicators: {counted[:500]}")

    def _take(self, item: object) -> None:
        kind = item.get("type") if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or not isinstance(kind, str) or kind == "indicator":
            self.indicators.append(item)
            if isinstance(item, Mapping) and item.get("revoked") is True and item.get("id"):
                self.revoked[str(item["id"])] = _changed(item)
            return
        self.others[kind if kind.isprintable() else "other"] += 1
        if item.get("revoked") is True:
            return
        own_id, name = item.get("id"), item.get("name")
        if kind in _NAMED and isinstance(name, str):
            self.named[str(own_id)] = item
        elif kind == "identity" and isinstance(name, str):
            self.identities[str(own_id)] = name
        elif kind == "relationship" and item.get("relationship_type") == "indicates":
            self.indicated.setdefault(str(item.get("source_ref")), []).append(
                str(item.get("target_ref"))
            )

    def told(self, raw: object) -> Iterator[Told | Retraction]:
        """The records of one indicator, or that it is revoked."""
        if not isinstance(raw, Mapping):
            yield Told(source=SOURCE, record=broken(raw), type=_KIND)
            return
        source, own_id, pattern = self._source(raw), raw.get("id"), raw.get("pattern")
        source_id = own_id if isinstance(own_id, str) and own_id else None
        if source_id is not None and source_id in self.revoked:
            for number in range(1, _alternative_count(pattern) + 1):
                revoked_at = self.revoked[source_id]
                yield Retraction(source, _numbered(source_id, number), _REVOKED, revoked_at)
            return
        try:
            records = self._records(raw)
        except ParseError as error:
            records = [Broken(pattern if isinstance(pattern, str) else "", error.message)]
        for number, record in enumerate(records, start=1):
            numbered = None if source_id is None else _numbered(source_id, number)
            yield Told(
                source=source,
                source_id=numbered,
                record=record,
                type=_KIND,
                changed=_changed(raw),
            )

    def _records(self, raw: Mapping[str, object]) -> list[Mapping[str, object] | Broken]:
        self._check(raw)
        found = _alternatives(raw.get("pattern"))
        fields, times = self._fields(raw), _Times.of(raw)
        return [
            one if isinstance(one, Broken) else fields | self._dated(raw, times, one)
            for one in found
        ]

    def _check(self, raw: Mapping[str, object]) -> None:
        if raw.get("revoked") is True:  # without an id it takes back no other
            raise ParseError(_REVOKED)
        kind = raw.get("pattern_type", "stix")
        if kind != "stix":
            raise ParseError(f"a pattern of type {str(kind)[:40]!r}, not stix")

    def _source(self, raw: Mapping[str, object]) -> str:
        name = " ".join(self.identities.get(str(raw.get("created_by_ref")), "").split())
        if not name.isprintable() or not 0 < len(name) <= 100 or name.casefold() in _TAKEN:
            return SOURCE
        return name

    def _fields(self, raw: Mapping[str, object]) -> dict[str, object]:
        """What all records of one indicator have in common."""
        labels = words(raw.get("labels"))
        own = [label.removeprefix(_MALWARE) for label in labels if label.startswith(_MALWARE)]
        own = [label for label in own if label]
        return {
            "confidence_level": raw.get("confidence"),
            "reference": _reference(raw, is_ours=bool(own)),
            "tags": [label for label in labels if not _is_ours(label)],
        } | (_own_family(raw, own[0]) if own else self._family(raw))

    def _family(self, raw: Mapping[str, object]) -> dict[str, object]:
        targets = self.indicated.get(str(raw.get("id")), ())
        found = [self.named[target] for target in dict.fromkeys(targets) if target in self.named]
        if len(found) != 1:
            return family(str(one["name"]) for one in found)
        name = str(found[0]["name"])
        fields = family([_malpedia(found[0]) or name])
        if fields["malware"] == "unknown":
            return fields
        aliases = (*words(found[0].get("aliases")), *words(found[0].get("x_mitre_aliases")))
        others = [alias for alias in dict.fromkeys(aliases) if alias != name]
        return fields | {"malware_printable": name, "malware_alias": others}

    def _dated(
        self, raw: Mapping[str, object], times: _Times, one: Observable
    ) -> dict[str, object]:
        """Type, value and times: how long it counts depends on the type."""
        first, last = times.first, times.modified
        if times.until is not None:
            lifetime = _LIFETIMES.get(one.type)
            last = None if lifetime is None else min(times.until - lifetime, _LATEST)
            self.longer += last is None or (first is not None and last < first)
        return {
            "ioc_value": one.text,
            "ioc_type": str(one.type),
            "threat_type": _threat_type(raw, str(one.type)),
            "first_seen": _spelled(first),
            "last_seen": _spelled(last) if first and last and last > first else None,
        }


@dataclass(frozen=True, slots=True)
class _Times:
    """When an indicator counts, by its publisher.

    Attributes:
        first: Since when.
        until: Until when, or None.
        modified: When he last changed it, or None.
    """

    first: datetime | None
    until: datetime | None
    modified: datetime | None

    @classmethod
    def of(cls, raw: Mapping[str, object]) -> _Times:
        """The times of an indicator.

        Raises:
            ParseError: One of them is none.
        """
        return cls(
            _moment(raw, "valid_from") or _moment(raw, "created"),
            _moment(raw, "valid_until"),
            _moment(raw, "modified"),
        )


def _changed(raw: Mapping[str, object]) -> datetime | None:
    """When the publisher last changed an indicator; None if it is no time, or none is given."""
    try:
        return _moment(raw, "modified") or _moment(raw, "created")
    except ParseError:
        return None


def _alternatives(pattern: object) -> Sequence[Observable | Broken]:
    # The parser's package takes a while to load, and most files are no STIX.
    from foxhunt.feeds.siblings.stix_patterns import Refused, read_pattern

    if not isinstance(pattern, str):
        raise ParseError("no pattern")
    return [
        Broken(pattern, one.why) if isinstance(one, Refused) else one
        for one in read_pattern(pattern)
    ]


def _numbered(source_id: str, number: int) -> str:
    """The id of an indicator's record, of which there is one for each alternative."""
    return source_id if number == 1 else f"{source_id}.{number}"


def _alternative_count(pattern: object) -> int:
    try:
        return max(1, len(_alternatives(pattern)))
    except ParseError:
        return 1


def _moment(raw: Mapping[str, object], name: str) -> datetime | None:
    text = raw.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise ParseError(f"{name} is no text but a {type(text).__name__}")
    if text.startswith("9999-"):
        return _LATEST + timedelta(days=366)
    return read_time(_FINER_DIGITS.sub(r"\1", text))


def _spelled(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ")


def _threat_type(raw: Mapping[str, object], kind: str) -> str:
    labels = [label for label in words(raw.get("labels")) if label.startswith(_THREAT_TYPE)]
    if labels:
        return labels[0].removeprefix(_THREAT_TYPE)
    phases = raw.get("kill_chain_phases")
    names = (
        [p.get("phase_name") for p in phases if isinstance(p, Mapping)]
        if isinstance(phases, list)
        else []
    )
    return threat_type_of(kind, "botnet_cc" if "command-and-control" in names else "unknown")


def _reference(raw: Mapping[str, object], *, is_ours: bool) -> str | None:
    found = raw.get("external_references")
    for one in found if isinstance(found, list) else ():
        if not isinstance(one, Mapping) or not isinstance(one.get("url"), str):
            continue
        # foxhunt writes ThreatFox's page from the id; it is no reference of the reporter's.
        if not (is_ours and one.get("source_name") == "ThreatFox"):
            return str(one["url"])
    return None


def _is_ours(label: str) -> bool:
    return label.startswith((_MALWARE, _THREAT_TYPE)) or label == _SHARED


def _own_family(raw: Mapping[str, object], label: str) -> dict[str, object]:
    """The label, and the family's name, which stands before type and value in the name."""
    name = raw.get("name")
    match = _OWN_NAME.fullmatch(name) if isinstance(name, str) else None
    return {"malware": label, "malware_printable": match[1] if match else label}


_OWN_NAME = re.compile(r"(.{1,200}?) (?:ip:port|domain|url|md5_hash|sha1_hash|sha256_hash): .+")


def _malpedia(raw: Mapping[str, object]) -> str | None:
    """The Malpedia label that a malware object refers to."""
    found = raw.get("external_references")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping) and str(one.get("source_name")).casefold() == "malpedia":
            own_id = one.get("external_id")
            return own_id if isinstance(own_id, str) else None
    return None
