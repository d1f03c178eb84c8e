"""Tokens into statements and the stages of their pipes; as much grammar as the checks need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foxhunt.lint.source import Passage
from foxhunt.lint.tokens import Kind, Token, tokens

_OPEN, _CLOSE = ("(", "[", "{"), (")", "]", "}")
_COMPARING = ("==", "!=", "=~", "!~", "<", ">", "<=", ">=", "+")
_JOINTS = ("and", "or", "by", "on", "between")
# What begins a statement that has no result: a query goes on after it.
_OPERATORS = ("print", "range", "datatable", "union", "find", "search", "evaluate", "externaldata")
_PRELUDE = ("let", "set", "declare", "alias", "pattern", "restrict")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, up to its semicolon.

    Attributes:
        name: What ``let`` calls it, or None.
        tokens: Its tokens, without ``let NAME =``.
    """

    name: str | None
    tokens: tuple[Token, ...]

    @property
    def stages(self) -> tuple[tuple[Token, ...], ...]:
        """The parts between its pipes, those within brackets not cut."""
        return tuple(split(self.tokens, "|"))


def split(found: Sequence[Token], sign: str) -> Iterator[tuple[Token, ...]]:
    """Cut tokens at a sign that stands in no bracket."""
    depth = start = 0
    for place, token in enumerate(found):
        if token.kind is not Kind.SIGN:
            continue
        if token.text in _OPEN:
            depth += 1
        elif token.text in _CLOSE:
            depth -= 1
        if depth == 0 and token.text == sign:
            yield tuple(found[start:place])
            start = place + 1
    yield tuple(found[start:])


def deepest(found: Sequence[Token]) -> int:
    """How many brackets are open at once, at most."""
    depth = most = 0
    for token in found:
        if token.kind is Kind.SIGN:
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
            most = max(most, depth)
    return most


def statements(found: Sequence[Token]) -> Iterator[Statement]:
    """The statements of a query, its result last."""
    for part in split(found, ";"):
        if not part:
            continue
        is_let = len(part) > 3 and part[0].is_word("let") and part[2].is_sign("=")
        yield Statement(part[1].text, part[3:]) if is_let else Statement(None, part)


def queries_of(passage: Passage) -> Iterator[Passage]:
    """The queries of a file of KQL: cut at an empty line, where a query can end.

    It cannot end within brackets, after a ``let``, after or before a pipe or another sign that
    wants a neighbour. A comment before a query is part of it.
    """
    text = passage.text
    start = depth = 0
    before: Token | None = None
    head: Token | None = None  # the first token of the statement, comments aside
    for token in tokens(text, comments=True):
        if (
            before is not None
            and depth <= 0
            and text.count("\n", before.end, token.offset) > 1
            and _can_end(before, head, token)
        ):
            yield passage.cut(start, before.end)
            start, depth, head = token.offset, 0, None
        before = token
        if token.kind is Kind.COMMENT:
            continue
        if token.kind is Kind.SIGN:
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
        begins = head is None or head.is_sign(";")
        ends_prelude = token.is_sign(";") and depth <= 0 and head and head.is_word(*_PRELUDE)
        if begins or ends_prelude:
            head = token
    if head is not None:
        yield passage.cut(start)


def _can_end(before: Token | None, head: Token | None, after: Token) -> bool:
    """Whether a query may end between two tokens with an empty line between.

    Args:
        before: The token before; a comment counts.
        head: The first token of the statement; a semicolon after ``let``; None if there was
            nothing but comments.
        after: The token after.
    """
    if before is None or head is None or head.is_sign(";"):
        return False
    if before.is_word(*_JOINTS) or after.is_word(*_JOINTS):
        return False
    is_open = before.is_sign("|", ",", "=", *_COMPARING)
    return not is_open and not after.is_sign("|", ",", ")", "]", "}", ";", *_COMPARING)


def sources(found: Sequence[Token]) -> Iterator[Token]:
    """The names that a query's pipes begin with: tables, or functions of a workspace.

    Names that ``let`` made, operators such as ``print`` and everything in brackets are none.
    """
    parts = tuple(statements(found))
    named = {part.name for part in parts if part.name}
    for part in parts:
        first = part.stages[0]
        begins = first[0] if first else None
        if begins is None or begins.kind is not Kind.NAME or begins.text in named:
            continue
        is_alone = len(first) == 1
        is_pipe = len(part.stages) > 1
        if (is_alone and (is_pipe or part.name is None)) and not begins.is_word(*_OPERATORS):
            yield begins


def constants(found: Sequence[Token]) -> dict[str, tuple[str, ...]]:
    """The texts of each ``let`` that is a constant: a text, a number, or a list of them."""
    return {
        part.name: tuple(one.text for one in part.tokens if one.kind in (Kind.STRING, Kind.NUMBER))
        for part in statements(found)
        if part.name and not any(one.is_sign("|", "{") for one in part.tokens)
    }
