"""Files of exclusions as nearly everybody lays them out, cut into pieces that say the same alone.

People copy what they wrote before: of a thousand exclusions most lines stand there many times.
A piece that is known need not be read again, which takes a tenth of the time. Pieces are whole
fields, so that YAML reads each as it reads it where it stands: one that a quote or a bracket
reaches out of is no YAML by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_START = re.compile(r"(?:#[ -~]*\n|\n)*exclusions:\n(?=  - )")
# Tabs, line breaks that YAML knows beside \n, and what stands too far left for a part of an entry.
_IRREGULAR = re.compile("[\t\r\x85\u2028\u2029\ufeff]|\n {0,3}[^ #\n]")
_ENTRY = re.compile(r"(?:^|\n)  - (?=[a-z])")
_FIELD = re.compile(r"\n    (?=[a-z])")
_ALL = re.compile(r"    when:\n      all:(?=\n        - [a-z])")
_ITEM = re.compile(r"\n        - (?=[a-z])")

# A list of texts that are what they look like: no text of YAML's, no escapes.
_TEXT = r"""[A-Za-z0-9][A-Za-z0-9._/-]{0,200}|"[ !#-\[\]-~]{1,200}\""""
_LIST = re.compile(rf"        - ([a-z_]+): \[((?:{_TEXT})(?:, (?:{_TEXT}))*)\]\n*")
_TEXTS = re.compile(_TEXT)


def cut_entries(text: str) -> Iterator[tuple[int, list[str]]] | None:
    """Cut a file into its exclusions' fields, or return None if it is laid out in another way.

    Returns:
        For each exclusion the number of its first line, and the texts of its fields, each
        indented by four spaces.

    >>> found = cut_entries("exclusions:\\n  - id: a\\n    when:\\n      host: x\\n  - id: b\\n")
    >>> list(found)
    [(2, ['    id: a', '    when:\\n      host: x']), (5, ['    id: b\\n'])]
    """
    start = _START.match(text)
    if start is None:
        return None
    empty, *entries = _ENTRY.split(text[start.end() :])
    if empty or any(map(_IRREGULAR.search, entries)):
        return None
    return _cut(entries, 1 + text.count("\n", 0, start.end()))


def _cut(entries: list[str], line: int) -> Iterator[tuple[int, list[str]]]:
    for entry in entries:
        yield line, [f"    {field}" for field in _FIELD.split(entry)]
        line += entry.count("\n") + 1


def cut_items(field: str) -> list[str] | None:
    """Cut a field that is ``when: {all: [...]}`` into its items, if that is how it is written.

    >>> cut_items("    when:\\n      all:\\n        - host: a\\n        - user: b")
    ['        - host: a', '        - user: b']
    """
    start = _ALL.match(field)
    if start is None:
        return None
    return [f"        - {item}" for item in _ITEM.split(field[start.end() :])[1:]]


def plain_list(item: str) -> tuple[str, list[str]] | None:
    """Read an item that is one condition with a list of plain texts, as nearly all are.

    Returns:
        The name and the texts, unquoted ones that mean nothing in YAML among them.

    >>> plain_list('        - host: [ws-1, "ws-2*"]')
    ('host', ['ws-1', 'ws-2*'])
    """
    found = _LIST.fullmatch(item)
    if found is None:
        return None
    return found[1], [text.strip('"') for text in _TEXTS.findall(found[2])]
