"""Exclusions inside an emitted query: a block that names, for each row, the one that covers it.

Kusto has no third truth value, so a predicate is compiled twice: to what makes it true
and to what makes it false. Where a row tells nothing both are false, and only what is
true suppresses (`foxhunt.exclusions.holds`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from foxhunt.backends.kql_text import comment, string_list, string_literal
from foxhunt.exclusions import (
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    NotOf,
    Predicate,
    can_hold,
)
from foxhunt.exclusions.patterns import (
    MINUTES_A_DAY,
    ContainsPattern,
    DomainPattern,
    GlobPattern,
    HashPattern,
    HoursPattern,
    IndicatorPattern,
    Network,
    NetworkPattern,
    Pattern,
    PortPattern,
    RegexPattern,
    UrlPattern,
)
from foxhunt.indicators import unicode_name
from foxhunt.rules import Observes, Rule
from foxhunt.tables import Fact, Observable, Table

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*"
# What of a URL is compared (R4), as text: host, port unless it is the scheme's own, path.
URL_FUNCTIONS = f"""let UrlScheme = (u: string) {{
  tolower(extract(@"^\\s*({_SCHEME})://", 1, u)) }};
let UrlRest = (u: string) {{ extract(@"^\\s*(?:{_SCHEME}://|//)?([^#]*?)\\s*(?:#.*)?$", 1, u) }};
let UrlAuthority = (u: string) {{ tolower(extract(@"^(?:[^/?]*@)?([^/?]*)", 1, UrlRest(u))) }};
let UrlPort = (u: string) {{ extract(@":([0-9]+)$", 1, UrlAuthority(u)) }};
let UrlTail = (u: string) {{ extract(@"^[^/?]*(.*)$", 1, UrlRest(u)) }};
let UrlKey = (u: string) {{ iff(UrlScheme(u) == "" and UrlTail(u) == "", "", strcat(
  trim_end(@"\\.+", extract(@"^([^:]*)", 1, UrlAuthority(u))),
  iff(UrlPort(u) == "" or (UrlScheme(u) in ("", "http", "ws") and UrlPort(u) == "80")
    or (UrlScheme(u) in ("", "https", "wss") and UrlPort(u) == "443")
    or (UrlScheme(u) == "ftp" and UrlPort(u) == "21"), "", strcat(":", UrlPort(u))),
  iff(UrlTail(u) startswith "/", "", "/"), UrlTail(u))) }};"""


@dataclass(frozen=True, slots=True)
class _Expression:
    """A KQL condition and what joins its parts, which says where it needs parentheses."""

    text: str
    joined_by: str = ""


_TRUE, _FALSE = _Expression("true"), _Expression("false")


@dataclass(frozen=True, slots=True)
class _Truth:
    """KQL that is true when a predicate is known to hold, and when it is known not to."""

    true: _Expression
    false: _Expression


@dataclass(frozen=True, slots=True)
class _Value:
    """One value of a fact.

    Attributes:
        known: True when the row tells it.
        spellings: Expressions of its spellings; one that matches is enough.
    """

    known: _Expression
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """What the rows of one query tell, and the columns that are made of it on the way.

    Attributes:
        table: Whose rows.
        observable: The column that matched.
        has_indicator: Whether there are the columns ``Indicator`` and ``IndicatorType``.
        made: Name of a column the block adds to its expression.
    """

    table: Table
    observable: Observable
    has_indicator: bool
    made: dict[str, str] = field(default_factory=dict)

    def columns(self, fact: Fact) -> list[str]:
        """The table's columns that tell ``fact``."""
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


def exclusion_lines(
    rule: Rule,
    table: Table,
    part: Observes,
    exclusions: Iterable[Exclusion],
    *,
    has_indicator: bool,
) -> Iterator[str]:
    """Yield the lines that go before a query's projection; none without an exclusion for it.

    Args:
        rule: Whose indicators.
        table: The query's table.
        part: The column it looks in, and for which types.
        exclusions: All; those of another scope are passed over, and those the table cannot
            answer for are left out with a comment that says so.
        has_indicator: Whether rows have the columns ``Indicator`` and ``IndicatorType``.

    Raises:
        UnsupportedError: A text cannot be said in KQL.
    """
    row = _Row(table, part.observable, has_indicator)
    told = row.told()
    cases: list[str] = []
    for exclusion in exclusions:
        scope = _scope(rule, part, exclusion, row)
        if scope is None:
            continue
        if not can_hold(exclusion.when, told):
            lacking = ", ".join(sorted(exclusion.facts - told))
            yield comment(f"Exclusion {exclusion.id} is left out: {table.name} tells no {lacking}")
            continue
        yield comment(
            f"Exclusion {exclusion.id} ({exclusion.scenario}; {exclusion.owner}; until "
            f"{exclusion.expires}): {exclusion.reason}"
        )
        until = _Expression(f"now() < datetime({exclusion.expires})")
        holds = _all([until, *scope, _truth(exclusion.when, row).true])
        cases.append(f"{holds.text}, {string_literal(exclusion.id)}")
    if cases:
        yield from (f"| extend {name} = {expression}" for name, expression in row.made.items())
        listed = "".join(f"    {one},\n" for one in cases)
        yield f'| extend SuppressedBy = case(\n{listed}    "")'
        yield '| where SuppressedBy == ""'


def _scope(rule: Rule, part: Observes, exclusion: Exclusion, row: _Row) -> list[_Expression] | None:
    """What narrows the query's rows down to the scope; None when none of them is in it."""
    scope = exclusion.scope
    if not scope.has_table(row.table.name):
        return None
    about = [one for one in rule.indicators if one.type in part.types]
    inside = [one for one in about if scope.has_indicator(one)]
    if not inside:
        return None
    if len(inside) == len(about):
        return []
    if not row.has_indicator:
        # The rows do not say which indicator they met: not all of them are in the scope.
        return [_FALSE]
    types = {one.type for one in inside}
    if inside == [one for one in about if one.type in types]:
        return [_Expression(f"IndicatorType in ({string_list(sorted(types))})")]
    # A value that another family has too stays: its rows do not say of which family they are.
    others = {one.value for one in about if not scope.has_indicator(one)}
    values = dict.fromkeys(one.value for one in inside if one.value not in others)
    return [_Expression(f"Indicator in ({string_list(values)})") if values else _FALSE]


def _truth(predicate: Predicate, row: _Row) -> _Truth:
    match predicate:
        case Condition(fact, patterns):
            return _condition(fact, patterns, row)
        case NotOf(part):
            inner = _truth(part, row)
            return _Truth(inner.false, inner.true)
        case AllOf(parts):
            inners = [_truth(part, row) for part in parts]
            return _Truth(_all(i.true for i in inners), _any(i.false for i in inners))
        case AnyOf(parts):
            inners = [_truth(part, row) for part in parts]
            return _Truth(_any(i.true for i in inners), _all(i.false for i in inners))


def _all(parts: Iterable[_Expression]) -> _Expression:
    listed = list(dict.fromkeys(part for part in parts if part != _TRUE))
    return _FALSE if _FALSE in listed else _joined(listed, " and ", _TRUE)


def _any(parts: Iterable[_Expression]) -> _Expression:
    listed = list(dict.fromkeys(part for part in parts if part != _FALSE))
    return _TRUE if _TRUE in listed else _joined(listed, " or ", _FALSE)


def _joined(parts: Sequence[_Expression], word: str, empty: _Expression) -> _Expression:
    if len(parts) < 2:
        return parts[0] if parts else empty
    texts = [part.text if part.joined_by in ("", word) else f"({part.text})" for part in parts]
    return _Expression(word.join(texts), word)


def _condition(fact: Fact, patterns: Sequence[Pattern], row: _Row) -> _Truth:
    values = list(_VALUES[fact](row))
    if not values:
        return _Truth(_FALSE, _FALSE)
    true = _any(
        _all([value.known, _any(_matches(patterns, text) for text in value.spellings)])
        for value in values
    )
    known = _any(value.known for value in values)
    return _Truth(true, _all([known, _Expression(f"not({true.text})")]))


def _matches(patterns: Sequence[Pattern], text: str) -> _Expression:
    """Whether one of ``patterns`` matches; those that are plain values are one list."""
    plain = dict.fromkeys(value for one in patterns if (value := _plain(one)) is not None)
    parts = [_compared(one, text) for one in patterns if _plain(one) is None]
    if plain:
        parts.insert(0, _Expression(f"{text} in ({string_list(plain)})"))
    return _any(parts)


def _plain(pattern: Pattern) -> str | None:
    """The one text that a pattern matches, if it is one."""
    match pattern:
        case GlobPattern(glob) if not {"*", "?"} & set(glob):
            return glob
        case HashPattern(value) | IndicatorPattern(value):
            return value
        case _:
            return None


def _compared(pattern: Pattern, text: str) -> _Expression:
    match pattern:
        case DomainPattern(name, is_exact):
            return _domain(name, text, is_exact=is_exact)
        case UrlPattern(key):
            return _url(str(key), text)
        case NetworkPattern(network):
            return _Expression(f"{text} matches regex {string_literal(_network_regex(network))}")
        case PortPattern(port):
            return _Expression(f"{text} == {port}")
        case GlobPattern() | RegexPattern():
            return _Expression(f"{text} matches regex {string_literal(pattern.regex)}")
        case ContainsPattern(wanted):
            return _Expression(f"{text} contains {string_literal(wanted)}")
        case HoursPattern(start, end):
            borders = [_Expression(f"{text} >= {start}"), _Expression(f"{text} < {end}")]
            return _all(borders) if start < end else _any(borders)
        case HashPattern() | IndicatorPattern():
            raise AssertionError("a plain value")


def _domain(name: str, text: str, *, is_exact: bool) -> _Expression:
    # Kusto knows no UTS 46: the name as a log may spell it stands beside its A-labels.
    spellings = dict.fromkeys((name, unicode_name(name)))
    parts = [_Expression(f"{text} == {string_literal(one)}") for one in spellings]
    if not is_exact:
        below = [f"{text} endswith {string_literal('.' + one)}" for one in spellings]
        parts += map(_Expression, below)
    return _any(parts)


def _url(key: str, text: str) -> _Expression:
    wanted = string_literal(key)
    equal = _Expression(f"{text} == {wanted}")
    begins = _Expression(f"{text} startswith_cs {wanted}")
    if key.endswith(("/", "?", "&")):
        return _any([equal, begins])
    border = f'substring({text}, {len(key)}, 1) in ("/", "?", "#", "&")'
    return _any([equal, _all([begins, _Expression(border)])])


def _network_regex(network: Network) -> str:
    """RE2 over what ``parse_ipv6`` gives: eight groups of four hex digits, IPv4 mapped."""
    bits = network.prefixlen + (96 if network.version == 4 else 0)
    number = int(network.network_address) + (0xFFFF << 32 if network.version == 4 else 0)
    digits = f"{number:032x}"
    whole, rest = divmod(bits, 4)
    nibbles = [*digits[:whole]]
    if rest:
        first = int(digits[whole], 16)
        nibbles.append(f"[{''.join(f'{n:x}' for n in range(first, first + (1 << (4 - rest))))}]")
    groups = ["".join(nibbles[start : start + 4]) for start in range(0, len(nibbles), 4)]
    return "^" + ":".join(groups)


def _trimmed(column: str) -> str:
    return f'trim(@"\\s+", {column})'


def _is_there(text: str) -> _Expression:
    return _Expression(f"isnotempty({text})")


def _names(row: _Row) -> Iterator[_Value]:
    for column in row.columns(Fact.DOMAIN):
        host = (
            f'trim_end(@"\\.+", tolower(extract(@"^\\s*(?:{_SCHEME}://|//)?(?:[^/?#]*@)?'
            f'([^/?#:]*?)\\s*(?:[/?#:].*)?$", 1, {column})))'
        )
        name = row.make(f"{column}Host", host)
        yield _Value(_all([_is_there(name), _Expression(f"isempty(parse_ipv6({name}))")]), (name,))


def _urls(row: _Row) -> Iterator[_Value]:
    for column in row.columns(Fact.URL):
        key = row.make(f"{column}Key", f"UrlKey({column})")
        yield _Value(_is_there(key), (key,))


def _addresses(fact: Fact) -> Callable[[_Row], Iterator[_Value]]:
    def values(row: _Row) -> Iterator[_Value]:
        for column in row.columns(fact):
            parsed = row.make(f"{column}Full", f"parse_ipv6({column})")
            yield _Value(_is_there(parsed), (parsed,))

    return values


def _ports(row: _Row) -> Iterator[_Value]:
    for column in row.columns(Fact.REMOTE_PORT):
        number = row.make(f"{column}Number", f"tolong({column})")
        yield _Value(_Expression(f"isnotnull({number})"), (number,))


def _hosts(row: _Row) -> Iterator[_Value]:
    columns = [_trimmed(column) for column in row.columns(Fact.HOST)]
    if not columns:
        return
    cases = ", ".join(f"isnotempty({column}), {column}" for column in columns)
    host = row.make("EventHost", f'tolower(case({cases}, ""))')
    label = row.make(
        "EventHostLabel", f'iff(isempty(parse_ipv6({host})), extract(@"^[^.]*", 0, {host}), {host})'
    )
    yield _Value(_is_there(host), (host, label))


def _with_last_part(fact: Fact, separators: str) -> Callable[[_Row], Iterator[_Value]]:
    def values(row: _Row) -> Iterator[_Value]:
        for column in row.columns(fact):
            lower = row.make(f"{column}Lower", f"tolower({_trimmed(column)})")
            last = row.make(
                f"{column}{fact.title().replace('_', '')}Last",
                f'extract(@"([^{separators}]*)$", 1, {lower})',
            )
            yield _Value(_is_there(lower), (lower, last))

    return values


def _command_lines(row: _Row) -> Iterator[_Value]:
    for column in row.columns(Fact.COMMAND_LINE):
        yield _Value(_is_there(_trimmed(column)), (column,))


def _hashes(row: _Row) -> Iterator[_Value]:
    for column in row.columns(Fact.HASH):
        lower = row.make(f"{column}Lower", f"tolower({_trimmed(column)})")
        yield _Value(_is_there(lower), (lower,))


def _indicators(row: _Row) -> Iterator[_Value]:
    if row.has_indicator:
        yield _Value(_TRUE, ("Indicator",))


def _hours(row: _Row) -> Iterator[_Value]:
    time = row.table.time
    # Kusto's week begins on Sunday, ours (ISO 8601) on Monday.
    minute = row.make(
        "MinuteOfWeek",
        f"(toint(dayofweek({time}) / 1d) + 6) % 7 * {MINUTES_A_DAY} + hourofday({time}) * 60 "
        f'+ datetime_part("minute", {time})',
    )
    yield _Value(_TRUE, (minute,))


_VALUES: dict[Fact, Callable[[_Row], Iterator[_Value]]] = {
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
