"""What a check of a query is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from foxhunt.lint.model import Level, Query


class Remark(NamedTuple):
    """What a check says of a query; see `foxhunt.lint.Issue`.

    Attributes:
        code: Of the issue.
        level: Of the issue.
        offset: Of the character of the query that it is about.
        message: What is wrong.
        fix: What to do.
    """

    code: str
    level: Level
    offset: int
    message: str
    fix: str


Check = Callable[[Query], Iterator[Remark]]
