"""Lists that are too long for their operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from foxhunt.lint.checks import Remark
from foxhunt.lint.model import Level, Query
from foxhunt.lint.tokens import Kind, Token

# Distinct values an operator takes (Kusto docs, in and has_any operators, 2024-08).
_MOST = {
    **dict.fromkeys(("in", "in~", "!in", "!in~"), 1_000_000),
    **dict.fromkeys(("has_any", "has_any_ipv4"), 10_000),
}
# With more terms the index of terms is not looked up (Kusto docs, 2024-08).
_INDEXED = 128


def long_lists(query: Query) -> Iterator[Remark]:
    """A list longer than its operator takes, or than the index is used for."""
    named = query.constants
    for place, token in enumerate(query.tokens):
        most = _MOST.get(str(token)) if token.kind is Kind.NAME else None
        if most is None:
            continue
        count = len(set(_listed(query.tokens, place + 1, named)))
        if count > most:
            text = f"{token.text} has {count:,} values, it takes {most:,}"
            yield _remark("L112", Level.ERROR, token, text)
        elif count > _INDEXED:
            text = f"{token.text} has {count:,} values: over {_INDEXED} the index is not used"
            yield _remark("L113", Level.WARNING, token, text)


def _remark(code: str, level: Level, token: Token, message: str) -> Remark:
    return Remark(code, level, token.offset, message, "split the list, or join a table")


def _listed(
    found: Sequence[Token], start: int, named: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    depth = 0
    for token in found[start:]:
        if token.is_sign("("):
            depth += 1
        elif token.is_sign(")"):
            depth -= 1
        elif token.kind in (Kind.STRING, Kind.NUMBER):
            yield token.text
        elif token.kind is Kind.NAME:
            yield from named.get(token.text, ())
        if depth <= 0:
            return
