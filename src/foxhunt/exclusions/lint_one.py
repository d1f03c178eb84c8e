"""What is wrong with an exclusion by itself: too wide, or without effect."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from foxhunt.errors import SourceSpan
from foxhunt.exclusions.evaluator import can_hold
from foxhunt.exclusions.model import (
    CORRELATED,
    AllOf,
    AnyOf,
    Condition,
    Exclusion,
    NotOf,
    Predicate,
    positive_conditions,
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
from foxhunt.exclusions.relations import SINGLE, constant
from foxhunt.indicators import is_shared
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


_Found = Iterator[tuple[str, bool, str]]


def lint_one(one: Exclusion, today: date) -> Iterator[Remark]:
    """Look at an exclusion by itself; a thousand take a tenth of a second.

    Args:
        one: Which.
        today: The day (UTC) that expiry is judged by.
    """
    found = (_tools(one), _widths(one), _expiry(one, today), _truth(one), _tables(one))
    for code, is_error, message in itertools.chain.from_iterable(found):
        yield Remark(code, is_error, one.id, message, one.at)


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
    for condition in positive_conditions(one.when):
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
    for network in networks if len(networks) < 2 else _collapsed(networks):
        if network.prefixlen <= _WIDEST[network.version] or network in _WHOLE:
            yield (
                "X103",
                network.prefixlen == 0,
                f"{condition.fact} {network} is very wide; name the hosts' own networks",
            )


def _collapsed(networks: Sequence[Network]) -> Iterator[Network]:
    """The fewest networks that are the same addresses: two halves are as wide as the whole."""
    yield from ipaddress.collapse_addresses(n for n in networks if n.version == 4)
    yield from ipaddress.collapse_addresses(n for n in networks if n.version == 6)


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
    witnessed = (name for name in names if can_hold(one.when, _told(name) | CORRELATED))
    if next(witnessed, None) is None:
        yield "X109", True, "no table of its scope tells all that it asks for"
        return
    if "*" in one.scope.tables:
        return
    for name in names:
        if can_hold(one.when, _told(name)):
            continue
        lacking = ", ".join(sorted(one.facts - _told(name)))
        needs = "it needs process or network logs of its hosts"
        has_witness = can_hold(one.when, _told(name) | CORRELATED)
        text = f"{name} tells no {lacking}: {needs if has_witness else 'it never holds there'}"
        yield "X109", not has_witness, text
