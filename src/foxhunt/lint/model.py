"""What the lint looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from foxhunt.errors import SourceSpan
from foxhunt.lint.node import Node
from foxhunt.lint.source import Passage
from foxhunt.lint.statements import constants
from foxhunt.lint.tokens import Kind, Token, tokens


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


class Holder(StrEnum):
    """What holds a query."""

    KQL = "kql"  # a file of queries, which no limit of a rule concerns
    ANALYTICS = "sentinel-analytics"
    HUNTING = "sentinel-hunting"
    ARM_ANALYTICS = "arm-analytics"
    ARM_HUNTING = "arm-hunting"
    DEFENDER = "defender"


@dataclass(frozen=True)
class Query:
    """A KQL text in a file.

    Attributes:
        passage: All of it, with its places.
        holder: What holds it.
        is_streamed: Whether it runs on events as they arrive (NRT).
    """

    passage: Passage
    holder: Holder = Holder.KQL
    is_streamed: bool = False

    @property
    def text(self) -> str:
        """All of it."""
        return self.passage.text

    @cached_property
    def comments_and_tokens(self) -> tuple[Token, ...]:
        """Its tokens in order, comments too."""
        return tuple(tokens(self.text, comments=True))

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Its tokens in order, without comments."""
        return tuple(one for one in self.comments_and_tokens if one.kind is not Kind.COMMENT)

    @cached_property
    def constants(self) -> dict[str, tuple[str, ...]]:
        """See `foxhunt.lint.statements.constants`."""
        return constants(self.tokens)

    def at(self, offset: int) -> SourceSpan:
        """The place of a character of the text."""
        return self.passage.at(offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a file says around a query, all by the names of Azure-Sentinel's YAML.

    Attributes:
        holder: Its format.
        node: What its schema judges.
        id: Its GUID, if it has one that the file tells.
        names: The format's own names of the fields that are called otherwise here.
        is_partial: Whether the file's format is not read as a whole, so that a field that is
            not there may well be.
        query: None if it has none, or one that the service computes.
    """

    holder: Holder
    node: Node
    id: Node | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    is_partial: bool = False
    query: Query | None = None

    def field(self, name: str) -> Node | None:
        """The value of a field, by its name in YAML."""
        return self.node.find(self.names.get(name, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file: its rules, or bare queries.

    Attributes:
        file: Its name.
        rules: In its order.
        queries: All queries in its order, those of rules too.
        computed: Queries that the service computes, so that nobody here can judge them.
    """

    file: str
    rules: tuple[Rule, ...] = ()
    queries: tuple[Query, ...] = ()
    computed: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a lint.

    Attributes:
        files: How many were looked at.
        queries: How many queries were in them.
        issues: In the order of the files and places.
        judges: Names of the parsers that judged.
        skipped: Names of files in folders that can be read and hold no content.
    """

    files: int
    queries: int
    issues: tuple[Issue, ...]
    judges: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def count(self, level: Level) -> int:
        """How many issues are of a level."""
        return sum(issue.level is level for issue in self.issues)
