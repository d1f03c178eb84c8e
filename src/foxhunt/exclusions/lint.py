"""What is wrong with an exclusion, before it does harm: too wide, or without effect."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from foxhunt.errors import SourceSpan
from foxhunt.exclusions.bulk import judge
from foxhunt.exclusions.evaluator import can_hold
from foxhunt.exclusions.model import (
    CORRELATED,
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    NotOf,
    Predicate,
    Scope,
)
from foxhunt.exclusions.patterns import (
    DomainPattern,
    GlobPattern,
    HoursPattern,
    Network,
    NetworkPattern,
    Pattern,
    RegexPattern,
    UrlPattern,
)
from foxhunt.exclusions.relations import SINGLE, constant, implies
from foxhunt.indicators import (
    IndicatorSet,
    IndicatorType,
    defang,
    is_shared,
    parse_ip_port,
    url_key,
)
from foxhunt.tables import Fact, catalog, get_table

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
_WHOLE = frozenset({ipaddress.ip_network("192.168.0.0/16")})
_OWN_NAMES = frozenset(
    ("internal", "intranet", "private", "corp", "home", "lan", "local", "localdomain")
)
# An expression that is found in all of these is found in any command line.
_ANY_TEXTS = ("a", "Z:\\0 9", "-\t_")
_SHOWN = 3


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
    exclusions: Sequence[Exclusion],
    *,
    today: date,
    indicators: IndicatorSet | None = None,
    unused: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Remark, ...]:
    """Look at exclusions one by one and in pairs; in their order, errors and warnings.

    Args:
        exclusions: Which.
        today: The day (UTC) that expiry is judged by.
        indicators: To say which of them a condition covers; None to leave that out.
        unused: Id of an exclusion that covered nothing lately to the hunts in which it did not.
    """
    remarks = [
        Remark(code, is_error, one.id, message, one.at)
        for one in exclusions
        for code, is_error, message in _remarks(one, today)
    ]
    remarks += [
        Remark("X112", False, one.id, f"covered nothing in {unused[one.id]}; still needed?", one.at)
        for one in exclusions
        if one.id in unused
    ]
    if indicators is not None:
        remarks += _covered(exclusions, indicators)
    places = {one.id: place for place, one in enumerate(exclusions)}
    remarks += _contained([one for one in exclusions if not one.is_expired(today)])
    return tuple(sorted(remarks, key=lambda remark: (places[remark.exclusion], remark.code)))


_Found = Iterator[tuple[str, bool, str]]


def _remarks(one: Exclusion, today: date) -> _Found:
    yield from _tools(one)
    yield from _widths(one)
    yield from _expiry(one, today)
    yield from _truth(one)
    yield from _tables(one)


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
        if {condition.fact for condition in branch} <= {Fact.PROCESS, Fact.PARENT_PROCESS}:
            globs = [p.glob for c in branch for p in c.patterns if isinstance(p, GlobPattern)]
            names = sorted({tool for glob in globs for tool in _tools_of(glob)})
            if names:
                yield (
                    "X101",
                    True,
                    f"hides everything that {', '.join(names[:_SHOWN])} does, and intruders use "
                    "it too; ask for a place, an account or a target as well",
                )
                return


def _tools_of(glob: str) -> Iterator[str]:
    """The dual-use tools that a glob over a path or file name names; a whole folder names none."""
    name = re.split(r"[\\/]", glob)[-1]
    if name.strip("*") or name == glob:
        yield from (tool for tool in DUAL_USE if GlobPattern(name).matches((tool,)))


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
        yield from _ranges(condition)
        if _is_whole_week(condition.patterns):
            yield "X104", True, "hours is any time"
        for pattern in condition.patterns:
            anything = _anything(pattern)
            if anything:
                yield "X104", True, f"{condition.fact} {anything!r} is anything"
            match pattern:
                case DomainPattern(name, False) if _is_shared_apex(name):
                    yield (
                        "X105",
                        True,
                        f"{name} is a public suffix or shared by strangers: anybody lies below it; "
                        f"write ={name} or the name you mean",
                    )
                case UrlPattern(key) if key.path == "/" and is_shared(key.host):
                    yield (
                        "X105",
                        True,
                        f"all of {key.host} is shared by strangers; write the path you mean",
                    )
    scope = one.scope
    everywhere = all("*" in names for names in (scope.families, scope.types, scope.tables))
    if everywhere and isinstance(one.when, Condition) and one.when.fact is not Fact.HASH:
        yield "X111", False, "one condition for every family, type and table; narrow its scope"


def _ranges(condition: Condition) -> _Found:
    """X103: networks that together are a whole private range, or wider than anybody's own."""
    networks = [p.network for p in condition.patterns if isinstance(p, NetworkPattern)]
    # Collapsed, since two halves are as wide as the whole.
    v4 = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv6Network))
    for network in itertools.chain[Network](v4, v6):
        if network.prefixlen <= _WIDEST[network.version] or network in _WHOLE:
            yield (
                "X103",
                network.prefixlen == 0,
                f"{condition.fact} {network} is very wide; name the hosts' own networks",
            )


def _anything(pattern: Pattern) -> str | None:
    """A pattern as it was written if every value is of it."""
    match pattern:
        case GlobPattern(glob) if not glob.strip("*?.\\/"):
            return glob
        case RegexPattern(expression) if all(pattern.matches(text) for text in _ANY_TEXTS):
            return f"/{expression}/"
        case _:
            return None


def _is_whole_week(patterns: Sequence[Pattern]) -> bool:
    """Whether spans of hours leave out no minute: where one ends, another goes on."""
    spans = [p for p in patterns if isinstance(p, HoursPattern)]
    return bool(spans) and all(any(p.matches(q.end) for p in spans) for q in spans)


def _is_shared_apex(name: str) -> bool:
    # An organisation may name its own network so (RFC 6762 appendix G; .internal of ICANN, 2024).
    return is_shared(name) or ("." not in name and name not in _OWN_NAMES)


def _expiry(one: Exclusion, today: date) -> _Found:
    if one.is_expired(today):
        yield "X106", True, f"expired on {one.expires}; review it, then set a new day or delete it"
    elif one.expires - today > _LONGEST:
        yield "X107", False, f"expires only on {one.expires}; who will still know why?"


def _truth(one: Exclusion) -> _Found:
    """X108: always or never true, of every event or of those with one value of each fact."""
    texts = {True: "holds for every event that tells what it asks for", False: "can never hold"}
    always = constant(one.when, SINGLE.__contains__)
    if always is not None:
        yield "X108", True, texts[always]
        return
    mostly = constant(one.when, lambda fact: True)
    if mostly is not None:
        text = "save for events with several values of what it asks for"
        yield "X108", False, f"{texts[mostly]}, {text}"


@cache
def _told(name: str) -> frozenset[Fact]:
    """What rows of a table can tell by themselves."""
    table = get_table(name)
    return frozenset(
        fact
        for fact in Fact
        if fact in (Fact.INDICATOR, Fact.HOURS)
        or any(
            column in table.columns
            for observable in table.observables
            for column in table.fact_columns(fact, observable)
        )
    )


def _tables(one: Exclusion) -> _Found:
    """X109: a table that is named cannot answer, or none can."""
    names = [name for name in catalog() if one.scope.has_table(name)]
    witnessed = {name for name in names if can_hold(one.when, _told(name) | CORRELATED)}
    if not witnessed:
        yield "X109", True, "no table of its scope tells all that it asks for"
        return
    for name in names:
        if "*" in one.scope.tables or can_hold(one.when, _told(name)):
            continue
        lacking = ", ".join(sorted(one.facts - _told(name)))
        needs = "it needs process or network logs of its hosts"
        has_witness = name in witnessed
        text = f"{name} tells no {lacking}: {needs if has_witness else 'it never holds there'}"
        yield "X109", not has_witness, text


_OBSERVED = frozenset({Fact.DOMAIN, Fact.URL, Fact.REMOTE_IP, Fact.HASH, Fact.INDICATOR})


def _covered(exclusions: Sequence[Exclusion], indicators: IndicatorSet) -> Iterator[Remark]:
    """X102: a condition about what was met holds for indicators of the set."""
    wanted = {
        one: tuple(c for c in _positive(one.when) if c.fact in _OBSERVED) for one in exclusions
    }
    asked = [replace(one, when=AnyOf(parts)) for one, parts in wanted.items() if parts]
    results = judge(asked, _observed(indicators), len(indicators))
    for one, result in zip(asked, results, strict=True):
        met = (indicators[place] for place in pc.indices_nonzero(result).to_pylist())
        found = [indicator for indicator in met if one.scope.has_indicator(indicator)]
        if found:
            shown = ", ".join(f"{defang(i.value)} ({i.malware_printable})" for i in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
            message = f"covers indicators: {shown}{more}; is that what you judged?"
            yield Remark("X102", False, one.id, message, one.at)


def _observed(indicators: IndicatorSet) -> dict[Fact, pa.Array]:
    """What an event would tell that shows just the indicator, for each of them."""
    types = indicators.table["type"].to_pylist()
    values = indicators.table["value"].to_pylist()
    told = [_values(IndicatorType(kind), value) for kind, value in zip(types, values, strict=True)]
    return {fact: pa.array([one.get(fact) for one in told], pa.string()) for fact in _OBSERVED}


def _values(kind: IndicatorType, value: str) -> dict[Fact, str]:
    found = {Fact.INDICATOR: value}
    match kind:
        case IndicatorType.DOMAIN:
            found |= {Fact.DOMAIN: value}
        case IndicatorType.IP_PORT:
            found |= {Fact.REMOTE_IP: str(parse_ip_port(value)[0])}
        case IndicatorType.URL:
            found |= {Fact.DOMAIN: value, Fact.URL: value}
            key = url_key(value)
            if key is not None:
                found |= {Fact.REMOTE_IP: key.host}
        case _ if kind.is_hash:
            found |= {Fact.HASH: value}
    return found


def _contained(exclusions: Sequence[Exclusion]) -> Iterator[Remark]:
    """X110: one exclusion holds wherever another does; of two alike, the later is named."""
    alike: set[tuple[str, str]] = set()
    for one, other in itertools.permutations(exclusions, 2):
        if (other.id, one.id) in alike or not _is_covered(one, other):
            continue
        inner, outer = one, other
        if _is_covered(other, one):
            alike.add((one.id, other.id))
            inner, outer = other, one
        until = "" if outer.expires >= inner.expires else f" until {outer.expires}"
        message = f"{outer.id} already covers all of it{until}; delete it, or narrow the other"
        yield Remark("X110", False, inner.id, message, inner.at)


def _is_covered(inner: Exclusion, outer: Exclusion) -> bool:
    # The longer a window, the more a witness may tell: more holds, and under `not` less.
    return (
        _is_within(inner.scope, outer.scope)
        and (inner.within == outer.within or not inner.facts & CORRELATED)
        and implies(inner.when, outer.when)
    )


def _is_within(inner: Scope, outer: Scope) -> bool:
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]] = (
        (inner.families, outer.families),
        (inner.types, outer.types),
        (inner.tables, outer.tables),
    )
    return all("*" in b or {x.casefold() for x in a} <= {x.casefold() for x in b} for a, b in pairs)
