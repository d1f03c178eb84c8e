"""Columns that a rule names and its query does not return."""

from __future__ import annotations

import re
from collections.abc import Iterator

from foxhunt.lint.model import Holder, Issue, Level, Rule
from foxhunt.lint.node import Node
from foxhunt.lint.remarks import result_columns


def unreturned_columns(rule: Rule) -> Iterator[Issue]:
    """Entities, details and titles of columns that the result does not have."""
    named = list(_named_by_detection(rule) if rule.holder is Holder.DEFENDER else _named(rule))
    # Asked for only if something is named: it may take a parser.
    columns = result_columns(rule.query) if rule.query and named else None
    if columns is None:
        return
    for what, name, node in named:
        if name not in columns:
            yield Issue(
                code="L135",
                level=Level.ERROR,
                at=node.at,
                message=f"{what} names the column {name[:80]}, which the query does not return",
                fix="project it, or name another",
            )


def _named(rule: Rule) -> Iterator[tuple[str, str, Node]]:
    mappings = rule.field("entityMappings")
    for mapping in mappings.items if mappings else ():
        fields = mapping.find("fieldMappings")
        for field in fields.items if fields else ():
            column = field.find("columnName")
            if column and column.text:
                yield "entityMappings", column.text, column
    details = rule.field("customDetails")
    for column in details.entries.values() if details else ():
        if column.text:
            yield "customDetails", column.text, column
    override = rule.field("alertDetailsOverride")
    for key, node in override.entries.items() if override else ():
        if node.text and key.endswith("ColumnName"):
            yield key, node.text, node
        elif node.text:
            for name in re.findall(r"\{\{\s*(\w+)\s*\}\}", node.text):
                yield key, name, node


def _named_by_detection(rule: Rule) -> Iterator[tuple[str, str, Node]]:
    """Defender's: lists of entities by their kind, each with keys that end in Column."""
    mappings = rule.node.find("detectionAction", "alertTemplate", "entityMappings")
    for entity in mappings.walk() if mappings else ():
        for key, column in entity.entries.items():
            if column.text and key.endswith("Column"):
                yield "entityMappings", column.text, column
