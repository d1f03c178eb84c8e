"""JSON with places. ARM's templates may hold comments and texts over several lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from foxhunt.lint.node import MOST_DEPTH, Node
from foxhunt.lint.source import Offsets, Passage, Source

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*[\s\S]*?\*/)
    |(?P<text>"(?:[^"\\]|\\.)*+")
    |(?P<number>-?(?:0|[1-9][0-9]{0,17})(?![0-9.eE]))
    |(?P<real>-?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?)
    |(?P<word>true|false|null)
    |(?P<sign>[{}\[\],:])""",
    re.VERBOSE | re.DOTALL,
)
# One decoded character a match: two escapes of a surrogate pair are one (RFC 8259, section 7).
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_HALF = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None}


def read_json(source: Source) -> Node:
    """Read a file of JSON.

    Raises:
        ContentError: It is no JSON, too deep, or names a key twice.
    """
    reader = _Reader(source)
    node = reader.value(0)
    if reader.kind:
        source.refuse("not JSON: something follows its end", reader.start)
    return node


class _Reader:
    """One token ahead."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.end = 0
        self.advance()

    def advance(self) -> None:
        """Go to the next token; ``kind`` is empty at the end."""
        while True:
            self.start = self.end
            found = _TOKEN.match(self.source.text, self.start)
            if found is None:
                if self.start < len(self.source.text):
                    shown = self.source.text[self.start]
                    self.source.refuse(f"not JSON: {shown!r} is not expected here", self.start)
                self.kind = self.raw = ""
                return
            self.end, self.kind, self.raw = found.end(), str(found.lastgroup), found[0]
            if self.kind != "blank":
                return

    def take(self, sign: str) -> bool:
        """Whether the token is ``sign``; then it is passed."""
        if self.kind != "sign" or self.raw != sign:
            return False
        self.advance()
        return True

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            shown = f"{self.raw[:20]!r}" if self.kind else "the end"
            self.source.refuse(f"not JSON: {sign!r} expected, not {shown}", self.start)

    def value(self, depth: int) -> Node:
        start, kind, raw = self.start, self.kind, self.raw
        if depth > MOST_DEPTH:
            self.source.refuse(f"more than {MOST_DEPTH} levels of nesting", start)
        if self.take("{"):
            return Node(value=self.entries(depth), source=self.source, start=start)
        if self.take("["):
            return Node(value=self.listed(depth), source=self.source, start=start)
        if kind == "text":
            passage = self.passage()
            return Node(value=passage.text, source=self.source, start=start, passage=passage)
        self.advance()
        if kind not in ("number", "real", "word"):
            self.source.refuse("not JSON: a value is missing", start)
        value = _WORDS[raw] if kind == "word" else int(raw) if kind == "number" else float(raw)
        return Node(value=value, source=self.source, start=start)

    def entries(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not self.take("}"):
            if found:
                self.expect(",")
            if self.kind != "text":
                self.source.refuse("not JSON: a key in quotes is missing", self.start)
            start = self.start
            key = self.passage().text
            if key in found:
                self.source.refuse(f"the key {key[:40]!r} stands twice in one object", start)
            self.expect(":")
            found[key] = self.value(depth + 1)
        return found

    def listed(self, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.take("]"):
            if found:
                self.expect(",")
            found.append(self.value(depth + 1))
        return tuple(found)

    def passage(self) -> Passage:
        start, raw = self.start, self.raw
        if "\\" not in raw:
            text = raw[1:-1]
            self.advance()
            return Passage(text, self.source, range(start + 1, start + 1 + len(text)))
        try:
            text = json.loads(raw, strict=False)
        except json.JSONDecodeError as error:
            self.source.refuse(f"not JSON: {error.msg}", start + error.pos)
        if _HALF.search(text):
            self.source.refuse("not Unicode: half of a surrogate pair", start)
        self.advance()
        return Passage(text, self.source, Offsets(lambda: _offsets(raw, start)))


def _offsets(raw: str, start: int) -> Iterator[int]:
    return (start + 1 + one.start() for one in _UNIT.finditer(raw[1:-1]))
