"""Sigma rules (Sigma specification 2.1, 2025), one file a log source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from foxhunt.content.detections import guid
from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.content.sigma_detection import SOURCES, Source, condition, selections, texts
from foxhunt.content.sigma_yaml import rule_text
from foxhunt.indicators import Indicator
from foxhunt.rules.attack import techniques

_MOST_TITLE = 110
_MOST_REFERENCES = 25
_FALSE_POSITIVES = ("Names, addresses and pages that have changed hands since",)
_TACTICS = {
    "CommandAndControl": "command-and-control",
    "Execution": "execution",
    "Collection": "collection",
    "CredentialAccess": "credential-access",
}


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    shown = [one for one in subject.rule.indicators if any(texts(one))]
    lines = list(head(subject.rule, shown, {}, exclusion_note(subject)))
    for source in SOURCES:
        about = [one for one in shown if one.type in source.types]
        if about:
            count = f"This file: {len(about):,} of them"
            comments = "".join(f"# {line}\n" for line in (lines[0], count, *lines[1:]))
            text = rule_text(document(subject, source, about))
            yield ContentFile(f"sigma-{source.key}.yml", comments + text)


def exclusion_note(subject: Subject) -> str:
    """Sigma has no word for an exclusion that is judged by other events or until a day."""
    count = len(subject.exclusions)
    return f"Your {count:,} exclusions are not in it" if count else ""


def document(subject: Subject, source: Source, about: Sequence[Indicator]) -> dict[str, object]:
    """The rule that looks in a log source for some of a family's indicators, as plain data."""
    name = plain(subject.rule.name)
    title = f": listed in {source.where}"
    confidence = max(one.confidence_level for one in about)
    newest = max(max(one.first_seen, one.last_seen or one.first_seen) for one in about)
    pages = filter(None, map(page_of, about))
    references = list(islice(_unique(pages), _MOST_REFERENCES))
    found, tags = selections(source, about), list(_tags(about))
    return {
        "title": f"{name[: _MOST_TITLE - len(title)]}{title}",
        "id": guid("sigma", subject, source.key),
        "status": "experimental",
        "description": f"Looks in {source.where} for what ThreatFox lists for {name}. "
        f"{source.note}.",
        "references": references or ["https://threatfox.abuse.ch/browse/"],
        "author": "foxhunt",
        "date": f"{min(one.first_seen for one in about):%Y-%m-%d}",
        "modified": f"{newest:%Y-%m-%d}",
        **({"tags": tags} if tags else {}),
        "logsource": dict(source.logsource),
        "detection": {**found, "condition": condition(found)},
        "falsepositives": list(_FALSE_POSITIVES),
        "level": "high" if confidence >= 75 else "medium" if confidence >= 50 else "low",
    }


def _tags(about: Sequence[Indicator]) -> Iterator[str]:
    found = techniques(one.threat_type for one in about)
    yield from dict.fromkeys(f"attack.{_TACTICS[t]}" for one in found for t in one.tactics)
    yield from (f"attack.{one.id.lower()}" for one in found)


def _unique(found: Iterable[str]) -> Iterator[str]:
    """Each once, no further than is asked for: a family has thousands of pages."""
    seen: set[str] = set()
    for one in found:
        if one not in seen:
            seen.add(one)
            yield one
