"""What YAML, JSON and Bicep say, each value with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from foxhunt.errors import SourceSpan
from foxhunt.lint.source import Passage, Source

# Deeper than any template that the services take; a parser's stack ends at some hundred.
MOST_DEPTH = 60

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value of a file.

    Attributes:
        value: A scalar, the items of a list, or the entries of an object.
        source: The file.
        start: Offset of its first character.
        passage: Of a text, the same with the place of each character; else None.
        is_expression: Whether the service computes it (ARM's ``[...]``, Bicep's ``${...}``):
            what it will say is not known.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    source: Source
    start: int
    passage: Passage | None = None
    is_expression: bool = False

    @property
    def at(self) -> SourceSpan:
        """Where it begins."""
        return self.source.at(self.start)

    @property
    def entries(self) -> Mapping[str, Node]:
        """Of an object, else none."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """Of a list, else none."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def text(self) -> str | None:
        """Of a text, else None."""
        return self.value if isinstance(self.value, str) else None

    def find(self, *keys: str) -> Node | None:
        """The value at a path of keys, or None."""
        found: Node | None = self
        for key in keys:
            found = found.entries.get(key) if found else None
        return found

    def nearest(self, path: Iterator[str | int]) -> Node:
        """The value at a path, or the last on the way that is there."""
        found = self
        for step in path:
            if isinstance(step, int):
                after = found.items[step] if step < len(found.items) else None
            else:
                after = found.entries.get(step)
            if after is None:
                break
            found = after
        return found

    def plain(self) -> object:
        """The value alone."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self) -> Iterator[Node]:
        """Itself and every object below, outer ones first."""
        if isinstance(self.value, Mapping):
            yield self
        for inner in (*self.entries.values(), *self.items):
            yield from inner.walk()
