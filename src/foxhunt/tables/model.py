"""What a log table is: its columns, and what each of them tells about an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Shows(StrEnum):
    """What a column shows of the world, hence which indicators can be looked up in it."""

    NAME = "name"  # a host name: domain; url by its host (weak)
    URL = "url"  # a URL, or only its host: url; domain by its host
    ADDRESS = "address"  # one address: ip:port; url whose host is an address (weak)
    ANSWERS = "answers"  # a DNS answer, comma-separated: ip:port (weak)
    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    HASH = "hash"  # a hash of any kind


class Remote(StrEnum):
    """Which side of a connection an address column holds."""

    DESTINATION = "destination"
    SOURCE = "source"
    PEER = "peer"  # the other side, whoever started


class Fact(StrEnum):
    """What an event tells beside what was observed; conditions of exclusions are about these."""

    DOMAIN = "domain"  # names asked for or connected to
    URL = "url"
    REMOTE_IP = "remote_ip"  # the address of the side that is not ours
    REMOTE_PORT = "remote_port"
    SOURCE_IP = "source_ip"  # the address that started it
    HOST = "host"  # our machine
    USER = "user"
    PROCESS = "process"
    PARENT_PROCESS = "parent_process"
    COMMAND_LINE = "command_line"
    PATH = "path"  # of the file the event is about
    HASH = "hash"
    INDICATOR = "indicator"  # the value that was met
    HOURS = "hours"  # the event's minute of the week, in UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Observable:
    """A column that indicators are looked up in.

    Attributes:
        column: Its name.
        shows: What it holds.
        port: Column with the port that belongs to an address, or None.
        remote: Which side an address is, or None for what is no connection's side.
        host: Columns naming our machine when this column matched, best first.
        user: Likewise our user.
        facts: Columns of the facts that this column being the one that matched changes.
    """

    column: str
    shows: Shows
    port: str | None = None
    remote: Remote | None = None
    host: tuple[str, ...]
    user: tuple[str, ...]
    facts: Mapping[Fact, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """How a row tells who started the connection (R3); what it does not tell is unknown.

    Attributes:
        column: Column that says it, or None.
        inbound: Its values that mean inbound, lower case.
        outbound: Its values that mean outbound, lower case.
        sides: Source and destination address columns: where the column is silent, from
            one of our addresses to one that is not is outbound, the reverse inbound.
        default: What every row of the table is, or None.
    """

    column: str | None = None
    inbound: tuple[str, ...] = ()
    outbound: tuple[str, ...] = ()
    sides: tuple[str, str] | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """How a row tells whether the event was let through.

    Attributes:
        column: Column that says it.
        blocked: Texts in its value, lower case, that mean blocked; tried first.
        allowed: Texts that mean allowed.
        allowed_if: A bool column that means allowed when true, whatever ``column`` says.
    """

    column: str
    blocked: tuple[str, ...]
    allowed: tuple[str, ...]
    allowed_if: str | None = None


_SHOWN_BY = {
    Fact.DOMAIN: (Shows.NAME, Shows.URL),
    Fact.URL: (Shows.URL,),
    Fact.HASH: (Shows.MD5, Shows.SHA1, Shows.SHA256, Shows.HASH),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of Sentinel or Defender.

    Attributes:
        name: As queries spell it.
        title: What its rows are, in a few words.
        connector: Sentinel's connector id.
        must_deliver: What the connector has to deliver for a rule to see anything.
        columns: Column name to Kusto type, in the schema's order.
        time: The column with the event's time, as the rule pages name it.
        other_time: The same time under the other product's name (Sentinel's
            TimeGenerated, Defender's Timestamp), or None.
        recognised_by: Sets of columns; an export that has all of one is this table's.
        observables: Columns that indicators are looked up in, strongest first.
        host: Columns naming the machine the event is about, best first.
        user: Likewise the user.
        process: Likewise the process. Names that start with ``_`` are no columns of the
            table but what some log formats tell beyond it.
        facts: Fact to the columns that tell it, whatever column matched; see `fact_columns`.
        direction: See `Direction`, or None when rows are no connections.
        action: See `Action`, or None.
    """

    name: str
    title: str
    connector: str
    must_deliver: str
    columns: dict[str, str]
    time: str
    other_time: str | None
    recognised_by: tuple[frozenset[str], ...]
    observables: tuple[Observable, ...]
    host: tuple[str, ...]
    user: tuple[str, ...]
    process: tuple[str, ...]
    facts: Mapping[Fact, tuple[str, ...]]
    direction: Direction | None
    action: Action | None

    def fact_columns(self, fact: Fact, observable: Observable) -> tuple[str, ...]:
        """The columns that tell ``fact`` of a row in which ``observable`` matched.

        Names, URLs, hashes and hosts follow from the observables; none means that the
        table cannot tell it. `Fact.INDICATOR` and `Fact.HOURS` are no columns.
        """
        shown = _SHOWN_BY.get(fact)
        if shown is not None:
            return tuple(one.column for one in self.observables if one.shows in shown)
        if fact is Fact.HOST:
            return observable.host
        return observable.facts.get(fact, self.facts.get(fact, ()))
