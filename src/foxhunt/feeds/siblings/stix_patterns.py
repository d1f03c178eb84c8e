"""Patterns of STIX into the observables that foxhunt can look for, or why there is none.

OASIS's own parser reads them (``stix2-patterns``). What is taken is what can be said exactly: one
comparison with ``=`` or ``IN``; an address and a port of one connection; any of these joined with
``OR``, each of which is an indicator of its own. Everything else says more than an indicator can
hold, and is refused with its reason (STIX 2.1, part 9).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from stix2patterns.exceptions import ParseException
from stix2patterns.v21.pattern import Pattern

from foxhunt.errors import ParseError
from foxhunt.indicators import IndicatorType

# ANTLR's time and stack grow with the text; patterns with hundreds of values are shorter.
_MAX_CHARACTERS = 20_000
_MOST_ALTERNATIVES = 1_000
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

# Nodes are ANTLR's, which carry no types.
_Node: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Observable:
    """A value that is an indicator by itself.

    Attributes:
        type: What it is.
        text: As the pattern spells it, an address and its port joined.
    """

    type: IndicatorType
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An alternative of a pattern that no indicator can hold, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class _Comparison:
    """``path = text``; or, with ``why``, a comparison that is none of those."""

    path: str
    text: str = ""
    why: str = ""


_Conjunction: TypeAlias = tuple[_Comparison, ...]


def read_pattern(text: str) -> tuple[Observable | Refused, ...]:
    """Return what a pattern looks for: each of its alternatives, in order.

    Raises:
        ParseError: It is no pattern, or one of which nothing can be said by itself.
    """
    if len(text) > _MAX_CHARACTERS:
        raise ParseError(f"a pattern longer than {_MAX_CHARACTERS} characters")
    try:
        tree = Pattern(text).visit(_Root())
        alternatives = [one for node in _observations(tree) for one in _alternatives(node)]
    except ParseException as error:
        raise ParseError(f"not a STIX pattern: {str(error)[:200]}") from None
    except RecursionError:
        raise ParseError("a pattern that is nested too deeply") from None
    return tuple(_observable(one) for one in alternatives)


class _Root:
    """Gives out the root of a parse tree, which `Pattern` keeps to itself."""

    def visit(self, node: _Node) -> _Node:
        return node


def _observations(node: _Node) -> Iterator[_Node]:
    """The comparison expressions of ``[...] OR [...]``; all else is about several events."""
    kind = _kind(node)
    if kind == "ObservationExpressionSimple":
        yield node.comparisonExpression()
    elif kind in ("ObservationExpressions", "ObservationExpressionAnd") and len(_rules(node)) > 1:
        word = "FOLLOWEDBY" if kind == "ObservationExpressions" else "AND"
        raise ParseError(f"[...] {word} [...] asks for two events, an indicator for one")
    elif kind in _QUALIFIED:
        raise ParseError(f"{_QUALIFIED[kind]} asks for more than one event at some time")
    else:
        for child in _rules(node):
            yield from _observations(child)


_QUALIFIED = {
    "ObservationExpressionRepeated": "REPEATS",
    "ObservationExpressionWithin": "WITHIN",
    "ObservationExpressionStartStop": "START ... STOP",
}


def _alternatives(node: _Node) -> list[_Conjunction]:
    """Comparisons as alternatives, each of comparisons that all have to hold."""
    kind = _kind(node)
    if kind == "ComparisonExpression":
        found = [one for child in _rules(node) for one in _alternatives(child)]
    elif kind == "ComparisonExpressionAnd":
        found = [()]
        for child in _rules(node):
            found = [(*before, *one) for before in found for one in _alternatives(child)]
            _check_size(found)
    elif kind == "PropTestParen":
        found = _alternatives(node.comparisonExpression())
    else:
        found = [(one,) for one in _comparisons(node, kind)]
    _check_size(found)
    return found


def _check_size(found: list[_Conjunction]) -> None:
    if len(found) > _MOST_ALTERNATIVES:
        raise ParseError(f"a pattern of more than {_MOST_ALTERNATIVES} alternatives")


def _comparisons(node: _Node, kind: str) -> list[_Comparison]:
    """One comparison, or those of a set."""
    path = _path(node.objectPath())
    # `EXISTS` has no NOT of its own in the grammar.
    if kind != "PropTestExists" and node.NOT():
        return [_Comparison(path, why="NOT")]
    if kind == "PropTestEqual" and node.EQ():
        return [_literal(path, node.primitiveLiteral())]
    if kind == "PropTestSet":
        return [_literal(path, one) for one in node.setLiteral().primitiveLiteral()]
    return [_Comparison(path, why=_WORDS.get(kind, "an order"))]


_WORDS = {
    "PropTestEqual": "!=",
    "PropTestLike": "LIKE",
    "PropTestRegex": "MATCHES",
    "PropTestIsSubset": "ISSUBSET",
    "PropTestIsSuperset": "ISSUPERSET",
    "PropTestExists": "EXISTS",
}


def _literal(path: str, node: _Node) -> _Comparison:
    orderable = node.orderableLiteral()
    if orderable is not None and orderable.StringLiteral():
        return _Comparison(path, _unquoted(orderable.getText()))
    if orderable is not None and orderable.IntPosLiteral():
        return _Comparison(path, orderable.getText())
    return _Comparison(path, why="a value that is neither text nor number")


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1])


def _path(node: _Node) -> str:
    """``file:hashes.SHA-256`` with keys unquoted, whatever quotes the pattern writes."""
    first = node.firstPathComponent().getText()
    steps = [first] + [step.getText() for step in _rules(node)[2:]]
    keys = (_unquoted(key) if key.startswith("'") else key for key in _KEY.findall("".join(steps)))
    return f"{node.objectType().getText()}:{'.'.join(keys)}"


_KEY = re.compile(r"'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[^.'\[]+")


def _kind(node: _Node) -> str:
    return type(node).__name__.removesuffix("Context")


def _rules(node: _Node) -> list[_Node]:
    """A node's children that are no single token."""
    return [child for child in node.getChildren() if _kind(child) != "TerminalNodeImpl"]


_HASHES = {
    "MD5": IndicatorType.MD5,
    "SHA1": IndicatorType.SHA1,
    "SHA256": IndicatorType.SHA256,
    "SHA3384": IndicatorType.SHA3_384,
}
_SINGLE = {"domain-name:value": IndicatorType.DOMAIN, "url:value": IndicatorType.URL}
_ADDRESSES = ("ipv4-addr:value", "ipv6-addr:value", "network-traffic:dst_ref.value")
_KIND = "network-traffic:dst_ref.type"
_PORT = "network-traffic:dst_port"


def _observable(conjunction: _Conjunction) -> Observable | Refused:
    for one in conjunction:
        if one.why:
            return Refused(f"{one.path}: {one.why} cannot be said by an indicator")
    if len(conjunction) == 1:
        return _single(conjunction[0])
    said = {one.path: one.text for one in conjunction}
    addresses = [path for path in _ADDRESSES if path in said]
    if len(said) == len(conjunction) and len(addresses) == 1 and _PORT in said:
        address = said.pop(addresses[0])
        port = said.pop(_PORT)
        if not said or said == {_KIND: _kind_of(address)}:
            shown = f"[{address}]" if ":" in address else address
            return Observable(IndicatorType.IP_PORT, f"{shown}:{port}")
    paths = " AND ".join(one.path for one in conjunction[:5])
    return Refused(f"{paths}: an indicator is one value, or an address and its port")


def _kind_of(address: str) -> str:
    try:
        return f"ipv{ipaddress.ip_address(address).version}-addr"
    except ValueError:
        return ""


def _single(one: _Comparison) -> Observable | Refused:
    if one.path in _SINGLE:
        return Observable(_SINGLE[one.path], one.text)
    kind, _, name = one.path.partition(":hashes.")
    hashed = _HASHES.get(name.upper().replace("-", "").replace("_", ""))
    if kind == "file" and hashed is not None:
        return Observable(hashed, one.text)
    if one.path in _ADDRESSES:
        return Refused(f"{one.path}: an address without a port is no indicator of foxhunt's")
    return Refused(f"{one.path}: foxhunt has no such type of indicator")
