"""What parsers and checks say of a query, asked once for all files that hold it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from foxhunt.errors import EngineError
from foxhunt.lint.checks import Remark
from foxhunt.lint.columns import returned_columns
from foxhunt.lint.mistakes import mistakes
from foxhunt.lint.model import Holder, Issue, Query
from foxhunt.lint.source import whole
from foxhunt.lint.syntax import judged, microsoft, syntax

if TYPE_CHECKING:
    from foxhunt.lint.kusto import Kusto

# A rule has room for 10,000 characters, so what is remembered is some megabytes.
_MOST_CHARACTERS = 12_000
_MOST_REMEMBERED = 1_000
# Text, whether it is Defender's, whether it is streamed, and the judge: all that matters.
_Key = tuple[str, bool, bool, "Kusto | None"]


def query_issues(query: Query) -> Iterator[Issue]:
    """Yield what is to be said of a query, each with its place in the file."""
    is_long = len(query.text) > _MOST_CHARACTERS
    for code, level, offset, message, fix in _remarks(query) if is_long else _known(_key(query)):
        yield Issue(code=code, level=level, at=query.at(offset), message=message, fix=fix)


def result_columns(query: Query) -> frozenset[str] | None:
    """Columns of the result: Microsoft's parser knows them, else as far as the pipe tells."""
    is_long = len(query.text) > _MOST_CHARACTERS
    return _columns(query) if is_long else _known_columns(_key(query))


def _key(query: Query) -> _Key:
    is_defender = query.holder is Holder.DEFENDER
    return query.text, is_defender, query.is_streamed, microsoft()


@lru_cache(maxsize=1)
def _alone(key: _Key) -> Query:
    """The query without its file; its tokens serve what is asked of it next."""
    text, is_defender, is_streamed, _ = key
    return Query(whole(text), Holder.DEFENDER if is_defender else Holder.KQL, is_streamed)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _known(key: _Key) -> tuple[Remark, ...]:
    return _remarks(_alone(key))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _known_columns(key: _Key) -> frozenset[str] | None:
    return _columns(_alone(key))


def _remarks(query: Query) -> tuple[Remark, ...]:
    return (*syntax(query), *mistakes(query))


def _columns(query: Query) -> frozenset[str] | None:
    found = judged(query)
    if found and not isinstance(found, EngineError) and not found.errors and found.columns:
        return frozenset(name for name, _ in found.columns)
    return returned_columns(query.tokens)
