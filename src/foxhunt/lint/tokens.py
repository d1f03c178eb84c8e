"""KQL's tokens, with their places; so that no check takes a comment or a string for code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a token is."""

    STRING = "string"
    NAME = "name"
    NUMBER = "number"
    SIGN = "sign"
    COMMENT = "comment"


class Token(NamedTuple):
    """One token; a tuple, for a folder has tens of millions.

    Attributes:
        kind: See `Kind`.
        text: As it stands; of a string, what it says; of a comment, what follows the slashes.
        offset: Of its first character.
        end: Of the first character after it.
    """

    kind: Kind
    text: str
    offset: int
    end: int

    def __str__(self) -> str:
        return self.text.lower()

    def is_sign(self, *texts: str) -> bool:
        """Whether it is one of these signs, and not a string that says so."""
        return self.kind is Kind.SIGN and self.text in texts

    def is_word(self, *texts: str) -> bool:
        """Whether it is one of these names, in any case."""
        return self.kind is Kind.NAME and self.text.lower() in texts


# A string that is not closed goes to the end of its line, as Kusto reads it. The possessive
# repeats keep a file of nothing but quotes and backslashes linear.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |//(?P<comment>[^\n]*)
    |(?P<verbatim>[hH]?@"(?:[^"]|"")*+"|[hH]?@'(?:[^']|'')*+')
    |(?P<block>```[\s\S]*?```|~~~[\s\S]*?~~~)
    |(?P<string>[hH]?"(?:[^"\\\n]|\\.)*+(?:"|\\?(?=\n)|\\?\Z)
        |[hH]?'(?:[^'\\\n]|\\.)*+(?:'|\\?(?=\n)|\\?\Z))
    |(?P<number>\d+(?:\.\d+)?[a-zA-Z]*)
    |(?P<name>(?:project|mv|parse|make|graph|sample|top|partition)-[a-z-]*[a-z]
        |!?[A-Za-z_$][\w$]*~?)
    |(?P<sign>==|!=|=~|!~|<=|>=|\.\.|.)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


_KINDS = {
    **dict.fromkeys(("string", "verbatim", "block"), Kind.STRING),
    **{kind.value: kind for kind in Kind},
}


def tokens(text: str, *, comments: bool = False) -> Iterator[Token]:
    """Yield the tokens of ``text``; blanks are none, comments only if asked for.

    >>> [str(one) for one in tokens('T | where A has "x" // y')]
    ['t', '|', 'where', 'a', 'has', 'x']
    """
    for found in _TOKEN.finditer(text):
        name, value = str(found.lastgroup), found[0]
        if name == "space" or (name == "comment" and not comments):
            continue
        start, end = found.span()
        is_plain = name in ("sign", "name", "number")
        yield Token(_KINDS[name], value if is_plain else _said(name, value), start, end)


def _said(name: str, value: str) -> str:
    match name:
        case "comment":
            return value[2:]
        case "block":
            return value[3:-3]
        case "verbatim":
            quote = value[-1]
            return value.lstrip("hH")[2:-1].replace(quote * 2, quote)
        case "string":
            body = value.lstrip("hH")
            is_closed = len(body) > 1 and body[-1] == body[0]
            said = body[1:-1] if is_closed else body[1:]
            return _ESCAPE.sub(_unescaped, said) if "\\" in said else said
        case _:
            return value


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _PLAIN.get(found[3], found[3])
