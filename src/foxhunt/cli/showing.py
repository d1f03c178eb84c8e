"""What `foxhunt show` tells about a value, as text for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from foxhunt.errors import HuntError
from foxhunt.indicators import Indicator, IndicatorSet, Quarantined, refang
from foxhunt.indicators.asked import Asked
from foxhunt.indicators.related import Related, Relation
from foxhunt.indicators.validity import ValidityPolicy
from foxhunt.reports.text import iso, minute, plural, prose, shown

if TYPE_CHECKING:
    from foxhunt.feeds.asking import Answer  # with the client it takes longer than a look-up

SCHEMA = "foxhunt.show/1"
_ROOM = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What the store, or a file, has of a value.

    Attributes:
        name: The snapshot's name; None for files.
        total: How many indicators were looked through.
        indicators: Those that are the value.
        related: What is near it.
        quarantined: Records of the value that were refused.
    """

    name: str | None
    total: int
    indicators: IndicatorSet
    related: Related
    quarantined: tuple[Quarantined, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """All that is told about a value.

    Attributes:
        asked: The value.
        now: When; aware.
        local: None if there is no store.
        online: ThreatFox's answer, why there is none, or None if it was not asked.
        sample: Likewise, about what a sample with this hash talks to.
    """

    asked: Asked
    now: datetime
    local: Local | None
    online: Answer | HuntError | None = None
    sample: Answer | HuntError | None = None


def as_text(told: Shown, policy: ValidityPolicy) -> str:
    """The whole as text, values defanged."""
    lines: list[str] = []
    if told.local is not None:
        lines += _local_lines(told, told.local, policy)
    if told.online is not None:
        lines += ["", *_online_lines(told, told.online, policy)]
    if told.sample is not None:
        lines += ["", *_sample_lines(told.sample)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _local_lines(told: Shown, local: Local, policy: ValidityPolicy) -> Iterator[str]:
    where = f"snapshot {local.name}" if local.name else "the files"
    count = f"{len(local.indicators):,}" if len(local.indicators) else "none"
    looked = f"{plural(local.total, 'indicator')} of {where}"
    yield f"{shown(refang(told.asked.text))} is {count} of {looked}"
    if not len(local.indicators) and Relation.ABOVE in (local.related.totals or {}):
        yield "a domain above covers it, so that a hunt finds it"
    for one in local.indicators:
        yield from _indicator_lines(one, told.now, policy)
    for record in local.quarantined:
        yield ""
        yield f"refused: {shown(record.value)} ({prose(record.type, limit=40)})"
        yield f"  {prose(record.reason, (record.value,))}"
        yield f"  id {prose(record.source_id, limit=40)}; it is in quarantine, never hunted"
    yield from _related_lines(local.related)


def _related_lines(found: Related) -> Iterator[str]:
    if not found.total:
        return
    counts = ", ".join(f"{n:,} {relation}" for relation, n in (found.totals or {}).items())
    yield ""
    yield f"related: {plural(found.total, 'indicator')} ({counts})"
    names = [prose(one.malware_printable, limit=30) for _, one in found.shown]
    room = max(map(len, names), default=0)
    for (relation, one), name in zip(found.shown, names, strict=True):
        active = minute(_activity(one))[:10]
        yield f"  {relation:<9}  {one.type:<7}  {active}  {name:<{room}}  {shown(one.value)}"
    if found.total > len(found.shown):
        yield (
            f"  {found.total - len(found.shown):,} more: raise --limit, or "
            "`foxhunt indicators --under` lists them"
        )


def _online_lines(told: Shown, online: Answer | HuntError, policy: ValidityPolicy) -> Iterator[str]:
    value = shown(refang(told.asked.text))
    if isinstance(online, HuntError):
        yield f"ThreatFox was not asked to an end: whether it has {value} is not known"
        return
    yield from _asked_lines(online)
    known = _identities(told.local)
    if not len(online.indicators):
        yield f"ThreatFox has no indicator {value}"
    for one in online.indicators:
        yield from _indicator_lines(one, told.now, policy)
        if (one.source, one.source_id) not in known:
            yield f"  {'in the store':<{_ROOM}}no"
    if online.others:
        yield ""
        yield f"left out: {plural(online.others, 'answer')} about other values"
    yield from _refused_lines(online)


def _sample_lines(sample: Answer | HuntError) -> Iterator[str]:
    if isinstance(sample, HuntError):
        yield "ThreatFox was not asked to an end: what the sample talks to is not known"
        return
    yield from _asked_lines(sample)
    count = len(sample.indicators)
    yield f"the sample talks to {plural(count, 'indicator')}" if count else "it knows of no C2"
    for one in sample.indicators:
        yield (
            f"  {one.type:<7}  {minute(_activity(one))[:10]}  "
            f"{prose(one.malware_printable, limit=30)}  {shown(one.value)}"
        )
    yield from _refused_lines(sample)


def _asked_lines(answer: Answer) -> Iterator[str]:
    for query in answer.queries:
        yield f"asked ThreatFox: {prose(query, (query.rpartition(' ')[2],))}"


def _refused_lines(answer: Answer) -> Iterator[str]:
    for record in answer.quarantined:
        yield f"refused: {shown(record.value)}: {prose(record.reason, (record.value,))}"


def _indicator_lines(one: Indicator, now: datetime, policy: ValidityPolicy) -> Iterator[str]:
    aliases = f", also called {', '.join(one.malware_alias)}" if one.malware_alias else ""
    compromised = {True: "yes, as its reporter says", False: "no", None: "not said"}
    told: Mapping[str, str | None] = {
        "family": f"{one.malware_printable} ({one.malware}){aliases}",
        "threat type": one.threat_type,
        "confidence": f"{one.confidence_level} of 100",
        "first seen": minute(one.first_seen),
        "last seen": minute(one.last_seen) if one.last_seen else "not since",
        "valid": _validity(one, now, policy),
        "tags": ", ".join(one.tags) or None,
        "reporter": one.reporter,
        "reference": one.reference,
        "compromised": compromised[one.is_compromised],
        "source": f"{one.source} {one.source_id}",
    }
    yield ""
    yield f"{one.type} {shown(one.value)}"
    for name, text in told.items():
        if text is not None:
            yield f"  {name:<{_ROOM}}{prose(text)}"


def _activity(one: Indicator) -> datetime:
    return max(one.first_seen, one.last_seen or one.first_seen)


def _ends(one: Indicator, policy: ValidityPolicy) -> datetime | None:
    """Until when an indicator counts (R6); None if it does not age."""
    lifetime = policy.lifetimes.get(one.type)
    return None if lifetime is None else _activity(one) + lifetime


def _validity(one: Indicator, now: datetime, policy: ValidityPolicy) -> str:
    ends = _ends(one, policy)
    if ends is None:
        return "yes, it does not age"
    if policy.covers(one, now):
        return f"yes, until {minute(ends)}"
    return f"no, for events until {minute(ends)} only"


def as_json(told: Shown, policy: ValidityPolicy) -> str:
    """The whole as one JSON object, ``foxhunt.show/1``; values exact."""
    local = told.local
    document = {
        "schema": SCHEMA,
        "asked": told.asked.text,
        "read_as": [{"type": str(t), "value": value} for t, value in told.asked.values],
        "store": None
        if local is None
        else {
            "snapshot": local.name,
            "indicators": local.total,
            "found": _objects(local.indicators, told, policy),
            "related": [
                {"relation": str(relation), **_object(one, told.now, policy)}
                for relation, one in local.related.shown
            ],
            "related_total": local.related.total,
            "quarantined": _quarantined(local.quarantined),
        },
        "online": _answer(told.online, told, policy),
        "c2": _answer(told.sample, told, policy),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _answer(
    answer: Answer | HuntError | None, told: Shown, policy: ValidityPolicy
) -> dict[str, object] | None:
    if answer is None:
        return None
    if isinstance(answer, HuntError):
        return {"error": str(answer)}
    return {
        "queries": list(answer.queries),
        "found": _objects(answer.indicators, told, policy),
        "others": answer.others,
        "quarantined": _quarantined(answer.quarantined),
    }


def _objects(
    indicators: IndicatorSet, told: Shown, policy: ValidityPolicy
) -> list[dict[str, object]]:
    return [_object(one, told.now, policy) for one in indicators]


def _object(one: Indicator, now: datetime, policy: ValidityPolicy) -> dict[str, object]:
    ends = _ends(one, policy)
    told: dict[str, object] = {}
    for field in fields(one):
        value = getattr(one, field.name)
        told[field.name] = iso(value) if isinstance(value, datetime) else value
    return told | {
        "is_valid": policy.covers(one, now),
        "valid_until": iso(ends) if ends is not None else None,
    }


def _quarantined(records: Sequence[Quarantined]) -> list[dict[str, str]]:
    return [
        {"source_id": q.source_id, "value": q.value, "type": q.type, "reason": q.reason}
        for q in records
    ]


def _identities(local: Local | None) -> set[tuple[str, str]]:
    return {(one.source, one.source_id) for one in local.indicators} if local else set()
