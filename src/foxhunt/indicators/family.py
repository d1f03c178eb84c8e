"""A malware family as its indicators name it, and what of it a name means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

_SEPARATORS = dict.fromkeys(map(ord, " .-_\t"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A malware family as its indicators name it.

    Attributes:
        malware: Malpedia label, e.g. ``win.asyncrat``.
        name: ``malware_printable``.
        aliases: Every alias any indicator gives, sorted.
        count: How many indicators.
        first_seen: Of its oldest indicator.
        last_activity: Latest ``first_seen`` or ``last_seen``.
    """

    malware: str
    name: str
    aliases: tuple[str, ...]
    count: int
    first_seen: datetime
    last_activity: datetime


def matches_family(family: Family, name: str) -> bool:
    """Whether ``name`` names the family: its label, printable name or an alias, any case."""
    wanted = name.strip().casefold()
    return wanted in (
        family.malware.casefold(),
        family.name.casefold(),
        *(alias.casefold() for alias in family.aliases),
    )


def families_named(families: Iterable[Family], name: str) -> tuple[Family, ...]:
    """The families that ``name`` names, in their order.

    Those that are called so, see `matches_family`. If none is: those of which it is a spelling,
    whatever spaces, dots, hyphens and underscores there are ("Agent Tesla", ``AgentTesla``).
    Several then mean that it is not clear which is meant.
    """
    known = tuple(families)
    exact = tuple(family for family in known if matches_family(family, name))
    key = spelling_key(name)
    if exact or not key:
        return exact
    return tuple(
        family
        for family in known
        if key in map(spelling_key, (family.malware, family.name, *family.aliases))
    )


def spelling_key(name: str) -> str:
    """What spellings of one name have in common.

    >>> spelling_key("Agent Tesla") == spelling_key("agent_tesla") == spelling_key("AgentTesla")
    True
    """
    return name.casefold().translate(_SEPARATORS)


def distinct_families(table: pa.Table) -> Iterator[Family]:
    """The families of a table with the columns of their names and times, each once."""
    grouped = (
        table.drop_columns(["malware_alias"])
        .group_by("malware")
        .aggregate(
            [
                ("malware_printable", "max"),
                ("malware", "count"),
                ("first_seen", "min"),
                ("first_seen", "max"),
                ("last_seen", "max"),
            ]
        )
    )
    aliases: dict[str, set[str]] = {}
    for row in _distinct_aliases(table).to_pylist():
        aliases.setdefault(row["malware"], set()).add(row["alias"])
    for row in grouped.to_pylist():
        times = [t for t in (row["first_seen_max"], row["last_seen_max"]) if t is not None]
        yield Family(
            malware=row["malware"],
            name=row["malware_printable_max"],
            aliases=tuple(sorted(aliases.get(row["malware"], ()))),
            count=row["malware_count"],
            first_seen=row["first_seen_min"],
            last_activity=max(times),
        )


def _distinct_aliases(table: pa.Table) -> pa.Table:
    lists = table["malware_alias"].combine_chunks()
    malware = table["malware"].combine_chunks().take(pc.list_parent_indices(lists))
    pairs = pa.table({"malware": malware, "alias": pc.list_flatten(lists)})
    return pairs.group_by(["malware", "alias"]).aggregate([])
