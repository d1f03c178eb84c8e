"""Every deliberate error of foxhunt: one tree, stable codes, the place it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """Where an offending text is.

    Attributes:
        name: File, feed or option the text came from, as the user wrote it.
        line: Line in it, from 1, or None.
        column: Column in the line, from 1, or None.
        record: Number of the record in it, from 1 (a header not counted), or None.
    """

    name: str
    line: int | None = None
    column: int | None = None
    record: int | None = None

    def __str__(self) -> str:
        text = self.name
        if self.line is not None:
            text += f":{self.line}"
            if self.column is not None:
                text += f":{self.column}"
        if self.record is not None:
            text += f", record {self.record}"
        return text


class HuntError(Exception):
    """Base of every deliberate error.

    Attributes:
        code: Stable identifier listed in docs/errors.md; never reused.
        at: Where the offending text is, if it came from a file or feed.
        hint: One sentence on what to do next, if we know.
    """

    code: ClassVar[str] = "H000"

    def __init__(
        self, message: str, *, at: SourceSpan | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint

    @property
    def message(self) -> str:
        """What is wrong, without place, code and hint."""
        return str(self.args[0])

    def __str__(self) -> str:
        where = f"{self.at}: " if self.at else ""
        then = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.code}: {self.message}{then}"


class UsageError(HuntError):
    """The command line or a configuration asks for something that makes no sense."""

    code = "H100"


class ParseError(HuntError):
    """A value is not what its type says: an indicator that cannot be one."""

    code = "H101"


class BenignValueError(ParseError):
    """A value parses but can never be a good indicator: reserved, private, of an empty file."""

    code = "H102"


class RetractedError(ParseError):
    """A feed takes an indicator of its own back: it is hunted no more."""

    code = "H340"


class FeedError(HuntError):
    """A feed's file or answer cannot be read as a whole."""

    code = "H201"


class StoreError(HuntError):
    """The indicator store cannot be read or written."""

    code = "H202"


class NoIndicatorsError(HuntError):
    """There is nothing to hunt for: neither --indicators nor a synced store."""

    code = "H203"


class ExclusionError(HuntError):
    """An exclusion file is wrong; the message names every mistake in all of them."""

    code = "H204"


class ContentError(HuntError):
    """A file of hunting content cannot be read: not text, not YAML or JSON, no rule."""

    code = "H205"


class LogError(HuntError):
    """A log file cannot be recognised or read."""

    code = "H301"


class MemoryLimitError(LogError):
    """The memory that the process may take is not enough to read a log file."""

    code = "H353"


class TableError(HuntError):
    """A table is not in the catalog, or a table file of the catalog is wrong."""

    code = "H302"


class NetworkError(HuntError):
    """A server cannot be reached, is too slow, fails, or its answer is torn.

    Attributes:
        is_passing: Whether trying again may help.
        retry_after_seconds: How long the server asks to wait, or None if it does not say.
    """

    code = "H310"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        is_passing: bool = True,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.is_passing = is_passing
        self.retry_after_seconds = retry_after_seconds


class RateLimitError(NetworkError):
    """A server takes no more queries for a while."""

    code = "H312"


class FeedKeyError(HuntError):
    """A feed's key is missing, is refused, or its account may not do what was asked."""

    code = "H311"


class AnswerError(HuntError):
    """A server answers something that is none of its documented answers: asking again is no use."""

    code = "H313"


class FeedQueryError(HuntError):
    """A feed's API refuses what it was asked: a term, a hash, a number of days."""

    code = "H314"


class ImplausibleFeedError(FeedError):
    """What a feed answers can be read, but an alarm doubts it: nothing of it is taken."""

    code = "H315"


class MappingError(HuntError):
    """A mapping of CSV columns is wrong; the message names every mistake in it."""

    code = "H320"


class BundleError(HuntError):
    """A bundle of indicators is damaged, was changed, or is none."""

    code = "H325"


class UnsupportedError(HuntError):
    """Something cannot be said exactly in a query language; refused rather than guessed."""

    code = "H401"


class EngineError(HuntError):
    """A rule could not be evaluated."""

    code = "H501"


class QueryError(HuntError):
    """A KQL text of the user cannot be run."""

    code = "H502"


def all_errors() -> tuple[type[HuntError], ...]:
    """Every error class with a code of its own, by code; docs/errors.md is tested against it."""
    found: list[type[HuntError]] = []
    queue: list[type[HuntError]] = [HuntError]
    while queue:
        error = queue.pop()
        found.append(error)
        queue.extend(error.__subclasses__())
    return tuple(sorted(found, key=lambda error: error.code))
