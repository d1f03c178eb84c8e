"""What a file says of its query: its schema, limits, and what has to agree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jsonschema

from foxhunt.errors import SourceSpan
from foxhunt.lint.model import Document, Issue, Level, Query
from foxhunt.lint.syntax import microsoft
from foxhunt.rules.attack import tactics_of

_RULE_CHARACTERS = 10_000
_UNITS = {"m": 1, "h": 60, "d": 1440}


def length(query: Query) -> Iterator[Issue]:
    """A rule's query has room for 10,000 characters (Sentinel docs, service limits, 2025)."""
    if query.kind != "kql" and len(query.text) > _RULE_CHARACTERS:
        yield Issue(
            code="L111",
            level=Level.ERROR,
            at=query.at(0),
            message=f"{len(query.text):,} characters, a rule has room for {_RULE_CHARACTERS:,}",
            fix="split the list, or read it from a watchlist or ThreatIntelIndicators",
        )


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    text = resources.files("foxhunt.lint").joinpath("schemas", f"{name}.schema.json").read_text()
    return jsonschema.Draft202012Validator(json.loads(text))


def document_issues(document: Document) -> Iterator[Issue]:
    """Yield what is wrong with the rules of a file."""
    for (schema, rule), line in zip(document.rules, document.places, strict=True):
        at = SourceSpan(document.file, line)
        for error in sorted(_validator(schema).iter_errors(rule), key=lambda e: e.json_path):
            yield Issue(
                code="L130",
                level=Level.ERROR,
                at=at,
                message=f"{error.json_path.removeprefix('$.')}: {error.message[:200]}",
                fix="see docs/lint.md",
            )
        if schema == "sentinel-analytics":
            yield from _periods(rule, at)
        yield from _tactics(rule, at)
        yield from _mappings(rule, document.queries, at)


def _tactics(rule: Mapping[str, object], at: SourceSpan) -> Iterator[Issue]:
    """Of techniques that are known here; Azure-Sentinel's tests refuse one without a tactic."""
    named, listed = rule.get("relevantTechniques"), rule.get("tactics")
    tactics = set(map(str, listed)) if isinstance(listed, Sequence) else set()
    for technique in named if isinstance(named, Sequence) else ():
        missing = [name for name in tactics_of(str(technique)) if name not in tactics]
        if missing:
            yield Issue(
                code="L132",
                level=Level.ERROR,
                at=at,
                message=f"{technique} belongs to {', '.join(missing)} too, which tactics lack",
                fix="list every tactic of each technique",
            )


def _periods(rule: Mapping[str, object], at: SourceSpan) -> Iterator[Issue]:
    frequency, period = (_minutes(rule.get(name)) for name in ("queryFrequency", "queryPeriod"))
    if frequency is None or period is None:
        return
    for name, minutes in (("queryFrequency", frequency), ("queryPeriod", period)):
        if not 5 <= minutes <= 14 * 1440:
            yield _period_issue(at, f"{name} is {rule[name]}", "5m to 14d")
    if period < frequency:
        yield _period_issue(
            at,
            "queryPeriod is shorter than queryFrequency: events in between are never seen",
            "make it as long at least",
        )
    if period >= 2 * 1440 and frequency < 60:
        yield _period_issue(at, "a period of two days or more", "a frequency of 1h or more")


def _period_issue(at: SourceSpan, message: str, fix: str) -> Issue:
    return Issue(code="L131", level=Level.ERROR, at=at, message=message, fix=fix)


def _minutes(value: object) -> int | None:
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", str(value))
    return int(found[1]) * _UNITS[found[2]] if found else None


def _mappings(
    rule: Mapping[str, object], queries: Sequence[Query], at: SourceSpan
) -> Iterator[Issue]:
    """Entities of columns that the result does not have; only Microsoft's parser can tell."""
    judge = microsoft()
    listed: Any = rule.get("entityMappings") or ()  # checked by the schema before
    if judge is None or len(queries) != 1 or not isinstance(listed, Sequence):
        return
    judged = judge.judge(queries[0].text)
    columns = {name for name, _ in judged.columns}
    if judged.errors or not columns:
        return
    named = {
        str(field.get("columnName"))
        for mapping in listed
        if isinstance(mapping, Mapping)
        for field in mapping.get("fieldMappings") or ()
        if isinstance(field, Mapping)
    }
    for name in sorted(named - columns):
        yield Issue(
            code="L135",
            level=Level.ERROR,
            at=at,
            message=f"entityMappings name the column {name}, which the query does not return",
            fix="project it, or map another",
        )


def folder_issues(documents: Sequence[Document]) -> Iterator[Issue]:
    """Yield ids that two rules of the files share."""
    seen: dict[str, str] = {}
    for document in documents:
        for (_, rule), line in zip(document.rules, document.places, strict=True):
            id_ = rule.get("id")
            if not isinstance(id_, str):
                continue
            first = seen.setdefault(id_.lower(), document.file)
            if first != document.file:
                yield Issue(
                    code="L133",
                    level=Level.ERROR,
                    at=SourceSpan(document.file, line),
                    message=f"id {id_} is that of {first} too: one would replace the other",
                    fix="give it an id of its own",
                )
