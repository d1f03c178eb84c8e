"""Reads Bicep literals, from its language specification (2025): the judge of what we write."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\s*(?://[^\n]*\s*)*"
    r"('(?:[^'\\\n\r$]|\$(?!\{)|\\u\{[0-9a-f]+\}|\\[\\'nrt$])*'|[A-Za-z_]\w*|[0-9]+|[{}\[\]:=])"
)
_ESCAPE = re.compile(r"\\(u\{([0-9a-f]+)\}|.)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_NAMED = {"true": True, "false": False, "null": None}


def read_string(text: str) -> str:
    """What a string literal says.

    Raises:
        AssertionError: It is none, or interpolates.
    """
    assert (found := _TOKEN.fullmatch(text)) and found[1] == text and text[0] == "'", text
    return _ESCAPE.sub(
        lambda m: chr(int(m[2], 16)) if m[2] else _CONTROL.get(m[1], m[1]), text[1:-1]
    )


def read_resource(text: str) -> dict[str, object]:
    """The body of the last resource of a file.

    Raises:
        AssertionError: Not Bicep, or something follows it.
    """
    head = re.compile(r"^resource content '[^'\n]+' = (?=\{)", re.MULTILINE)
    (start,) = (found.end() for found in head.finditer(text))
    value, end = _value(text, start)
    assert not text[end:].strip() and isinstance(value, dict)
    return value


def _token(text: str, place: int) -> tuple[str, int]:
    found = _TOKEN.match(text, place)
    assert found, f"no token in {text[place : place + 40]!r}"
    return found[1], found.end()


def _value(text: str, place: int) -> tuple[object, int]:
    token, place = _token(text, place)
    match token[0]:
        case "{":
            return _object(text, place)
        case "[":
            return _array(text, place)
        case "'":
            return read_string(token), place
        case _:
            # A name stands for something of the file, such as the existing workspace.
            return int(token) if token.isdigit() else _NAMED.get(token, token), place


def _object(text: str, place: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    while True:
        name, place = _token(text, place)
        if name == "}":
            return found, place
        key = read_string(name) if name[0] == "'" else name
        colon, place = _token(text, place)
        assert colon == ":" and key not in found
        found[key], place = _value(text, place)
        assert re.match(r"\s*\n", text[place:]), "properties stand on lines of their own"


def _array(text: str, place: int) -> tuple[list[object], int]:
    found: list[object] = []
    while _token(text, place)[0] != "]":
        one, place = _value(text, place)
        found.append(one)
    return found, _token(text, place)[1]
