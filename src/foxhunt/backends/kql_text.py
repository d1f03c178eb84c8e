"""Untrusted values into KQL text: the one place where one becomes a literal or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from foxhunt.errors import UnsupportedError

# Kusto docs, "The string data type", 2024-09: escapes of a quoted string literal.
_PLAIN = re.compile(r"[A-Za-z0-9 ._:/?&=%+,;~@#!*()\[\]-]*")  # most values: none of it escaped
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def string_literal(value: str) -> str:
    """Return ``value`` as a double-quoted KQL literal.

    Feed values are written by attackers, and a Sentinel analytics rule is stored
    as one text with nothing bound to it, so this is the whole defence.

    Raises:
        UnsupportedError: A character for which the Kusto docs give no escape.

    >>> string_literal('a"]); union *')
    '"a\\\\"]); union *"'
    """
    if _PLAIN.fullmatch(value):
        return f'"{value}"'
    out = []
    for char in value:
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char.isprintable():
            out.append(char)
        else:
            raise UnsupportedError(f"U+{ord(char):04X} has no KQL escape: {value[:80]!r}")
    return '"' + "".join(out) + '"'


def string_list(values: Iterable[str]) -> str:
    """Return ``values`` as literals with commas between.

    The comma is load-bearing: KQL joins adjacent literals, so ("a" "b") is one
    value, "ab", which matches nothing and raises nothing.
    """
    return ", ".join(string_literal(value) for value in values)


def comment(text: str) -> str:
    """Return ``text`` as one comment line: whatever would end the line is replaced.

    >>> comment("a\\nunion *")
    '// a union *'
    """
    if not text.isprintable():  # few are not: no look at each character
        text = "".join(char if char.isprintable() else " " for char in text)
    return f"// {text}"


def timespan(value: timedelta) -> str:
    """A Kusto timespan in the largest unit that says it exactly.

    >>> timespan(timedelta(days=30)), timespan(timedelta(minutes=90))
    ('30d', '90m')
    """
    seconds = int(value.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
