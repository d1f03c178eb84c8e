"""What a reader of a sibling feed hands on: a record in ThreatFox's spelling, and whose it is.

Every feed is put into the fields of a ThreatFox record, and `foxhunt.feeds.threatfox.read_record`
says what a record must have: one place decides what a time, a label or a value may look like, which
id a record without one gets, and why a record is quarantined.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from foxhunt.feeds.raw import Broken
from foxhunt.feeds.threatfox import read_record
from foxhunt.indicators import Indicator, IndicatorType, Quarantined, Retraction

UNKNOWN = "unknown"
# More names than this are a list of tags and not a family.
_MOST_NAMES = 6
_MALPEDIA = re.compile(r"[a-z0-9]{2,8}\.[a-z0-9_]{2,80}")
_NO_WORD = re.compile(r"[\W_]+")
_LONGEST = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One record of a sibling feed.

    Attributes:
        source: The feed's name.
        source_id: The publisher's own id, or None to derive one.
        record: Its fields as ThreatFox's JSON export spells them, or why it is none.
        type: For quarantine, where ``record`` has no ``ioc_type``.
        at: Where in the file it is, for the reason of a quarantine.
        changed: When the publisher last changed what he says of it; aware; None if he does not
            say. Compared with the time of its retraction.
    """

    source: str
    source_id: str | None = None
    record: Mapping[str, object] | Broken
    type: str = ""
    at: str = ""
    changed: datetime | None = None

    def read(self) -> Indicator | Quarantined:
        """Turn it into an indicator, or say why it is none."""
        raw = self.record if isinstance(self.record, Broken) else dict(self.record)
        read = read_record(raw, self.source_id)
        if isinstance(read, Indicator):
            return replace(read, source=self.source)
        reason = read.reason
        if self.at:
            code, _, why = reason.partition(": ")
            reason = f"{code}: {self.at}: {why}"
        return replace(read, type=read.type or self.type, reason=reason, source=self.source)


RawTold: TypeAlias = Iterator[Told | Retraction]


def family(names: Iterable[str]) -> dict[str, object]:
    """Return the three fields that name a family, of the names a feed gives it.

    Sibling feeds give no Malpedia label, so one name becomes a label of its own: lower case,
    with ``_`` for everything else. Several names are one family of that combination, with each
    of them as an alias, so that ``--family`` finds it by each, and finds nothing else by them.

    >>> family(["AgentTesla"])["malware"]
    'agenttesla'
    >>> family(["win.agent_tesla"])["malware"]
    'win.agent_tesla'
    >>> family([])["malware"]
    'unknown'
    """
    by_label = {label: name for name in names if (label := _label(name))}
    if not by_label or len(by_label) > _MOST_NAMES:
        return {"malware": UNKNOWN, "malware_printable": "Unknown malware", "malware_alias": []}
    labels = sorted(by_label)
    shown = [by_label[label] for label in labels]
    joined = "+".join(labels)
    if len(joined) > _LONGEST or len(", ".join(shown)) > _LONGEST:
        return family([])
    return {
        "malware": joined,
        "malware_printable": ", ".join(shown),
        "malware_alias": shown if len(shown) > 1 else [],
    }


def _label(name: str) -> str:
    name = name.strip()
    if _MALPEDIA.fullmatch(name):
        return name
    # Of a name that no label can hold, nothing is left; a hostile one must not cost the record.
    return _NO_WORD.sub("_", name.casefold()).strip("_") if name.isprintable() else ""


def words(raw: object) -> tuple[str, ...]:
    """The tags of a list, or of a text with commas; what else stands there is for `read_record`."""
    if isinstance(raw, str):
        raw = [] if raw == "None" else raw.split(",")
    if not isinstance(raw, list):
        return ()
    return tuple(word.strip() for word in raw if isinstance(word, str) and word.strip())


def broken(raw: object) -> Broken:
    """What stands where a record should."""
    if isinstance(raw, Broken):
        return raw
    try:
        text = raw if isinstance(raw, str) else json.dumps(raw, default=str)
    except RecursionError:
        text = "nested too deeply"
    return Broken(text[:_LONGEST], f"not a record but a {type(raw).__name__}")


def address_and_port(address: object, port: object) -> object:
    """``address:port`` as `foxhunt.indicators.parse` takes it; of no address, what stands there."""
    if not isinstance(address, str):
        return address
    address = address.strip()
    shown = f"[{address}]" if ":" in address and not address.startswith("[") else address
    return shown if port is None else f"{shown}:{port}".strip()


def threat_type_of(kind: object, default: str) -> str:
    """The threat type where the feed tells none: of hashes ``payload``, else ``default``."""
    return "payload" if kind in _HASHES else default


_HASHES = frozenset(str(kind) for kind in IndicatorType if kind.is_hash)
