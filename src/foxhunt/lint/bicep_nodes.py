"""What a Bicep file says of its resources: their flat properties that are texts or numbers.

No reading of the whole language: it is enough for the queries and their limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from foxhunt.lint.node import Node
from foxhunt.lint.source import Offsets, Passage, Source

# Bicep language specification, "Comments" and "String literals", 2025.
_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*[\s\S]*?\*/)
    |(?P<raw>'''[\s\S]*?''')
    |(?P<text>'(?:[^'\\\n]|\\.)*+')
    |(?P<number>\d{1,18})
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>.)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\(.)", re.DOTALL)
_UNIT = re.compile(rf"{_ESCAPE.pattern}|.", re.DOTALL)
_INTERPOLATED = re.compile(r"(?:[^\\$]|\\.|\$(?!\{))*+\$\{", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


def read_bicep(source: Source) -> Iterator[tuple[str, Node]]:
    """Yield the type of each resource, without its version, and its properties as one object.

    A property is named without those around it; of two of one name the first counts.

    Raises:
        ContentError: A text holds an escape that is no character.
    """
    found = [one for one in _TOKEN.finditer(source.text) if one.lastgroup != "blank"]
    starts = [
        place
        for place in range(len(found) - 2)
        if found[place][0] == "resource"
        and found[place + 1].lastgroup == "name"
        and found[place + 2].lastgroup == "text"
    ]
    for first, last in zip(starts, [*starts, len(found)][1:], strict=True):
        entries: dict[str, Node] = {}
        for key, colon, value in zip(
            found[first + 3 : last], found[first + 4 : last], found[first + 5 : last], strict=False
        ):
            if key.lastgroup == "name" and colon[0] == ":" and key[0] not in entries:
                node = _node(value, source)
                if node is not None:
                    entries[key[0]] = node
        type_ = found[first + 2][0].strip("'").partition("@")[0]
        yield type_, Node(value=entries, source=source, start=found[first].start())


def _node(found: re.Match[str], source: Source) -> Node | None:
    start = found.start()
    match found.lastgroup:
        case "number":
            return Node(value=int(found[0]), source=source, start=start)
        case "name" if found[0] in ("true", "false"):
            return Node(value=found[0] == "true", source=source, start=start)
        case "name":  # a parameter, a variable, loadTextContent(...)
            return Node(value=found[0], source=source, start=start, is_expression=True)
        case "raw":
            # The line break after the opening quotes is no part of it.
            skipped = 4 if found[0].startswith("'''\n") else 3
            text = found[0][skipped:-3]
            passage = Passage(text, source, range(start + skipped, start + skipped + len(text)))
            return Node(value=text, source=source, start=start, passage=passage)
        case "text":
            return _text(found, source)
        case _:
            return None


def _is_character(code: int) -> bool:
    return code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF


def _text(found: re.Match[str], source: Source) -> Node:
    start, body = found.start(), found[0][1:-1]

    def character(escape: re.Match[str]) -> str:
        if not escape[1]:
            return _PLAIN.get(escape[2], escape[2])
        if not _is_character(int(escape[1], 16)):
            source.refuse(f"{escape[0]} is no character", start + 1 + escape.start())
        return chr(int(escape[1], 16))

    text = _ESCAPE.sub(character, body)
    offsets = Offsets(lambda: (start + 1 + one.start() for one in _UNIT.finditer(body)))
    return Node(
        value=text,
        source=source,
        start=start,
        passage=Passage(text, source, offsets),
        is_expression=_INTERPOLATED.match(body) is not None,
    )
