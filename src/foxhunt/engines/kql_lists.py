"""Where a KQL query compares a column with a long constant list, on its syntax tree.

Only what is certain is taken: a plain column name, in a ``where`` of a pipeline over a table of
the catalog, below nothing but ``and``, ``or``, ``not()`` and parentheses, with a list of plain
string literals, or a ``let`` of ``toscalar()``, as emitted queries have; and in that, as before it
in the pipeline, only operators that give the same values each time they run. Everything else is
left to duckdb-kql as it is.

The tree is duckdb-kql's `parse`, whose node classes are named after the rules of Microsoft's
grammar, ``Kql.g4``; a grammar with other names means that nothing is recognised.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from duckdb_kql import parse

LONG = 8
IPV4 = "has_any_ipv4"
_OPERATORS = frozenset({"has_any", "in", "!in", "in~", "!in~"})

# What stands between quotes is the value: no escapes, no other quote, nothing that cannot be
# encoded. A list with any other element is not taken.
_PLAIN_LITERAL = re.compile(r"""(["'])([^"'\\\x00-\x1f\x7f\ud800-\udfff]*)\1""")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Their result is a function of the rows: running a pipeline of them twice gives the same values.
_STEADY_OPERATORS = frozenset(
    f"{name}Operator"
    for name in (
        *("Where", "Extend", "Project"),
        *("ProjectAway", "ProjectKeep", "ProjectRename", "ProjectReorder"),
    )
)
_STEADY_FUNCTIONS = frozenset(
    {
        *("ago", "now", "bin", "not", "iff", "iif", "case", "coalesce"),
        *("isempty", "isnotempty", "isnull", "isnotnull"),
        *("tolower", "toupper", "tostring", "toint", "tolong", "todatetime", "totimespan"),
        *("strlen", "strcat", "substring", "split", "trim", "trim_start", "trim_end"),
        *("extract", "replace_string", "parse_json", "todynamic"),
        *("startofday", "endofday", "startofweek", "endofweek", "startofmonth", "endofmonth"),
        *("datetime_add", "datetime_diff"),
    }
)
_UNSTEADY = frozenset({"PipedOperator", "ToScalarExpression", "ToTableExpression"})
# What may stand in a ``toscalar()`` beside them: it is worked out once, here and by duckdb-kql.
_LISTING_OPERATORS = _STEADY_OPERATORS | {
    *("SummarizeOperator", "DistinctOperator"),
    *("PipedOperator", "AfterPipeOperator", "BeforeOrAfterPipeOperator"),
}
_LISTING_FUNCTIONS = _STEADY_FUNCTIONS | {"make_set", "parse_ipv4", "parse_ipv6"}

# What may stand between a statement and a pipeline of the same scope.
_NESTING = frozenset(
    {
        *("PipedOperator", "AfterPipeOperator", "BeforeOrAfterPipeOperator"),
        *("JoinOperator", "LookupOperator", "UnionOperator"),
        *("LetVariableDeclaration", "LetMaterializeDeclaration"),
    }
)
_CLOSED = ("Operator", "CallExpression", "EqualityExpression", "Declaration")
_LOGICAL = frozenset(
    {
        *("LogicalOrExpression", "LogicalOrOperation", "LogicalAndExpression"),
        *("LogicalAndOperation", "ParenthesizedExpression", "ArgumentExpression"),
        "WhereOperator",
    }
)
# They see every table there is, and the lists are to be tables.
_SEES_ALL = re.compile(r"WildcardedEntityExpression|FindOperator|SearchOperator")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPredicate:
    """One comparison of a column with a constant list.

    Attributes:
        column: The column's name.
        operator: ``has_any``, ``in``, ``!in``, ``in~``, ``!in~`` or ``has_any_ipv4``.
        values: The list, in order.
        list_name: The ``let`` that holds it, or None if it stands in place.
        start: Where the comparison begins in the text, in characters.
        end: One past its end.
        pipeline: Where the pipeline begins that it is in.
        stage: One past the end of what the pipeline does before this ``where``.
        statement: Where the pipeline's statement begins; the statements before it are its scope.
    """

    column: str
    operator: str
    values: tuple[str, ...]
    list_name: str | None
    start: int
    end: int
    pipeline: int
    stage: int
    statement: int


Evaluate = Callable[[str], tuple[str, ...] | None]


def list_predicates(
    text: str, tables: Collection[str], evaluate: Evaluate
) -> tuple[ListPredicate, ...]:
    """Find the comparisons with long lists in ``text``, in the order they stand there.

    A list that the query works out itself is taken however short: duckdb-kql would work it out
    again for each row.

    Args:
        text: One KQL query.
        tables: Names of the tables that a pipeline may begin with.
        evaluate: From a query to the list of texts that is its one value; None
            if it is none.

    Raises:
        KqlSyntaxError: ``text`` is not KQL.
    """
    tree = parse(text).tree
    if tree is None or any(_SEES_ALL.search(_kind(node)) for node in _nodes(tree)):
        return ()
    statements = [node for node in _nodes(tree) if _kind(node) == "Statement"]
    inner = [_collapsed(statement) for statement in statements]
    if not all(_is_let(one) for one in inner[:-1]) or not inner or _is_let(inner[-1]):
        return ()
    scope = _Scope()
    for let in inner[:-1]:
        if not scope.add(let, text, evaluate):
            return ()
    found = [
        predicate
        for statement in statements
        for pipeline in _pipelines(statement)
        if _source(pipeline) in tables and _source(pipeline) not in scope.names
        for predicate in _in_pipeline(pipeline, statement.start.start, scope)
    ]
    return tuple(sorted(found, key=lambda one: one.start))


# The tree's nodes are ANTLR's, which has no types: `Any`, here and nowhere else.


def _kind(node: Any) -> str:
    return type(node).__name__.removesuffix("Context")


def _children(node: Any) -> list[Any]:
    return list(getattr(node, "children", None) or ())


def _rules(node: Any) -> list[Any]:
    return [child for child in _children(node) if hasattr(child, "getRuleIndex")]


def _collapsed(node: Any) -> Any:
    """The first node below a chain of only children that has several, or a token."""
    while len(children := _children(node)) == 1 and hasattr(children[0], "getRuleIndex"):
        node = children[0]
    return node


def _nodes(node: Any) -> Iterator[Any]:
    """All rule nodes, a parent before its children, in the order of the text."""
    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(_rules(one)))


def _word(node: Any) -> str | None:
    """The one token of ``node`` if it is a plain name."""
    text = str(node.start.text)
    return text if node.start is node.stop and _NAME.fullmatch(text) else None


def _is_let(node: Any) -> bool:
    return _kind(node).startswith("Let")


@dataclass(slots=True)
class _Scope:
    """The ``let`` statements.

    Attributes:
        names: All of them.
        lists: Those that are constant lists.
        worked_out: Of these, those that the query works out itself.
        unsteady: What may not be referred to where values are read twice.
        drifting: What is not the same each time it is worked out.
    """

    names: set[str] = field(default_factory=set)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    worked_out: set[str] = field(default_factory=set)
    unsteady: set[str] = field(default_factory=set)
    drifting: set[str] = field(default_factory=set)

    def add(self, let: Any, text: str, evaluate: Evaluate) -> bool:
        """Take one more statement in; False if its name says nothing certain."""
        name = _word(_rules(let)[0])
        if name is None or name.casefold() in {known.casefold() for known in self.names}:
            return False
        self.names.add(name)
        value = _collapsed(_rules(let)[-1])
        values = _dynamic_list(value)
        if not self._is_same_each_time(value):
            self.drifting.add(name)
        elif _kind(value) == "ToScalarExpression":
            values = evaluate(f"{text[: let.stop.stop + 1]};\nprint {name}")
            if values is not None:
                self.worked_out.add(name)
        if values is not None:
            self.lists[name] = values
        elif _kind(let) != "LetVariableDeclaration" or not _is_steady(value, self.unsteady):
            self.unsteady.add(name)
        return True

    def _is_same_each_time(self, node: Any) -> bool:
        for one in _nodes(node):
            kind = _kind(one)
            if kind.endswith("Operator") and kind not in _LISTING_OPERATORS:
                return False
            if kind == "NamedFunctionCallExpression" and one.start.text not in _LISTING_FUNCTIONS:
                return False
            if _word(one) in self.drifting:
                return False
        return True


def _is_steady(node: Any, unsteady: Collection[str]) -> bool:
    """Whether evaluating ``node`` again over the same rows gives the same."""
    for one in _nodes(node):
        kind = _kind(one)
        if kind in _UNSTEADY:
            return False
        if kind == "NamedFunctionCallExpression" and one.start.text not in _STEADY_FUNCTIONS:
            return False
        if kind == "SimpleNameReference" and one.start.text in unsteady:
            return False
    return True


def _pipelines(node: Any) -> Iterator[Any]:
    """The pipelines of a statement whose scope is the statement's own."""
    kind = _kind(node)
    if kind == "PipeExpression":
        yield node
    is_closed = kind.endswith(_CLOSED) and kind not in (*_NESTING, "LetVariableDeclaration")
    if is_closed and len(_children(node)) > 1:
        return
    for child in _rules(node):
        yield from _pipelines(child)


def _source(pipeline: Any) -> str | None:
    return _word(_rules(pipeline)[0])


def _in_pipeline(pipeline: Any, statement: int, scope: _Scope) -> Iterator[ListPredicate]:
    stage = _rules(pipeline)[0].stop.stop + 1
    for piped in _rules(pipeline)[1:]:
        operator = _collapsed(_rules(piped)[0])
        if _kind(operator) == "WhereOperator":
            for node in _comparisons(operator):
                yield from _predicate(node, scope, (pipeline.start.start, stage, statement))
        if _kind(operator) not in _STEADY_OPERATORS or not _is_steady(operator, scope.unsteady):
            return
        stage = piped.stop.stop + 1


def _comparisons(where: Any) -> Iterator[Any]:
    """List comparisons and function calls that only logic stands above."""
    stack = [where]
    while stack:
        node = _collapsed(stack.pop())
        kind = _kind(node)
        is_not = kind == "NamedFunctionCallExpression" and node.start.text == "not"
        if kind in _LOGICAL or is_not:
            stack.extend(reversed(_rules(node)))
        elif kind in ("EqualityExpression", "NamedFunctionCallExpression"):
            yield node


def _predicate(node: Any, scope: _Scope, place: tuple[int, int, int]) -> Iterator[ListPredicate]:
    first, *rest = _rules(node)
    if _kind(node) == "NamedFunctionCallExpression":
        if node.start.text != IPV4 or not rest:
            return
        operator, subject, items = IPV4, rest[0], rest[1:]
    elif rest and _kind(rest[0]) == "ListEqualityExpression":
        operator, subject, items = str(rest[0].start.text).lower(), first, _rules(rest[0])
    else:
        return
    column, listed = _word(subject), _listed(items, scope)
    names = {name.casefold() for name in scope.names}
    if column is None or column.casefold() in names or listed is None:
        return
    name, values = listed
    is_long = len(values) >= LONG or name in scope.worked_out
    if operator == IPV4 or (operator in _OPERATORS and is_long):
        pipeline, stage, statement = place
        yield ListPredicate(
            column=column,
            operator=operator,
            values=values,
            list_name=name,
            start=node.start.start,
            end=node.stop.stop + 1,
            pipeline=pipeline,
            stage=stage,
            statement=statement,
        )


def _listed(items: list[Any], scope: _Scope) -> tuple[str | None, tuple[str, ...]] | None:
    """The list that ``items`` are: a ``let``, one ``dynamic``, or literals."""
    if len(items) == 1:
        if (name := _word(items[0])) is not None:
            return (name, scope.lists[name]) if name in scope.lists else None
        if (values := _dynamic_list(_collapsed(items[0]))) is not None:
            return None, values
    literals = [_literal(item, "StringLiteralExpression") for item in items]
    values = tuple(value for value in literals if value is not None)
    return (None, values) if items and len(values) == len(items) else None


def _dynamic_list(node: Any) -> tuple[str, ...] | None:
    if _kind(node) != "DynamicLiteralExpression":
        return None
    array = _collapsed(_rules(node)[0])
    if _kind(array) != "JsonArray":
        return None
    items = _rules(array)
    values = tuple(value for item in items if (value := _literal(item, "JsonString")) is not None)
    return values if items and len(values) == len(items) else None


def _literal(node: Any, kind: str) -> str | None:
    """The value of a string literal that says it as it is."""
    node = _collapsed(node)
    if _kind(node) != kind or len(_children(node)) != 1:
        return None
    plain = _PLAIN_LITERAL.fullmatch(str(node.start.text))
    return plain[2] if plain else None
