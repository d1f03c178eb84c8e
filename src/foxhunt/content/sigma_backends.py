"""Splunk SPL and Elastic ES|QL, by the backends that the Sigma project keeps.

They are an extra of this package: ``pip install 'foxhunt[sigma]'``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head
from foxhunt.content.sigma import exclusion_note
from foxhunt.content.sigma_detection import SOURCES, Source, parts, size, texts
from foxhunt.errors import UsageError
from foxhunt.indicators import Indicator, IndicatorType

if TYPE_CHECKING:
    from foxhunt.content.sigma_skeleton import Dialect

# SPL's wildcard cannot be escaped (Splunk Search Manual 9.4, "Backslashes", 2025), though
# pySigma's backend writes a backslash before it; a backtick begins a macro.
_NOT_IN_SPL = "*`"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    """A query language.

    Attributes:
        headings: What is said of a query, by the key of its log source; of others there is none.
        unsayable: Characters that no value may have.
        reason: Why URLs are left out; all else is short and of few characters.
        notes: What every query of it needs.
        most_characters: How long the texts of a query may be together; see `size`.
        comment: One line as a comment.
        ending: What stands behind every query.
    """

    headings: Mapping[str, str]
    unsayable: str
    reason: str
    notes: tuple[str, ...]
    most_characters: int
    comment: Callable[[str], str]
    ending: str


def _spl_comment(line: str) -> str:
    """A backtick could end it; Splunk's manual does not say what a quote does in it."""
    plain = re.sub(r"[`\"]", " ", line)
    return f"```{plain}```"


_SPL = _Language(
    headings={source.key: source.where for source in SOURCES},
    unsayable=_NOT_IN_SPL,
    reason="an asterisk or a backtick in it, which SPL cannot quote, or too long for a query",
    notes=(
        "Each paragraph is a search of its own",
        "Needs the field names of Sysmon for Windows, and of the CIM for the rest",
    ),
    most_characters=100_000,
    comment=_spl_comment,
    ending="",
)
# In ECS a process's queries and connections have the fields of all others, and are found with them.
_ESQL = _Language(
    headings={
        "dns": "DNS queries",
        "proxy-host": "hosts of URLs",
        "proxy-url": "URLs",
        "firewall": "connections",
        "process": "programs",
        "image": "other files",
    },
    unsayable="",
    reason="too long for a query",
    notes=(
        "Each paragraph is a query of its own",
        "Needs fields of ECS. ES|QL refuses a field that no index has: take it out then",
        "ES|QL gives 10,000 rows at most",
    ),
    # Elasticsearch takes 1,000,000: each text stands twice, may double when it is quoted, and
    # has about 45 characters around it.
    most_characters=200_000,
    comment=lambda line: f"// {line}",
    ending="\n| sort @timestamp desc\n| limit 10000",
)


def splunk(subject: Subject) -> Iterator[ContentFile]:
    """SPL; see `foxhunt.content.Content`.

    Raises:
        UsageError: pySigma's backend is not installed.
    """
    try:
        from foxhunt.content.sigma_splunk import dialect
    except ImportError as error:
        raise _missing("splunk") from error
    yield ContentFile("rule.spl", _text(subject, _SPL, dialect()))


def esql(subject: Subject) -> Iterator[ContentFile]:
    """ES|QL; see `foxhunt.content.Content`.

    Raises:
        UsageError: pySigma's backend is not installed.
    """
    try:
        from foxhunt.content.sigma_esql import dialect
    except ImportError as error:
        raise _missing("elasticsearch") from error
    yield ContentFile("rule.esql", _text(subject, _ESQL, dialect()))


def _missing(name: str) -> UsageError:
    return UsageError(
        f"pysigma-backend-{name} is not installed", hint="pip install 'foxhunt[sigma]'"
    )


def _text(subject: Subject, language: _Language, dialect: Dialect) -> str:
    """The queries, each with a heading, after what is to be said of all."""
    shown = [one for one in subject.rule.indicators if _can_say(one, language)]
    lines = list(
        head(subject.rule, shown, {IndicatorType.URL: language.reason}, exclusion_note(subject))
    )
    blocks = ["\n".join(map(language.comment, [*lines, *language.notes]))]
    # Several log sources show the same types.
    runs: dict[tuple[IndicatorType, ...], list[list[Indicator]]] = {}
    for source in SOURCES:
        if source.key in language.headings:
            if source.types not in runs:
                about = [one for one in shown if one.type in source.types]
                runs[source.types] = list(parts(about, language.most_characters))
            blocks += _queries(language, source, runs[source.types], dialect)
    return "\n\n".join(blocks) + "\n"


def _queries(
    language: _Language,
    source: Source,
    runs: Sequence[Sequence[Indicator]],
    dialect: Dialect,
) -> Iterator[str]:
    for number, run in enumerate(runs, start=1):
        part = f", part {number} of {len(runs)}" if len(runs) > 1 else ""
        heading = f"Looks in {language.headings[source.key]}{part}. {source.note}"
        query = dialect.query(source, run)
        yield f"{language.comment(heading)}\n{query}{language.ending}"


def _can_say(one: Indicator, language: _Language) -> bool:
    whole, part = texts(one)
    said = "".join(whole + part)
    is_quotable = not any(char in said for char in language.unsayable)
    return bool(said) and is_quotable and size(one) <= language.most_characters
