"""Bicep twins of the ARM templates, one file a query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from foxhunt.content.arm import ALERT_API, SEARCH_API, rule_properties, search_properties
from foxhunt.content.detections import Detection, alerts, guid, hunts
from foxhunt.content.model import ContentFile, Subject

_WORKSPACE = """param workspace string

resource target 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspace
}
"""


def analytics(subject: Subject) -> Iterator[ContentFile]:
    """Analytics rules; see `foxhunt.content.Content`."""
    type_ = f"Microsoft.SecurityInsights/alertRules@{ALERT_API}"
    for one in alerts(subject):
        body = {"kind": "Scheduled", "properties": rule_properties(one)}
        yield _file("analytic", subject, one, f"'{type_}' = {{\n  scope: target", body)


def hunting(subject: Subject) -> Iterator[ContentFile]:
    """Hunting queries; see `foxhunt.content.Content`."""
    type_ = f"Microsoft.OperationalInsights/workspaces/savedSearches@{SEARCH_API}"
    for one in hunts(subject):
        body = {"properties": search_properties(one)}
        yield _file("hunting", subject, one, f"'{type_}' = {{\n  parent: target", body)


def _file(
    kind: str, subject: Subject, one: Detection, opening: str, body: Mapping[str, object]
) -> ContentFile:
    name = f"{kind}-{one.query.key}.bicep"
    resource = {"name": guid(kind, subject, one.query.key), **body}
    rest = to_bicep(resource).removeprefix("{\n")
    return ContentFile(
        name,
        f"// Made by foxhunt; version {subject.version(name)}\n{_WORKSPACE}\n"
        f"resource content {opening}\n{rest}\n",
    )


# Bicep language specification, "String literals", 2025.
_ESCAPES = {
    **{"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"},
    "${": "\\${",
}
_ESCAPED = re.compile(r"\$\{|['\\]|[^ -~]")


def quoted(text: str) -> str:
    """A Bicep string literal, in which nothing is interpolated.

    >>> quoted("it's ${x}")
    "'it\\\\'s \\\\${x}'"
    """
    if text.isascii() and text.replace("\n", "").isprintable():
        # What nearly every text is: no call for each of the line breaks and quotes of a query.
        text = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
        return f"'{text.replace(chr(10), _ESCAPES[chr(10)])}'"
    return f"'{_ESCAPED.sub(_escape, text)}'"


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return _ESCAPES.get(char) or ("" if char.isprintable() else f"\\u{{{ord(char):x}}}") or char


def to_bicep(value: object, indent: str = "") -> str:
    """A value as a Bicep expression: objects and arrays one entry a line.

    Raises:
        TypeError: Not a text, number, boolean, mapping or sequence.
    """
    inner = indent + "  "
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return quoted(value)
        case dict():
            lines = [f"{inner}{_key(k)}: {to_bicep(v, inner)}\n" for k, v in value.items()]
            return f"{{\n{''.join(lines)}{indent}}}"
        case list() | tuple():
            lines = [f"{inner}{to_bicep(one, inner)}\n" for one in value]
            return f"[\n{''.join(lines)}{indent}]" if lines else "[]"
        case _:
            raise TypeError(f"no Bicep for {type(value).__name__}")


@lru_cache(maxsize=1_000)  # properties have few names
def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else quoted(name)
