"""What is wrong with an exclusion, before it does harm: too wide, or without effect."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from foxhunt.errors import SourceSpan
from foxhunt.exclusions.evaluator import can_hold, condition_holds
from foxhunt.exclusions.model import (
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    NotOf,
    Predicate,
    Scope,
    conditions,
)
from foxhunt.exclusions.patterns import (
    DomainPattern,
    GlobPattern,
    HashPattern,
    IndicatorPattern,
    Network,
    NetworkPattern,
    Pattern,
    PortPattern,
)
from foxhunt.indicators import (
    Indicator,
    IndicatorSet,
    IndicatorType,
    defang,
    is_shared,
    parse_ip_port,
)
from foxhunt.tables import Fact, catalog

# Tools that administrators and intruders use alike: a name alone tells nothing.
_DUAL_USE = """
psexec.exe psexec64.exe psexesvc.exe powershell.exe pwsh.exe powershell_ise.exe cmd.exe
wsmprovhost.exe winrm.cmd wmic.exe wmiprvse.exe mshta.exe rundll32.exe regsvr32.exe
cscript.exe wscript.exe schtasks.exe taskhostw.exe svchost.exe psched.exe bitsadmin.exe
certutil.exe curl.exe wget.exe ssh.exe scp.exe plink.exe msiexec.exe python.exe net.exe
sc.exe choco.exe winget.exe ninite.exe logparser.exe
"""
DUAL_USE = frozenset(_DUAL_USE.split())
_LONGEST = timedelta(days=2 * 366)
_WIDEST = {4: 12, 6: 32}
_MOST_VARIABLES = 12
_SHOWN = 3
# Witnesses can tell these where a table cannot; see foxhunt.engines.correlation.
_CORRELATED = frozenset({Fact.PROCESS, Fact.PARENT_PROCESS, Fact.COMMAND_LINE, Fact.USER})


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing the lint has to say.

    Attributes:
        code: Stable: X101 and so on (docs/exclusions.md).
        is_error: Whether `foxhunt exclusions check` fails for it.
        exclusion: Id.
        message: What, and what to do.
        at: Where the exclusion is written.
    """

    code: str
    is_error: bool
    exclusion: str
    message: str
    at: SourceSpan


def lint(
    exclusions: Sequence[Exclusion], *, today: date, indicators: IndicatorSet | None = None
) -> tuple[Remark, ...]:
    """Look at exclusions one by one and in pairs; in their order, errors and warnings.

    Args:
        exclusions: Which.
        today: The day (UTC) that expiry is judged by.
        indicators: To say which of them a condition covers; None to leave that out.
    """
    remarks = [
        Remark(code, is_error, one.id, message, one.at)
        for one in exclusions
        for code, is_error, message in _remarks(one, today, indicators)
    ]
    return (*remarks, *_contained(exclusions))


_Found = Iterator[tuple[str, bool, str]]


def _remarks(one: Exclusion, today: date, indicators: IndicatorSet | None) -> _Found:
    yield from _tools(one)
    yield from _widths(one)
    yield from _expiry(one, today)
    yield from _truth(one)
    yield from _tables(one)
    if indicators is not None:
        yield from _covered(one, indicators)


def _positive(predicate: Predicate) -> Iterator[Condition]:
    """Conditions that are not under a ``not``."""
    if isinstance(predicate, Condition):
        yield predicate
    elif isinstance(predicate, AllOf | AnyOf):
        for part in predicate.parts:
            yield from _positive(part)


def _tools(one: Exclusion) -> _Found:
    """X101: some way to hold asks for no more than a dual-use tool's name."""
    for branch in _branches(one.when):
        facts = {condition.fact for condition in branch}
        names = {p.glob for c in branch for p in c.patterns if isinstance(p, GlobPattern)}
        if facts and facts <= {Fact.PROCESS, Fact.PARENT_PROCESS} and names & DUAL_USE:
            shown = ", ".join(sorted(names & DUAL_USE)[:_SHOWN])
            yield (
                "X101",
                True,
                f"hides everything that {shown} does, and intruders use it too; "
                "ask for a place, an account or a target as well",
            )
            return


def _branches(predicate: Predicate) -> list[tuple[Condition, ...]]:
    """The conditions of each way in which a predicate can hold, up to a bounded number."""
    match predicate:
        case Condition():
            return [(predicate,)]
        case NotOf():
            return [()]
        case AnyOf(parts):
            return [branch for part in parts for branch in _branches(part)][:1_000]
        case AllOf(parts):
            product = itertools.product(*(_branches(part) for part in parts))
            return [tuple(itertools.chain(*some)) for some in itertools.islice(product, 1_000)]


def _widths(one: Exclusion) -> _Found:
    for condition in _positive(one.when):
        for pattern in condition.patterns:
            match pattern:
                case NetworkPattern(network) if network.prefixlen < _WIDEST[network.version] + 1:
                    yield (
                        "X103",
                        network.prefixlen == 0,
                        f"{condition.fact} {network} is very wide; name the hosts' own networks",
                    )
                case GlobPattern(glob) if not glob.strip("*?"):
                    yield "X104", True, f"{condition.fact} {glob!r} is anything"
                case DomainPattern(name, False) if is_shared(name) or "." not in name:
                    yield (
                        "X105",
                        True,
                        f"{name} is a public suffix or shared by strangers: anybody lies below it; "
                        f"write ={name} or the name you mean",
                    )
                case _:
                    continue
    scope = one.scope
    everywhere = all("*" in names for names in (scope.families, scope.types, scope.tables))
    if everywhere and isinstance(one.when, Condition) and one.when.fact is not Fact.HASH:
        yield "X111", False, "one condition for every family, type and table; narrow its scope"


def _expiry(one: Exclusion, today: date) -> _Found:
    if one.is_expired(today):
        yield "X106", True, f"expired on {one.expires}; review it, then set a new day or delete it"
    elif one.expires - today > _LONGEST:
        yield "X107", False, f"expires only on {one.expires}; who will still know why?"


def _truth(one: Exclusion) -> _Found:
    """X108: always or never true, trying every assignment of its conditions."""
    variables = list(dict.fromkeys(conditions(one.when)))
    if len(variables) > _MOST_VARIABLES:
        return
    results = {
        _assigned(one.when, dict(zip(variables, values, strict=True)))
        for values in itertools.product((False, True), repeat=len(variables))
        if _is_possible(variables, values)
    }
    if results == {True}:
        yield "X108", True, "holds for every event that tells what it asks for"
    elif results == {False}:
        yield "X108", True, "can never hold"


def _assigned(predicate: Predicate, values: dict[Condition, bool]) -> bool:
    match predicate:
        case Condition():
            return values[predicate]
        case NotOf(part):
            return not _assigned(part, values)
        case AllOf(parts):
            return all(_assigned(part, values) for part in parts)
        case AnyOf(parts):
            return any(_assigned(part, values) for part in parts)


def _is_possible(variables: Sequence[Condition], values: Sequence[bool]) -> bool:
    """Whether the conditions can be true together: one value cannot be two different ones."""
    true = [c for c, value in zip(variables, values, strict=True) if value]
    return not any(
        a.fact is b.fact and not set(a.patterns) & set(b.patterns)
        for a, b in itertools.combinations(true, 2)
        if all(_is_one_value(p) for p in (*a.patterns, *b.patterns))
    )


def _is_one_value(pattern: Pattern) -> bool:
    match pattern:
        case GlobPattern(glob):
            return not {"*", "?"} & set(glob)
        case DomainPattern(_, is_exact):
            return is_exact
        case _:
            return isinstance(pattern, HashPattern | IndicatorPattern | PortPattern)


def _tables(one: Exclusion) -> _Found:
    """X109: a table that is named cannot answer, or none can."""
    told = {
        name: frozenset(
            fact
            for fact in Fact
            if fact in (Fact.INDICATOR, Fact.HOURS)
            or any(
                column in table.columns
                for observable in table.observables
                for column in table.fact_columns(fact, observable)
            )
        )
        for name, table in catalog().items()
        if one.scope.has_table(name)
    }
    alone = [name for name, facts in told.items() if can_hold(one.when, facts)]
    witnessed = [n for n, facts in told.items() if can_hold(one.when, facts | _CORRELATED)]
    if not witnessed:
        yield "X109", True, "no table of its scope tells all that it asks for"
        return
    named = [name for name in told if "*" not in one.scope.tables and name not in alone]
    for name in named:
        lacking = ", ".join(sorted(one.facts - told[name]))
        needs = "process or network logs of its hosts" if name in witnessed else "what it lacks"
        yield "X109", name not in witnessed, f"{name} tells no {lacking}: it needs {needs}"


_OBSERVED = (Fact.DOMAIN, Fact.URL, Fact.REMOTE_IP, Fact.HASH, Fact.INDICATOR)


def _covered(one: Exclusion, indicators: IndicatorSet) -> _Found:
    """X102: a condition about what was met holds for indicators of the set."""
    wanted = [c for c in _positive(one.when) if c.fact in _OBSERVED]
    found = [
        indicator
        for indicator in indicators
        if one.scope.has_indicator(indicator)
        and any(condition_holds(c, [v]) for c in wanted for v in _values(c.fact, indicator))
    ]
    if found:
        shown = ", ".join(f"{defang(i.value)} ({i.malware_printable})" for i in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        yield "X102", False, f"covers indicators: {shown}{more}; is that what you judged?"


def _values(fact: Fact, indicator: Indicator) -> list[str]:
    if fact is Fact.INDICATOR:
        return [indicator.value]
    match indicator.type:
        case IndicatorType.DOMAIN | IndicatorType.URL if fact in (Fact.DOMAIN, Fact.URL):
            return [indicator.value]
        case IndicatorType.IP_PORT if fact is Fact.REMOTE_IP:
            return [str(parse_ip_port(indicator.value)[0])]
        case kind if kind.is_hash and fact is Fact.HASH:
            return [indicator.value]
        case _:
            return []


def _contained(exclusions: Sequence[Exclusion]) -> Iterator[Remark]:
    """X110: one exclusion holds wherever another does."""
    for inner, outer in itertools.permutations(exclusions, 2):
        if _is_within(inner.scope, outer.scope) and _implies(inner.when, outer.when):
            message = f"{outer.id} already covers all of it; delete it, or narrow the other"
            yield Remark("X110", False, inner.id, message, inner.at)


def _is_within(inner: Scope, outer: Scope) -> bool:
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]] = (
        (inner.families, outer.families),
        (inner.types, outer.types),
        (inner.tables, outer.tables),
    )
    return all("*" in b or {x.casefold() for x in a} <= {x.casefold() for x in b} for a, b in pairs)


def _implies(a: Predicate, b: Predicate) -> bool:
    """Whether ``b`` surely holds where ``a`` does; False when that cannot be seen."""
    if isinstance(b, AllOf):
        return all(_implies(a, part) for part in b.parts)
    if isinstance(a, AnyOf):
        return all(_implies(part, b) for part in a.parts)
    if isinstance(b, AnyOf) and any(_implies(a, part) for part in b.parts):
        return True
    if isinstance(a, AllOf):
        return any(_implies(part, b) for part in a.parts)
    if isinstance(a, NotOf) and isinstance(b, NotOf):
        return _implies(b.part, a.part)
    if isinstance(a, Condition) and isinstance(b, Condition) and a.fact is b.fact:
        return all(any(_is_part(p, q) for q in b.patterns) for p in a.patterns)
    return False


def _is_part(p: Pattern, q: Pattern) -> bool:
    """Whether every value of pattern ``p`` is one of ``q``."""
    if p == q:
        return True
    match p, q:
        case NetworkPattern(inner), NetworkPattern(outer):
            return _is_subnet(inner, outer)
        case DomainPattern(name, _), DomainPattern(_, False):
            return q.matches(name)
        case _:
            return False


def _is_subnet(inner: Network, outer: Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )
