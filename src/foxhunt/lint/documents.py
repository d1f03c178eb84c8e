"""Files into queries and rules, each with its place: YAML, ARM and Defender JSON, Bicep, KQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from foxhunt.errors import ContentError, SourceSpan
from foxhunt.lint.bicep_nodes import read_bicep
from foxhunt.lint.json_nodes import read_json
from foxhunt.lint.model import Document, Holder, Query, Rule
from foxhunt.lint.node import Node
from foxhunt.lint.source import Passage, Source
from foxhunt.lint.statements import queries_of
from foxhunt.lint.yaml_nodes import read_yaml

SUFFIXES = (".kql", ".kusto", ".csl", ".yaml", ".yml", ".json", ".bicep")
_MOST_BYTES = 20_000_000
# What ARM calls the fields of Azure-Sentinel's YAML (Tools/ConvertYamlToJson, 2024).
_ARM_NAMES = {"name": "displayName", "relevantTechniques": "techniques"}
# The last part of a resource's type, in any case, and what it holds.
_RESOURCES = {
    "alertrules": Holder.ARM_ANALYTICS,
    "savedsearches": Holder.ARM_HUNTING,
    "detectionrules": Holder.DEFENDER,
}
# How often a detection runs, in both forms of Graph's, and that it runs all the time.
_SPANS = (("schedule", "period"), ("schedule", "frequency"), ("period",), ("frequency",))
_NO_SPAN = re.compile(r"0|PT?0[DHMS]")
_RULE_FIELDS = ("kind", "severity", "queryFrequency", "queryPeriod", "triggerOperator")


def read_document(path: Path) -> Document:
    """Read a file by its suffix.

    Raises:
        ContentError: It cannot be read, or is no text, YAML or JSON.
    """
    source = _source(path)
    match path.suffix.lower():
        case ".yaml" | ".yml":
            return _of_tree(read_yaml(source))
        case ".json":
            return _of_tree(read_json(source))
        case ".bicep":
            return _document(source.file, list(_of_bicep(source)))
        case _:
            found = Passage(source.text, source, range(len(source.text)))
            queries = tuple(Query(one) for one in queries_of(found))
            return Document(file=source.file, queries=queries)


def _source(path: Path) -> Source:
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ContentError(f"cannot be read: {error.strerror}", at=SourceSpan(name)) from error
    if len(data) > _MOST_BYTES:
        raise ContentError(f"is larger than {_MOST_BYTES:,} bytes", at=SourceSpan(name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError("is no UTF-8 text", at=SourceSpan(name)) from error
    if "\0" in text:
        raise ContentError("is no text: it holds NUL characters", at=SourceSpan(name))
    return Source(name, text.replace("\r\n", "\n"))


def _document(file: str, found: list[tuple[Rule, Node | None]]) -> Document:
    rules = tuple(rule for rule, _ in found)
    return Document(
        file=file,
        rules=rules,
        queries=tuple(rule.query for rule in rules if rule.query),
        computed=tuple(node for _, node in found if node and node.is_expression),
    )


def _of_tree(root: Node) -> Document:
    return _document(root.source.file, list(_rules(root)))


def _rules(root: Node) -> Iterator[tuple[Rule, Node | None]]:
    """The rules of a file: the file itself is one, or they are somewhere in a template."""
    if "query" in root.entries:
        is_analytics = any(name in root.entries for name in _RULE_FIELDS)
        holder = Holder.ANALYTICS if is_analytics else Holder.HUNTING
        yield _rule(root, holder, root.find("query"), root.find("id"))
        return
    for node in root.walk():
        kind = node.find("type")
        type_ = kind.text if kind else None
        properties = node.find("properties")
        if "queryCondition" in node.entries:
            yield _rule(node, Holder.DEFENDER, node.find("queryCondition", "queryText"))
        elif properties is None:
            continue
        elif type_:
            holder_ = _RESOURCES.get(type_.rpartition("/")[2].lower())
            if holder_ and holder_ is not Holder.DEFENDER:
                yield _resource(node, properties, holder_)
        # What the service itself exports has a kind and no type.
        elif node is root and "kind" in node.entries and "query" in properties.entries:
            yield _resource(node, properties, Holder.ARM_ANALYTICS)


def _resource(node: Node, properties: Node, holder: Holder) -> tuple[Rule, Node | None]:
    kind = node.find("kind")
    is_streamed = bool(kind and str(kind.text).lower() == "nrt")
    query = _unescaped(properties.find("query"))
    return _rule(properties, holder, query, node.find("name"), is_streamed=is_streamed)


def _unescaped(node: Node | None) -> Node | None:
    """What ARM makes of a text: in brackets it is an expression, two at its start are one."""
    if node is None or node.passage is None or not node.passage.text.startswith("["):
        return node
    if node.passage.text.startswith("[["):
        passage = node.passage.cut(1)
        return Node(value=passage.text, source=node.source, start=node.start, passage=passage)
    if not node.passage.text.rstrip().endswith("]"):
        return node
    return Node(value=node.value, source=node.source, start=node.start, is_expression=True)


def _of_bicep(source: Source) -> Iterator[tuple[Rule, Node | None]]:
    for type_, node in read_bicep(source):
        holder = _RESOURCES.get(type_.rpartition("/")[2].lower())
        query = node.find("query") or node.find("queryText")
        if holder and query:
            kind = node.find("kind")
            is_streamed = bool(kind and str(kind.text).lower() == "nrt")
            yield _rule(
                node, holder, query, node.find("name"), is_streamed=is_streamed, is_partial=True
            )


def _rule(
    node: Node,
    holder: Holder,
    query: Node | None,
    id_: Node | None = None,
    *,
    is_streamed: bool = False,
    is_partial: bool = False,
) -> tuple[Rule, Node | None]:
    passage = query.passage if query and not query.is_expression else None
    if holder is Holder.ANALYTICS:
        kind = node.find("kind")
        is_streamed = bool(kind and str(kind.text).lower() == "nrt")
    if holder is Holder.DEFENDER:
        # Bicep's properties are read flat.
        spans = (node.find(*path) for path in _SPANS)
        is_streamed = any(span and _NO_SPAN.fullmatch(str(span.value)) for span in spans)
    names = _ARM_NAMES if holder in (Holder.ARM_ANALYTICS, Holder.ARM_HUNTING) else {}
    found = Query(passage, holder, is_streamed) if passage else None
    rule = Rule(
        holder=holder,
        node=node,
        id=id_,
        names=names,
        is_partial=is_partial,
        query=found,
    )
    return rule, query
