"""Files into queries and rules, each with its place: YAML, ARM and Defender JSON, Bicep, KQL.

JSON is read as YAML, of which it is a part, since that tells where a value stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from foxhunt.errors import ContentError, SourceSpan
from foxhunt.lint.model import Document, Query

SUFFIXES = (".kql", ".yaml", ".yml", ".json", ".bicep")
_MOST_BYTES = 20_000_000
_MOST_DEPTH = 60
_ALERTS = "Microsoft.OperationalInsights/workspaces/providers/alertRules"
_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_document(path: Path) -> Document:
    """Read a file by its suffix.

    Raises:
        ContentError: It cannot be read, or is no text, YAML or JSON.
    """
    name = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ContentError(f"cannot be read: {error.strerror}", at=SourceSpan(name)) from error
    if len(data) > _MOST_BYTES:
        raise ContentError(f"{len(data):,} bytes, more than {_MOST_BYTES:,}", at=SourceSpan(name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentError("is no UTF-8 text", at=SourceSpan(name)) from error
    text = text.replace("\r\n", "\n")
    match path.suffix:
        case ".kql":
            return Document(name, tuple(_kql(text, name)))
        case ".bicep":
            return Document(name, tuple(_bicep(text, name)))
        case _:
            return _structured(text, name)


def _kql(text: str, name: str) -> Iterator[Query]:
    """Queries with an empty line between, as foxhunt and the pages write them."""
    start = 0
    lines = text.split("\n")
    for place in range(len(lines) + 1):
        if place == len(lines) or not lines[place].strip():
            block = "\n".join(lines[start:place])
            if block.strip():
                yield Query(block, name, tuple((n + 1, 1) for n in range(start, place)))
            start = place + 1


_BICEP = re.compile(r"^\s*(query|queryText):\s*'", re.MULTILINE)
_ESCAPE = re.compile(r"\\(u\{([0-9a-f]+)\}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


def _bicep(text: str, name: str) -> Iterator[Query]:
    for found in _BICEP.finditer(text):
        line = text.count("\n", 0, found.end()) + 1
        rest = text[found.end() :]
        if rest.startswith("''"):
            value = rest[2:].partition("'''")[0].removeprefix("\n")
        else:
            literal = re.match(r"(?:[^'\\]|\\.)*", rest)
            raw = literal[0] if literal else ""
            value = _ESCAPE.sub(
                lambda m: chr(int(m[2], 16)) if m[2] else _PLAIN.get(m[1], m[1]), raw
            )
        kind = "defender" if found[1] == "queryText" else "bicep"
        yield Query(value, name, ((line, 1),), kind, kind == "defender")


def _structured(text: str, name: str) -> Document:
    try:
        _check_depth(text, name)
        root = yaml.compose(text, Loader=_Parser)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = SourceSpan(name, mark.line + 1, mark.column + 1) if mark else SourceSpan(name)
        raise ContentError(f"not YAML or JSON: {getattr(error, 'problem', error)}", at=at) from None
    if not isinstance(root, yaml.MappingNode):
        raise ContentError("holds no rule", at=SourceSpan(name))
    value = _mapping(root)
    if "resources" in value:
        return _arm(root, text, name)
    if "queryCondition" in value:
        node = _find(root, "queryCondition", "queryText")
        period = _find(root, "schedule", "period")
        is_nrt = isinstance(period, yaml.ScalarNode) and period.value == "0"
        kind = "nrt" if is_nrt else "defender"
        return Document(name, tuple(_query(node, text, name, kind, bounded=True)))
    if "query" not in value:
        return Document(name)
    schema = "sentinel-analytics" if "kind" in value or "severity" in value else "sentinel-hunting"
    kind = "nrt" if value.get("kind") == "NRT" else schema
    found = tuple(_query(_find(root, "query"), text, name, kind, bounded=kind == "nrt"))
    return Document(name, found, ((schema, value),), (root.start_mark.line + 1,))


def _arm(root: yaml.MappingNode, text: str, name: str) -> Document:
    queries: list[Query] = []
    listed = _find(root, "resources")
    for resource in listed.value if isinstance(listed, yaml.SequenceNode) else ():
        node = _find(resource, "properties", "query")
        kind = _find(resource, "type")
        is_alert = isinstance(kind, yaml.ScalarNode) and kind.value == _ALERTS
        queries += _query(node, text, name, "arm-analytics" if is_alert else "arm-hunting")
    value = _mapping(root)
    return Document(name, tuple(queries), (("arm", value),), (1,))


def _check_depth(text: str, name: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Parser):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        mark = event.start_mark
        at = SourceSpan(name, mark.line + 1, mark.column + 1) if mark else SourceSpan(name)
        if depth > _MOST_DEPTH:
            raise ContentError(f"more than {_MOST_DEPTH} levels of nesting", at=at)
        if isinstance(event, yaml.AliasEvent):
            raise ContentError("aliases are not read", at=at, hint="write it out")


def _find(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        node = next((v for k, v in pairs if getattr(k, "value", None) == key), None)
    return node


def _query(
    node: yaml.Node | None, text: str, name: str, kind: str, *, bounded: bool = False
) -> Iterator[Query]:
    if not isinstance(node, yaml.ScalarNode):
        return
    value = str(node.value)
    first = node.start_mark.line + 1
    count = value.count("\n") + 1
    if node.style == "|":
        indent = len(text.split("\n")[first]) - len(text.split("\n")[first].lstrip())
        lines = tuple((first + 1 + n, indent + 1) for n in range(count))
    else:
        lines = tuple((first, node.start_mark.column + 1) for _ in range(count))
    # ARM reads a text that begins with a bracket as an expression: two stand for one.
    if kind.startswith("arm") and value.startswith("[["):
        value = value[1:]
    yield Query(value, name, lines, kind, bounded)


def _mapping(node: yaml.MappingNode) -> dict[str, object]:
    return {str(key.value): _plain(value) for key, value in node.value}


def _plain(node: yaml.Node) -> object:
    """What a node says, as plain values."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    value = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "bool":
            return value.lower() in ("true", "yes", "on")
        case "int" if re.fullmatch(r"-?[0-9]{1,18}", value):
            return int(value)
        case "null":
            return None
        case _:
            return value
