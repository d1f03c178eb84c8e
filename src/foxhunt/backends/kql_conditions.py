"""Conditions of exclusions as KQL over the rows of a table.

Kusto has no third truth value, so a predicate is compiled twice: to what makes it true
and to what makes it false. Where a row tells nothing both are false, and only what is
true suppresses (`foxhunt.exclusions.holds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from foxhunt.backends.kql_addresses import is_in
from foxhunt.backends.kql_text import string_list, string_literal
from foxhunt.backends.kql_urls import SCHEME
from foxhunt.exclusions import AllOf, AnyOf, Condition, NotOf, Predicate
from foxhunt.exclusions.patterns import (
    MINUTES_A_DAY,
    ContainsPattern,
    DomainPattern,
    GlobPattern,
    HashPattern,
    HoursPattern,
    IndicatorPattern,
    NetworkPattern,
    Pattern,
    PortPattern,
    RegexPattern,
    UrlPattern,
)
from foxhunt.indicators import unicode_name
from foxhunt.tables import Fact, Observable, Table


@dataclass(frozen=True, slots=True)
class Expression:
    """A KQL condition and what joins its parts, which says where it needs parentheses."""

    text: str
    joined_by: str = ""


TRUE, FALSE = Expression("true"), Expression("false")


@dataclass(frozen=True, slots=True)
class Truth:
    """KQL that is true when a predicate is known to hold, and when it is known not to."""

    true: Expression
    false: Expression


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a fact.

    Attributes:
        known: True when the row tells it.
        spellings: Expressions of its spellings; one that matches is enough.
    """

    known: Expression
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the rows of one query tell, and the columns that are made of it on the way.

    Attributes:
        table: Whose rows.
        observable: The column that matched, or None for rows that are only witnesses.
        time: The column of their time.
        has_indicator: Whether there are the columns ``Indicator``, ``IndicatorType``, ``Malware``.
        made: Name of a column the block adds to its expression.
    """

    table: Table
    observable: Observable | None
    time: str
    has_indicator: bool
    made: dict[str, str] = field(default_factory=dict)

    def columns(self, fact: Fact) -> list[str]:
        """The table's columns that tell ``fact``."""
        names = self.table.facts.get(fact, ())
        if self.observable is not None:
            names = self.table.fact_columns(fact, self.observable)
        # Columns that only some local log formats fill are no columns of the product's table.
        return [name for name in names if name in self.table.columns]

    def told(self) -> frozenset[Fact]:
        """The facts that a row can tell."""
        always = {Fact.HOURS} | ({Fact.INDICATOR} if self.has_indicator else set())
        return frozenset(always | {fact for fact in Fact if self.columns(fact)})

    def make(self, name: str, expression: str) -> str:
        """Add a column and return its name."""
        self.made.setdefault(name, expression)
        return name


def truth(predicate: Predicate, row: Row, witnessed: Callable[[Condition], Truth]) -> Truth:
    """Compile ``predicate``.

    Args:
        predicate: What.
        row: The rows it is about; gets the columns it needs made.
        witnessed: What else is known of a condition when the row itself does not tell.

    Raises:
        UnsupportedError: A text cannot be said in KQL.
    """
    match predicate:
        case Condition(fact, patterns):
            return _instead(row, fact, condition_truth(fact, patterns, row), witnessed(predicate))
        case NotOf(part):
            inner = truth(part, row, witnessed)
            return Truth(inner.false, inner.true)
        case AllOf(parts):
            inners = [truth(part, row, witnessed) for part in parts]
            return Truth(all_of(i.true for i in inners), any_of(i.false for i in inners))
        case AnyOf(parts):
            inners = [truth(part, row, witnessed) for part in parts]
            return Truth(any_of(i.true for i in inners), all_of(i.false for i in inners))


UNKNOWN = Truth(FALSE, FALSE)


def _instead(row: Row, fact: Fact, own: Truth, other: Truth) -> Truth:
    """What the row tells, or where it tells nothing the other."""
    if other == UNKNOWN:
        return own
    silent = lacks(row, fact)
    return Truth(
        any_of([own.true, all_of([silent, other.true])]),
        any_of([own.false, all_of([silent, other.false])]),
    )


def known(row: Row, fact: Fact) -> Expression:
    """Whether a row tells ``fact``."""
    return any_of(value.known for value in _VALUES[fact](row))


def lacks(row: Row, fact: Fact) -> Expression:
    """Whether it does not."""
    told = known(row, fact)
    return TRUE if told == FALSE else Expression(f"not({told.text})")


def host_of(row: Row) -> str | None:
    """The column of the event's host in lower case; None when rows tell none."""
    return next((value.spellings[0] for value in _hosts(row)), None)


def all_of(parts: Iterable[Expression]) -> Expression:
    """Their conjunction; ``true`` of none."""
    listed = list(dict.fromkeys(part for part in parts if part != TRUE))
    return FALSE if FALSE in listed else _joined(listed, " and ", TRUE)


def any_of(parts: Iterable[Expression]) -> Expression:
    """Their disjunction; ``false`` of none."""
    listed = list(dict.fromkeys(part for part in parts if part != FALSE))
    return TRUE if TRUE in listed else _joined(listed, " or ", FALSE)


def _joined(parts: Sequence[Expression], word: str, empty: Expression) -> Expression:
    if len(parts) < 2:
        return parts[0] if parts else empty
    texts = [part.text if part.joined_by in ("", word) else f"({part.text})" for part in parts]
    return Expression(word.join(texts), word)


def condition_truth(fact: Fact, patterns: Sequence[Pattern], row: Row) -> Truth:
    """What the row itself tells of a condition."""
    values = list(_VALUES[fact](row))
    if not values:
        return Truth(FALSE, FALSE)
    true = any_of(
        all_of([value.known, any_of(_matches(patterns, text) for text in value.spellings)])
        for value in values
    )
    known = any_of(value.known for value in values)
    return Truth(true, all_of([known, Expression(f"not({true.text})")]))


def _matches(patterns: Sequence[Pattern], text: str) -> Expression:
    """Whether one of ``patterns`` matches; those that are plain values are one list."""
    plain = dict.fromkeys(value for one in patterns if (value := _plain(one)) is not None)
    parts = [_compared(one, text) for one in patterns if _plain(one) is None]
    if plain:
        parts.insert(0, Expression(f"{text} in ({string_list(plain)})"))
    return any_of(parts)


def _plain(pattern: Pattern) -> str | None:
    """The one text that a pattern matches, if it is one."""
    match pattern:
        case GlobPattern(glob) if not {"*", "?"} & set(glob):
            return glob
        case HashPattern(value) | IndicatorPattern(value):
            return value
        case _:
            return None


def _compared(pattern: Pattern, text: str) -> Expression:
    match pattern:
        case DomainPattern(name, is_exact):
            return _domain(name, text, is_exact=is_exact)
        case UrlPattern(key):
            return _url(str(key), text)
        case NetworkPattern(network):
            return Expression(is_in(text, (network,)))
        case PortPattern(port):
            return Expression(f"{text} == {port}")
        case GlobPattern() | RegexPattern():
            return Expression(f"{text} matches regex {string_literal(pattern.regex)}")
        case ContainsPattern(wanted):
            return Expression(f"{text} contains {string_literal(wanted)}")
        case HoursPattern(start, end):
            borders = [Expression(f"{text} >= {start}"), Expression(f"{text} < {end}")]
            return all_of(borders) if start < end else any_of(borders)
        case HashPattern() | IndicatorPattern():
            raise AssertionError("a plain value")


def _domain(name: str, text: str, *, is_exact: bool) -> Expression:
    # Kusto knows no UTS 46: the name as a log may spell it stands beside its A-labels.
    spellings = dict.fromkeys((name, unicode_name(name)))
    parts = [Expression(f"{text} == {string_literal(one)}") for one in spellings]
    if not is_exact:
        below = [f"{text} endswith {string_literal('.' + one)}" for one in spellings]
        parts += map(Expression, below)
    return any_of(parts)


def _url(key: str, text: str) -> Expression:
    wanted = string_literal(key)
    equal = Expression(f"{text} == {wanted}")
    begins = Expression(f"{text} startswith_cs {wanted}")
    if key.endswith(("/", "?", "&")):
        return any_of([equal, begins])
    border = f'substring({text}, {len(key)}, 1) in ("/", "?", "#", "&")'
    return any_of([equal, all_of([begins, Expression(border)])])


def _trimmed(column: str) -> str:
    return f'trim(@"\\s+", {column})'


def _is_there(text: str) -> Expression:
    return Expression(f"isnotempty({text})")


def _names(row: Row) -> Iterator[Value]:
    for column in row.columns(Fact.DOMAIN):
        host = (
            f'trim_end(@"\\.+", tolower(extract(@"^\\s*(?:{SCHEME}://|//)?(?:[^/?#]*@)?'
            f'([^/?#:]*?)\\s*(?:[/?#:].*)?$", 1, {column})))'
        )
        name = row.make(f"{column}Host", host)
        yield Value(all_of([_is_there(name), Expression(f"isempty(parse_ipv6({name}))")]), (name,))


def _urls(row: Row) -> Iterator[Value]:
    for column in row.columns(Fact.URL):
        key = row.make(f"{column}Key", f"UrlKey({column})")
        yield Value(_is_there(key), (key,))


def _addresses(fact: Fact) -> Callable[[Row], Iterator[Value]]:
    def values(row: Row) -> Iterator[Value]:
        for column in row.columns(fact):
            parsed = row.make(f"{column}Full", f"parse_ipv6({column})")
            yield Value(_is_there(parsed), (parsed,))

    return values


def _ports(row: Row) -> Iterator[Value]:
    for column in row.columns(Fact.REMOTE_PORT):
        number = row.make(f"{column}Number", f"tolong({column})")
        yield Value(Expression(f"isnotnull({number})"), (number,))


def _hosts(row: Row) -> Iterator[Value]:
    columns = [_trimmed(column) for column in row.columns(Fact.HOST)]
    if not columns:
        return
    cases = ", ".join(f"isnotempty({column}), {column}" for column in columns)
    host = row.make("EventHost", f'tolower(case({cases}, ""))')
    label = row.make(
        "EventHostLabel", f'iff(isempty(parse_ipv6({host})), extract(@"^[^.]*", 0, {host}), {host})'
    )
    yield Value(_is_there(host), (host, label))


def _with_last_part(fact: Fact, separators: str) -> Callable[[Row], Iterator[Value]]:
    def values(row: Row) -> Iterator[Value]:
        for column in row.columns(fact):
            lower = row.make(f"{column}Lower", f"tolower({_trimmed(column)})")
            last = row.make(
                f"{column}{fact.title().replace('_', '')}Last",
                f'extract(@"([^{separators}]*)$", 1, {lower})',
            )
            yield Value(_is_there(lower), (lower, last))

    return values


def _command_lines(row: Row) -> Iterator[Value]:
    for column in row.columns(Fact.COMMAND_LINE):
        yield Value(_is_there(_trimmed(column)), (column,))


def _hashes(row: Row) -> Iterator[Value]:
    for column in row.columns(Fact.HASH):
        lower = row.make(f"{column}Lower", f"tolower({_trimmed(column)})")
        yield Value(_is_there(lower), (lower,))


def _indicators(row: Row) -> Iterator[Value]:
    if row.has_indicator:
        yield Value(TRUE, ("Indicator",))


def _hours(row: Row) -> Iterator[Value]:
    time = row.time
    # Kusto's week begins on Sunday, ours (ISO 8601) on Monday.
    minute = row.make(
        "MinuteOfWeek",
        f"(toint(dayofweek({time}) / 1d) + 6) % 7 * {MINUTES_A_DAY} + hourofday({time}) * 60 "
        f'+ datetime_part("minute", {time})',
    )
    yield Value(TRUE, (minute,))


_VALUES: dict[Fact, Callable[[Row], Iterator[Value]]] = {
    Fact.DOMAIN: _names,
    Fact.URL: _urls,
    Fact.REMOTE_IP: _addresses(Fact.REMOTE_IP),
    Fact.REMOTE_PORT: _ports,
    Fact.SOURCE_IP: _addresses(Fact.SOURCE_IP),
    Fact.HOST: _hosts,
    Fact.USER: _with_last_part(Fact.USER, r"\\"),
    Fact.PROCESS: _with_last_part(Fact.PROCESS, r"\\/"),
    Fact.PARENT_PROCESS: _with_last_part(Fact.PARENT_PROCESS, r"\\/"),
    Fact.COMMAND_LINE: _command_lines,
    Fact.PATH: _with_last_part(Fact.PATH, r"\\/"),
    Fact.HASH: _hashes,
    Fact.INDICATOR: _indicators,
    Fact.HOURS: _hours,
}
