"""What the lint looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from foxhunt.errors import SourceSpan
from foxhunt.lint.tokens import Token, tokens


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"  # it does not deploy, does not run, or finds something else
    WARNING = "warning"  # it may: look at it
    NOT_JUDGED = "not judged"  # nobody here could tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing the lint has to say.

    Attributes:
        code: Stable: L101 and so on (docs/lint.md).
        level: See `Level`.
        at: Where.
        message: What is wrong with which part, and why that matters.
        fix: What to do.
    """

    code: str
    level: Level
    at: SourceSpan
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Query:
    """A KQL text in a file.

    Attributes:
        text: All of it.
        file: The file's name.
        lines: For each line of the text, the line and column of the file at which it begins.
        kind: What holds it: ``kql``, or the kind of the rule around it.
        period_bounded: Whether whoever runs it bounds its time.
    """

    text: str
    file: str
    lines: tuple[tuple[int, int], ...]
    kind: str = "kql"
    period_bounded: bool = False

    def at(self, offset: int) -> SourceSpan:
        """The place of a character of the text."""
        before = self.text[:offset].split("\n")
        line, column = self.lines[min(len(before) - 1, len(self.lines) - 1)]
        return SourceSpan(self.file, line, column + len(before[-1]))

    def tokens(self) -> tuple[Token, ...]:
        """Its tokens, without comments."""
        return tuple(tokens(self.text))


@dataclass(frozen=True, slots=True)
class Document:
    """A file: its queries, and the rules around them.

    Attributes:
        file: Its name.
        queries: In its order.
        rules: What the file says of each query, by the name of its schema; values are plain.
        places: Line of a rule in the file.
    """

    file: str
    queries: tuple[Query, ...] = ()
    rules: tuple[tuple[str, Mapping[str, object]], ...] = ()
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a lint.

    Attributes:
        files: How many were looked at.
        queries: How many queries were in them.
        issues: In the order of the files and places.
        judges: Names of the parsers that judged.
    """

    files: int
    queries: int
    issues: tuple[Issue, ...]
    judges: tuple[str, ...] = field(default=())

    def count(self, level: Level) -> int:
        """How many issues are of a level."""
        return sum(issue.level is level for issue in self.issues)
