"""Backends: a rule as text in one query language. The table below is the whole plug-in system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib import import_module
from typing import Protocol, cast

from foxhunt.exclusions import Exclusion
from foxhunt.rules import Rule

_BACKENDS = {"kql": "foxhunt.backends.kql"}


class Delivery(StrEnum):
    """How a query gets at its indicators."""

    AUTO = "auto"  # inline or parts while that is sensible, else ti-table
    INLINE = "inline"  # all in the query's text
    PARTS = "parts"  # in the text of several queries, each within the limits of a rule
    WATCHLIST = "watchlist"
    TI_TABLE = "ti-table"  # ThreatIntelIndicators
    EXTERNALDATA = "externaldata"


class TimeBound(StrEnum):
    """How a query says which time it is about."""

    AGO = "ago"  # the last days, by itself
    PORTAL = "portal"  # what Sentinel's hunting page puts in: {{StartTimeISO}}, {{EndTimeISO}}
    RUNNER = "runner"  # nothing: whoever runs it bounds it


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """How a rule is to be said.

    Attributes:
        delivery: How queries get at their indicators.
        data_url: Address of the folder that ``externaldata`` reads from, or None.
        bound: How they say which time they are about.
        lookback: How far back, for `TimeBound.AGO`.
        ingested: Only what came in within this time, for a rule that runs again and again;
            None for everything.
        time_column: ``TimeGenerated`` or ``Timestamp`` where a table has both; None for the one
            that the rule pages name.
        is_alert: Whether every row raises an alert: only open ones then, none that is stale.
        event_keys: Columns that each row has to carry besides, where the table has them.
        most_characters: The longest text a query may have; it is split, or refused, over that.
    """

    delivery: Delivery = Delivery.INLINE
    data_url: str | None = None
    bound: TimeBound = TimeBound.AGO
    lookback: timedelta = timedelta(days=30)
    ingested: timedelta | None = None
    time_column: str | None = None
    is_alert: bool = False
    event_keys: tuple[str, ...] = ()
    most_characters: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of a rule.

    Attributes:
        table: The table it reads.
        columns: The columns indicators are looked up in.
        heading: What it hunts for, in a few words.
        text: The query; ends without a line break.
        key: Tells it from the rule's others, the same as long as it looks for the same kinds:
            ``dnsevents-name``, ``dnsevents-name-01`` for a part.
        shown: Columns of its result, in order.
        threat_types: ThreatFox's threat types of the indicators it looks for.
        confidence: Highest confidence_level among them.
    """

    table: str
    columns: tuple[str, ...]
    heading: str
    text: str
    key: str
    shown: tuple[str, ...]
    threat_types: tuple[str, ...]
    confidence: int


class Backend(Protocol):
    """What a backend module must provide."""

    def compile_rule(
        self,
        rule: Rule,
        exclusions: Sequence[Exclusion] = (),
        emission: Emission = Emission(),
    ) -> Iterator[Query]:
        """Compile ``rule``, one query for each kind of indicator and table.

        Rows that an exclusion covers are left out by a marked block that says why; an
        exclusion that the table cannot answer for is named there and left out itself.

        Must be pure and deterministic: the same rule gives the same bytes.

        Raises:
            UnsupportedError: The rule cannot be said exactly in this language.
        """
        ...


def backend_names() -> tuple[str, ...]:
    """Names `get_backend` accepts, sorted."""
    return tuple(sorted(_BACKENDS))


def get_backend(name: str) -> Backend:
    """Import the backend called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _BACKENDS:
        raise KeyError(f"unknown backend {name!r}; known: {', '.join(backend_names())}")
    # A module with the protocol's function satisfies it; import_module's type cannot say so.
    return cast(Backend, import_module(_BACKENDS[name]))
