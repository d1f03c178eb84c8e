"""YAML with places, composed and never made into objects; no tags, no aliases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import yaml

from foxhunt.lint.node import MOST_DEPTH, Node, Scalar
from foxhunt.lint.source import Passage, Source, aligned

_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = {_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq")}
# An escape of a double-quoted text (YAML 1.1, 5.7), or one character.
_UNIT = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|.", re.DOTALL)
_BLANK_ESCAPES = {"\\n", "\\r", "\\t", "\\v", "\\f", "\\ ", "\\\n", "\\\t", "\\N", "\\_", "\\L"}


def read_yaml(source: Source) -> Node:
    """Read a file of one YAML document.

    Raises:
        ContentError: It is no YAML, too deep, has a tag, an alias, or a key twice.
    """
    try:
        _check(source)
        root = yaml.compose(source.text, Loader=_Parser)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        parts = (getattr(error, "context", None), getattr(error, "problem", None))
        problem = ", ".join(filter(None, parts)) or str(error).partition("\n")[0]
        source.refuse(f"not YAML: {problem}", mark.index if mark else 0)
    if root is None:
        source.refuse("is empty", 0)
    return _node(root, source)


def _check(source: Source) -> None:
    """Refuse, event by event, what would make a parser recurse or guess."""
    depth = 0
    for event in yaml.parse(source.text, Loader=_Parser):
        start = event.start_mark.index if event.start_mark else 0
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            source.refuse(f"more than {MOST_DEPTH} levels of nesting", start)
        if isinstance(event, yaml.AliasEvent):
            source.refuse("aliases are not read", start, hint="write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _CORE_TAGS:
            source.refuse(f"the tag {tag[:60]} is not read", start, hint="delete the tag")


def _node(node: yaml.Node, source: Source) -> Node:
    start = node.start_mark.index
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                source.refuse("a key that is no text", key.start_mark.index)
            if key.value in entries:
                shown = f"the key {key.value[:40]!r} stands twice in one object"
                source.refuse(shown, key.start_mark.index)
            entries[key.value] = _node(value, source)
        return Node(value=entries, source=source, start=start)
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_node(one, source) for one in node.value)
        return Node(value=items, source=source, start=start)
    assert isinstance(node, yaml.ScalarNode)  # noqa: S101 - of three kinds it is the last
    value = _scalar(node)
    passage = _passage(node, source) if isinstance(value, str) else None
    return Node(value=value, source=source, start=start, passage=passage)


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "bool":
            return text.lower() in ("true", "yes", "on")
        case "int" if re.fullmatch(r"-?[0-9]{1,18}", text):
            return int(text)
        case "float" if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text):
            return float(text)
        case "null":
            return None
        case _:
            return text


def _passage(node: yaml.ScalarNode, source: Source) -> Passage:
    start, end = node.start_mark.index, node.end_mark.index
    visible = partial(_visible, source.text, start, end, node.style)
    return aligned(str(node.value), source, start, visible)


def _visible(text: str, start: int, end: int, style: str | None) -> Iterator[int]:
    """Offsets of the characters that are no blanks; folding changes blanks only."""
    if style == '"':
        for found in _UNIT.finditer(text, start + 1, end - 1):
            if not _is_blank(found[0]):
                yield found.start()
        return
    if style == "'":
        quoted = re.compile("''|[^']")
        yield from (
            found.start()
            for found in quoted.finditer(text, start + 1, end - 1)
            if not found[0].isspace()
        )
        return
    if style in ("|", ">"):  # its header: indicators, perhaps a comment
        start = text.find("\n", start, end) + 1
    yield from (place for place in range(start, end) if not text[place].isspace())


def _is_blank(unit: str) -> bool:
    if len(unit) > 2:
        return chr(int(unit[2:], 16)).isspace()
    return unit.isspace() or unit in _BLANK_ESCAPES or unit == "\\P"
