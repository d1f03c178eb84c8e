"""What a Bicep file says of its resources: their flat properties that are texts or numbers.

No reading of the whole language: it is enough for the queries and their limits.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator

from foxhunt.lint.node import Node
from foxhunt.lint.source import Passage, Source

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
_UNIT = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\(.)|(.)", re.DOTALL)
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
    chars, offsets, is_expression = [], array("I"), False
    for unit in _UNIT.finditer(body):
        if unit[1] and not _is_character(int(unit[1], 16)):
            source.refuse(f"{unit[0]} is no character", start + 1 + unit.start())
        char = chr(int(unit[1], 16)) if unit[1] else _PLAIN.get(unit[2], unit[2]) or unit[3]
        chars.append(char)
        offsets.append(start + 1 + unit.start())
        is_expression |= unit[3] == "$" and body.startswith("${", unit.start())
    text = "".join(chars)
    return Node(
        value=text,
        source=source,
        start=start,
        passage=Passage(text, source, offsets),
        is_expression=is_expression,
    )
