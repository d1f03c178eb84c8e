"""What a file says of its query: its schema, limits, and what has to agree."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources

import jsonschema

from foxhunt.lint.attack import tactics_of
from foxhunt.lint.model import Document, Holder, Issue, Level, Query, Rule
from foxhunt.lint.node import Node
from foxhunt.lint.rule_columns import unreturned_columns

_RULE_CHARACTERS = 10_000
_PLACEHOLDERS = 3
# Schema file and the definition in it that a rule of a format keeps to.
_SCHEMAS = {
    Holder.ANALYTICS: ("sentinel-analytics", None),
    Holder.HUNTING: ("sentinel-hunting", None),
    Holder.ARM_ANALYTICS: ("arm", "rule"),
    Holder.ARM_HUNTING: ("arm", "search"),
    Holder.DEFENDER: ("defender", None),
}
_SPAN = re.compile(
    r"(?P<short>[0-9]{1,6})(?P<unit>[mhd])"
    r"|P(?:(?P<D>[0-9]{1,6})D)?(?:T(?:(?P<H>[0-9]{1,6})H)?(?:(?P<M>[0-9]{1,6})M)?(?:[0-9]+S)?)?"
    r"|(?:(?P<days>[0-9]{1,6})\.)?(?P<hours>[0-9]{1,2}):(?P<minutes>[0-9]{2})(?::[0-9]{2})?"
)
_UNITS = {"m": 1, "h": 60, "d": 1440}


def length(query: Query) -> Iterator[Issue]:
    """A rule's query has room for 10,000 characters (Sentinel docs, scheduled rules, 2026)."""
    if query.holder is not Holder.KQL and len(query.text) > _RULE_CHARACTERS:
        yield Issue(
            code="L111",
            level=Level.ERROR,
            at=query.at(0),
            message=f"{len(query.text):,} characters, a rule has room for {_RULE_CHARACTERS:,}",
            fix="split the list, or read it from a watchlist or ThreatIntelIndicators",
        )


def rule_issues(document: Document) -> Iterator[Issue]:
    """Yield what is wrong with the rules of a file."""
    for rule in document.rules:
        for check in RULE_CHECKS:
            yield from check(rule)


@cache
def _validator(name: str, definition: str | None) -> jsonschema.Draft202012Validator:
    text = resources.files("foxhunt.lint").joinpath("schemas", f"{name}.schema.json")
    schema = json.loads(text.read_text("utf-8"))
    if definition:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def _schema(rule: Rule) -> Iterator[Issue]:
    """Fields that are missing, of another type, too long, too many."""
    if rule.is_partial:
        yield from _too_long(rule)
        return
    validator = _validator(*_SCHEMAS[rule.holder])
    found = sorted(validator.iter_errors(rule.node.plain()), key=lambda e: (e.json_path, e.message))
    for error in found:
        # A query that is empty or too long has a code of its own.
        is_query = list(error.absolute_path) == ["query"] and error.validator != "type"
        if is_query or _is_computed(error.instance):
            continue
        field = error.json_path.removeprefix("$").removeprefix(".")
        yield Issue(
            code="L130",
            # The services grow: a field that is not known here may be known there.
            level=Level.WARNING if error.validator == "additionalProperties" else Level.ERROR,
            at=rule.node.nearest(iter(error.absolute_path)).at,
            message=f"{field}: {error.message[:200]}" if field else error.message[:200],
            fix="see docs/lint.md",
        )


def _is_computed(value: object) -> bool:
    """Whether ARM computes a value when it deploys: of what type it will be is not known."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]")


def _too_long(rule: Rule) -> Iterator[Issue]:
    """Of a format whose files are not read as a whole: its texts alone."""
    for name, most in (("name", 256), ("description", 5000)):
        node = rule.field(name)
        if node and node.text and not node.is_expression and len(node.text) > most:
            message = f"{name}: {len(node.text):,} characters, there is room for {most:,}"
            yield _issue("L130", Level.ERROR, node, message, "shorten it")


def _issue(code: str, level: Level, node: Node, message: str, fix: str) -> Issue:
    return Issue(code=code, level=level, at=node.at, message=message, fix=fix)


def _periods(rule: Rule) -> Iterator[Issue]:
    """How often and over how long a rule runs (Azure-Sentinel's own tests, 2026)."""
    if rule.holder not in (Holder.ANALYTICS, Holder.ARM_ANALYTICS):
        return
    frequency, period = rule.field("queryFrequency"), rule.field("queryPeriod")
    often, long = _minutes(frequency), _minutes(period)
    for name, node, minutes in (
        ("queryFrequency", frequency, often),
        ("queryPeriod", period, long),
    ):
        if node and minutes is not None and not 5 <= minutes <= 14 * 1440:
            message = f"{name} is {node.value}"
            yield _issue("L131", Level.ERROR, node, message, "5 minutes to 14 days")
    if period is None or often is None or long is None:
        return
    if long < often:
        message = "queryPeriod is shorter than queryFrequency: events in between are never seen"
        yield _issue("L131", Level.ERROR, period, message, "make it as long at least")
    if long >= 2 * 1440 and often < 60:
        message = "a queryPeriod of two days or more"
        yield _issue("L131", Level.ERROR, period, message, "a queryFrequency of 1 hour or more")


def _minutes(node: Node | None) -> int | None:
    found = _SPAN.fullmatch(str(node.value)) if node else None
    if found is None:
        return None
    if found["short"]:
        return int(found["short"]) * _UNITS[found["unit"]]
    days, hours, minutes = (
        int(found[iso] or found[net] or 0)
        for iso, net in (("D", "days"), ("H", "hours"), ("M", "minutes"))
    )
    return (days * 24 + hours) * 60 + minutes


def _tactics(rule: Rule) -> Iterator[Issue]:
    """A technique without one of its tactics (Azure-Sentinel's own tests, 2026)."""
    listed = rule.field("relevantTechniques")
    if listed is None:
        return
    tactics = rule.field("tactics")
    named = {node.text for node in tactics.items} if tactics else set()
    level = Level.WARNING if rule.holder is Holder.HUNTING else Level.ERROR
    for node in listed.items:
        technique = node.text or ""
        # Those of industrial systems (T0...) are of another matrix.
        if not re.fullmatch(r"T[1-9][0-9]{3}(\.[0-9]{3})?", technique):
            continue
        wanted = tactics_of(technique)
        if wanted is None:
            message = f"{technique} is no technique of ATT&CK v17"
            yield _issue("L132", Level.WARNING, node, message, "see attack.mitre.org")
        elif wanted - named:
            missing = ", ".join(sorted(wanted - named))
            message = f"{technique} belongs to {missing} too, which tactics lack"
            fix = "list every tactic of each technique"
            yield _issue("L132", level, node, message, fix)


def _placeholders(rule: Rule) -> Iterator[Issue]:
    """More columns in a title than the service fills in (Azure-Sentinel's own tests, 2026)."""
    for name in ("alertDisplayNameFormat", "alertDescriptionFormat"):
        override = rule.field("alertDetailsOverride")
        node = override.find(name) if override else None
        count = len(re.findall(r"\{\{[^{}]*\}\}", node.text)) if node and node.text else 0
        if node and count > _PLACEHOLDERS:
            message = f"{name} names {count} columns, {_PLACEHOLDERS} are filled in"
            yield _issue("L136", Level.ERROR, node, message, "drop some")


RULE_CHECKS: tuple[Callable[[Rule], Iterator[Issue]], ...] = (
    _schema,
    _periods,
    _tactics,
    unreturned_columns,
    _placeholders,
)
