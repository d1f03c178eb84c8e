"""YAML that a person writes, read strictly: no anchors, no tags, every mistake with its place.

The document is looked at as nodes and never made into objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import yaml

from foxhunt.errors import SourceSpan

_T = TypeVar("_T")

_MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
_MAX_DEPTH = 20
_MAX_TEXT = 2_000
_NULL = "tag:yaml.org,2002:null"


class Mistake(Exception):
    """One thing that is wrong, and where."""

    def __init__(self, at: SourceSpan, text: str, *, hint: str | None = None) -> None:
        super().__init__(text)
        self.at, self.text, self.hint = at, text, hint

    def __str__(self) -> str:
        return f"{self.text} ({self.hint})" if self.hint else self.text

    def order(self) -> tuple[int, int]:
        """By place in the file."""
        return self.at.line or 0, self.at.column or 0


def read_text(path: Path, name: str) -> str:
    """Read a file that a person wrote.

    Raises:
        Mistake: It cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise Mistake(SourceSpan(name), f"cannot be read: {error.strerror or error}") from None
    if len(data) > _MAX_BYTES:
        raise Mistake(SourceSpan(name), f"larger than {_MAX_BYTES // 1024} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Mistake(SourceSpan(name), "not UTF-8 text") from None


# libyaml reads ten times as fast as PyYAML's own scanner; its wheels have it, a build need not.
_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Plain scalars that say nothing (YAML 1.1). PyYAML's composer tries each scalar for every other
# type as well, which takes half of its time; nobody here asks for one.
NULLS = frozenset({"", "~", "null", "Null", "NULL"})


_MakeMistake = Callable[[yaml.Event, str, str | None], "Mistake"]


def _root(text: str, mistake: _MakeMistake, depth: int) -> tuple[yaml.Node | None, int]:
    """Make the nodes of a document, in one pass and without recursion; None if it is empty.

    A scalar's tag is `_NULL` or empty; collections have none.

    Args:
        text: YAML.
        mistake: Makes the error for an event, a text and a hint.
        depth: In how many collections the text stands.

    Returns:
        The outermost node, and how many nodes there are.

    Raises:
        Mistake: It holds what is not allowed.
        yaml.YAMLError: It is no YAML.
    """
    made: yaml.Node
    # What stands in the document and in the collections that are open, innermost last.
    inside: list[list[yaml.Node]] = [[]]
    starts: list[yaml.CollectionStartEvent] = []
    count = 0
    for event in iter(_Parser(text).get_event, None):
        if isinstance(event, yaml.ScalarEvent):
            count += 1
            _refuse_marked(event, event.tag, mistake)
            tag = _NULL if event.implicit[0] and event.value in NULLS else ""
            # The stubs know no marks of libyaml's parser, which are of the same shape.
            made = yaml.ScalarNode(tag, event.value, event.start_mark)  # type: ignore[arg-type]
            inside[-1].append(made)
        elif isinstance(event, yaml.CollectionStartEvent):
            count += 1
            _refuse_marked(event, event.tag, mistake)
            if len(inside) + depth > _MAX_DEPTH:
                raise mistake(event, f"more than {_MAX_DEPTH} levels of nesting", "flatten it")
            starts.append(event)
            inside.append([])
        elif isinstance(event, yaml.CollectionEndEvent):
            made = _collection(starts.pop(), inside.pop())
            inside[-1].append(made)
        elif isinstance(event, yaml.AliasEvent):
            _refuse_marked(event, None, mistake)
        elif isinstance(event, yaml.DocumentStartEvent) and inside[0]:
            raise mistake(event, "not YAML: but found another document", None)
        if count > MAX_NODES:
            raise mistake(event, f"more than {MAX_NODES} values", "split the file")
    return (inside[0][0] if inside[0] else None), count


def _refuse_marked(event: yaml.NodeEvent, tag: str | None, mistake: _MakeMistake) -> None:
    if event.anchor:  # an alias has the name of its anchor here
        raise mistake(event, "anchors and aliases are not allowed", "write it out")
    if tag:
        raise mistake(event, f"the tag {tag[:80]!r} is not allowed", "leave it out")


def _collection(start: yaml.CollectionStartEvent, inside: list[yaml.Node]) -> yaml.Node:
    if isinstance(start, yaml.SequenceStartEvent):
        return yaml.SequenceNode("", inside, start.start_mark)  # type: ignore[arg-type]  # see `_root`
    pairs = list(zip(inside[::2], inside[1::2], strict=True))
    return yaml.MappingNode("", pairs, start.start_mark)  # type: ignore[arg-type]  # see `_root`


class YamlReader:
    """What readers of one file share; mistakes are collected so that one run shows them all.

    Attributes:
        mistakes: Those that did not end the reading.
        nodes: How many have been read.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.mistakes: list[Mistake] = []
        self.nodes = 0

    def _compose(self, text: str, depth: int = 0) -> yaml.Node | None:
        """The outermost node of ``text``, which stands in ``depth`` collections."""
        try:
            try:
                root, count = _root(text, self._at, depth)
                self.nodes += count
                return root
            except yaml.YAMLError:
                # PyYAML's own scanner says better what is wrong, and where.
                for _ in yaml.parse(text, Loader=yaml.SafeLoader):
                    pass
                raise
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = SourceSpan(self._name, mark.line + 1, mark.column + 1) if mark else None
            raise Mistake(
                at or SourceSpan(self._name), f"not YAML: {error.problem or error.context}"
            ) from None
        except yaml.YAMLError as error:
            first = str(error).splitlines()[0]
            raise Mistake(SourceSpan(self._name), f"not YAML: {first}") from None

    def _at(self, node: yaml.Node | yaml.Event, text: str, hint: str | None = None) -> Mistake:
        return Mistake(self._place(node), text, hint=hint)

    def _place(self, node: yaml.Node | yaml.Event) -> SourceSpan:
        mark = node.start_mark
        return (
            SourceSpan(self._name, mark.line + 1, mark.column + 1)
            if mark
            else SourceSpan(self._name)
        )

    def _guarded(self, read: Callable[[yaml.Node], _T], node: yaml.Node) -> _T | None:
        try:
            return read(node)
        except Mistake as mistake:
            self.mistakes.append(mistake)
            return None

    def _each(
        self, read: Callable[[yaml.Node], _T | None], nodes: Sequence[yaml.Node]
    ) -> Iterator[_T]:
        """What was read of each node; the mistakes of the others are collected."""
        for node in nodes:
            one = self._guarded(read, node)
            if one is not None:
                yield one

    def _mapping(
        self,
        node: yaml.Node,
        what: str,
        allowed: Sequence[str],
        required: Sequence[str] = (),
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._at(node, f"{what} has to be a mapping", hint=", ".join(allowed))
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in allowed:
                near = get_close_matches(name, allowed, n=1)
                hint = f"{near[0]}?" if near else f"known: {', '.join(allowed)}"
                self.mistakes.append(self._at(key, f"unknown field {name[:40]!r}", hint=hint))
            elif name in found:
                self.mistakes.append(self._at(key, f"the field {name!r} stands twice"))
            else:
                found[name] = value
        missing = [name for name in required if name not in found]
        if missing:
            self.mistakes.append(self._at(node, f"{what} needs {', '.join(missing)}"))
        return found

    def _items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._at(node, f"{what} has to be a list")
        if not node.value:
            raise self._at(node, f"{what} is empty")
        items: list[yaml.Node] = node.value
        return items

    def _string(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._at(node, f"{what} has to be a text")
        text = str(node.value).strip()
        # `owner: null` and `owner: ~` are nobody; quoted they are texts.
        if not text or node.tag == _NULL:
            raise self._at(node, f"{what} is empty")
        if len(text) > _MAX_TEXT:
            raise self._at(node, f"{what} is longer than {_MAX_TEXT} characters")
        return text

    def _strings(self, node: yaml.Node, what: str) -> list[tuple[yaml.Node, str]]:
        """One text, or a list of them."""
        if isinstance(node, yaml.ScalarNode):
            return [(node, self._string(node, what))]
        return list(
            self._each(lambda item: (item, self._string(item, what)), self._items(node, what))
        )
