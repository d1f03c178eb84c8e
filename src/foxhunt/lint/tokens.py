"""KQL's tokens, with their places; so that no check takes a comment or a string for code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a token is."""

    STRING = "string"
    NAME = "name"
    NUMBER = "number"
    SIGN = "sign"


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: See `Kind`.
        text: As it stands; of a string, what it says.
        offset: Of its first character.
    """

    kind: Kind
    text: str
    offset: int

    def __str__(self) -> str:
        return self.text.lower()


_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<verbatim>[hH]?@"(?:[^"]|"")*"|[hH]?@'(?:[^']|'')*')
    |(?P<block>```[\s\S]*?```|~~~[\s\S]*?~~~)
    |(?P<string>[hH]?"(?:[^"\\\n]|\\.)*"|[hH]?'(?:[^'\\\n]|\\.)*')
    |(?P<number>\d+(?:\.\d+)?[a-z]*)
    |(?P<name>!?[A-Za-z_$][\w$-]*(?<!-)~?)
    |(?P<sign>==|!=|=~|!~|<=|>=|\.\.|.)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of ``text``; comments and blanks are none.

    >>> [str(one) for one in tokens('T | where A has "x" // y')]
    ['t', '|', 'where', 'a', 'has', 'x']
    """
    for found in _TOKEN.finditer(text):
        kind, value = found.lastgroup, found[0]
        match kind:
            case "space":
                continue
            case "string":
                inner = value.lstrip("hH")[1:-1]
                value = _ESCAPE.sub(lambda m: _PLAIN.get(m[1], m[1]), inner)
            case "verbatim":
                quote = value[-1]
                value = value.lstrip("hH")[2:-1].replace(quote * 2, quote)
            case "block":
                value = value[3:-3]
        is_text = kind in ("string", "verbatim", "block")
        yield Token(Kind.STRING if is_text else Kind(str(kind)), value, found.start())
