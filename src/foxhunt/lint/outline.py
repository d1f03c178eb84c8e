"""A query without what no parser minds: its comments, and the values of its lists.

Queries of one kind differ in values alone. Where a parser takes the outline, it takes each
query of that outline, so it is asked once and not once a file.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from foxhunt.lint.statements import split
from foxhunt.lint.tokens import Kind, Token, tokens

# Values that are valid whatever they say: a text without escapes, a small whole number, a
# moment that there is.
_TEXT, _NUMBER, _MOMENT = '""', "0", "datetime(2000-01-01)"
_DAY = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    r"|(?:0[13578]|1[02])-31)"
)
_VALUE = (
    r'(?:"[^"\\\n]*+"|\d{1,9}(?![\w.])|datetime\(null\)'
    rf"|datetime\((?:19|20)\d\d-{_DAY}(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)?\))"
)
_ITEM = re.compile(_VALUE)
_ITEMS = rf"\s*+(?:{_VALUE}\s*+,\s*+)*+{_VALUE}\s*+"
_LIST = {
    "[": re.compile(rf"\[{_ITEMS}\]"),
    "(": re.compile(rf"\({_ITEMS}\)"),
}
_COLUMN = r"\s*+[A-Za-z_]\w*+\s*+:\s*+([a-z]+)\s*+"
_COLUMNS = re.compile(rf"datatable\s*+\(({_COLUMN}(?:,{_COLUMN})*+)\)\s*+")
_TYPE = re.compile(r":\s*+([a-z]+)")
_OPERATORS = ("in", "in~", "!in", "!in~", "has_any", "has_all")
# Operators in which a text after a sign of comparison or assignment is a value, never a name.
_STAGES = ("extend", "where", "filter", "project")
# Steps of a pipe that may stand after any other, whatever that is.
_STEPS = (*_STAGES, "order", "sort", "take", "summarize", "join", "mv-expand")
_BEFORE_VALUE = ("=", "==", "=~", "!=", "!~")


def outline(text: str, found: Sequence[Token]) -> str:
    """The query that every parser takes if it takes ``text``, and the other way round.

    Its result has the same columns. A query that a parser refuses is told by its own text:
    places in the outline are others.

    Args:
        text: The query.
        found: Its tokens, comments too.
    """
    pieces: list[str] = []
    offsets = [one.offset for one in found]
    start = place = 0
    stage = ""
    while place < len(found):
        token = found[place]
        before = found[place - 1] if place else None
        instead, end = None, token.end
        if token.kind is Kind.COMMENT:
            instead = "//"
        elif before is not None and before.text == "|" and token.kind is Kind.NAME:
            stage = token.text
        elif token.kind is Kind.SIGN and token.text in _LIST:
            instead, end = _listed(text, found, place)
        elif before is not None and before.text in _BEFORE_VALUE and stage in _STAGES:
            value = _ITEM.match(text, token.offset)
            if value is not None:
                instead, end = _kind(value[0]), value.end()
        if instead is not None:
            pieces += (text[start : token.offset], instead)
            start = end
        place = place + 1 if end == token.end else bisect_left(offsets, end, place)
    return "".join((*pieces, text[start:]))


def parts(text: str) -> Iterator[str]:
    """Cut an outline into queries that a parser without names takes if, and only if, it takes all.

    Each statement is one, and so is each simple step of its pipe, after a table of any name.
    """
    statements = list(split(tuple(tokens(text)), ";"))
    if not statements[-1]:
        statements.pop()
    for statement in statements:
        stages = list(split(statement, "|"))
        if not all(stages):  # a mistake, of which only the whole tells
            yield text
            return
        cut = [_of(text, one) for one in stages]
        is_step = [at > 0 and one[0].is_word(*_STEPS) for at, one in enumerate(stages)]
        yield "\n| ".join(one for one, is_cut in zip(cut, is_step, strict=True) if not is_cut)
        yield from (f"T\n| {one}" for one, is_cut in zip(cut, is_step, strict=True) if is_cut)


def _of(text: str, found: Sequence[Token]) -> str:
    return text[found[0].offset : found[-1].end]


def _listed(text: str, found: Sequence[Token], place: int) -> tuple[str | None, int]:
    """A list with one value or row of each kind, and where the list ends; None if it is none."""
    token = found[place]
    types = _types(text, found, place)
    whole = _LIST[token.text].match(text, token.offset) if types else None
    if types is None or whole is None:
        return None, token.end
    items, width = [_kind(one) for one in _ITEM.findall(whole[0])], len(types)
    # Of each kind one, but the last: it may be cut short, which a parser refuses.
    last = (len(items) - 1) // width * width
    rows = sorted({tuple(items[at : at + width]) for at in range(0, last, width)})
    rows.append(tuple(items[last:]))
    # What a text says of a moment or of a whole number is a parser's matter.
    if any(
        item == _TEXT and type_ != "string"
        for row in rows
        for item, type_ in zip(row, types, strict=False)
    ):
        return None, token.end
    kept = ", ".join(item for row in rows for item in row)
    return token.text + kept + whole[0][-1], whole.end()


def _kind(value: str) -> str:
    if value[0] == "d":
        return value if "null" in value else _MOMENT
    return _TEXT if value[0] == '"' else _NUMBER


def _types(text: str, found: Sequence[Token], place: int) -> tuple[str, ...] | None:
    """The types of a row of the list that begins here; None where it is no list of values."""
    if found[place].text == "(":
        is_operand = place > 0 and found[place - 1].is_word(*_OPERATORS)
        return ("string",) if is_operand else None
    if place > 1 and found[place - 1].is_sign("(") and found[place - 2].is_word("dynamic"):
        return ("string",)
    if not (place and found[place - 1].is_sign(")")):
        return None
    for back in range(place - 1, max(place - 100, -1), -1):
        if found[back].text == "datatable":
            head = _COLUMNS.fullmatch(text, found[back].offset, found[place].offset)
            return tuple(_TYPE.findall(head[1])) if head else None
    return None
