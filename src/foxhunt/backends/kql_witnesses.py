"""What a row does not tell, from the process and network events of its host about that time.

The local engine's reading (`foxhunt.engines.correlation`) against the Defender tables: the
same host by name, by an unqualified name that is the other's first label, or by the address
it had; within the exclusion's window. Without a witness a fact stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from foxhunt.backends.kql_conditions import (
    UNKNOWN,
    Expression,
    Row,
    Truth,
    any_of,
    condition_truth,
    host_of,
    known,
    lacks,
)
from foxhunt.backends.kql_text import timespan
from foxhunt.exclusions import CORRELATED, Condition
from foxhunt.tables import Fact, get_table

_TABLES = ("DeviceProcessEvents", "DeviceNetworkEvents")


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What one query asks of other tables.

    Attributes:
        row: The query's own rows.
        bound: The filter on a witness's time for a window; empty when its runner sets one.
        asked: The conditions that are asked about, by window.
    """

    row: Row
    bound: Callable[[str, timedelta], str]
    asked: dict[timedelta, list[Condition]] = field(default_factory=dict)

    def of(self, window: timedelta) -> Callable[[Condition], Truth]:
        """For a window, what witnesses tell of a condition."""

        def witnessed(condition: Condition) -> Truth:
            if condition.fact not in CORRELATED or host_of(self.row) is None:
                return UNKNOWN
            conditions = self.asked.setdefault(window, [])
            if condition not in conditions:
                conditions.append(condition)
            hit, told = _hit(window, conditions.index(condition)), _told(window, condition.fact)
            return Truth(Expression(hit), Expression(f"{told} and not({hit})", " and "))

        return witnessed

    def lets(self) -> Iterator[str]:
        """Lines that look witnesses of the rows of ``events`` up."""
        if not self.asked:
            return
        facts = {c.fact for conditions in self.asked.values() for c in conditions}
        silent = any_of(lacks(self.row, fact) for fact in CORRELATED if fact in facts)
        where = "" if silent.text == "true" else f" and ({silent.text})"
        yield (
            f"let silent = events\n| where isnotempty(EventHost){where}\n"
            f"| distinct EventHost, EventTime = {self.row.time}\n"
            '| extend EventKey = pack_array(strcat("=", EventHost), '
            'iff(EventHost contains ".", strcat("~", extract(@"^[^.]*", 0, EventHost)), ""))\n'
            "| mv-expand EventKey to typeof(string)\n"
            '| where EventKey != "";'
        )
        for window, conditions in self.asked.items():
            yield from _seen(window, conditions, self.bound)

    def joins(self) -> Iterator[str]:
        """Steps that put what was seen beside each event."""
        for window, conditions in self.asked.items():
            yield (
                f"join kind=leftouter (seen{timespan(window)}) "
                f"on EventHost, $left.{self.row.time} == $right.EventTime"
            )
            columns = _columns(window, conditions)
            yield "extend " + ", ".join(f"{name} = coalesce({name}, false)" for name in columns)


def _hit(window: timedelta, number: int) -> str:
    """The column that says whether a condition holds, by its number among those of a window."""
    return f"Hit{timespan(window)}_{number}"


def _told(window: timedelta, fact: Fact) -> str:
    """The column that says whether a witness tells a fact at all."""
    return f"Told{timespan(window)}_{fact}"


def _columns(window: timedelta, conditions: Sequence[Condition]) -> list[str]:
    hits = [_hit(window, number) for number in range(len(conditions))]
    return [*hits, *dict.fromkeys(_told(window, one.fact) for one in conditions)]


def _seen(
    window: timedelta, conditions: list[Condition], bound: Callable[[str, timedelta], str]
) -> Iterator[str]:
    span = timespan(window)
    # A table that a workspace lacks is passed over: it witnesses nothing.
    legs = ",\n".join(f"  ({_leg(name, window, conditions, bound)})" for name in _TABLES)
    nobody = "datatable(WitnessHost: string) []"
    # Both times are put into bins of a window, so that a busy host does not pair all with all.
    yield (
        f"let witnesses{span} = union isfuzzy=true ({nobody}),\n{legs}\n"
        '| extend WitnessKey = pack_array(strcat("=", WitnessHost), strcat("~", WitnessHost), '
        'strcat("=", WitnessAddress), strcat("~", WitnessAddress), '
        'iff(WitnessHost contains ".", strcat("=", extract(@"^[^.]*", 0, WitnessHost)), ""))\n'
        "| mv-expand WitnessKey to typeof(string)\n"
        '| where WitnessKey !in ("", "=", "~")\n'
        f"| extend Bin = bin(WitnessTime, {span});"
    )
    columns = _columns(window, conditions)
    counted = ", ".join(f"{name} = countif({name}) > 0" for name in columns)
    yield (
        f"let seen{span} = silent\n"
        f"| extend Bin = pack_array(bin(EventTime, {span}) - {span}, bin(EventTime, {span}), "
        f"bin(EventTime, {span}) + {span})\n"
        "| mv-expand Bin to typeof(datetime)\n"
        f"| join kind=inner (witnesses{span}) on Bin, $left.EventKey == $right.WitnessKey\n"
        f"| where WitnessTime between ((EventTime - {span}) .. (EventTime + {span}))\n"
        f"| summarize {counted} by EventHost, EventTime;"
    )


def _leg(
    name: str,
    window: timedelta,
    conditions: list[Condition],
    bound: Callable[[str, timedelta], str],
) -> str:
    table = get_table(name)
    row = Row(table=table, observable=None, time=table.time, has_indicator=False)
    hits = {
        _hit(window, number): condition_truth(one.fact, one.patterns, row).true.text
        for number, one in enumerate(conditions)
    }
    tolds = {_told(window, one.fact): known(row, one.fact).text for one in conditions}
    addresses = [
        column for column in table.facts.get(Fact.SOURCE_IP, ()) if column in table.columns
    ]
    address = f'tolower(trim(@"\\s+", {addresses[0]}))' if addresses else '""'
    columns = {
        "WitnessTime": table.time,
        "WitnessHost": 'tolower(trim(@"\\s+", DeviceName))',
        "WitnessAddress": address,
        **hits,
        **tolds,
    }
    limit = bound(table.time, window)
    steps = [
        name,
        *([f"where {limit}"] if limit else []),
        *(f"extend {column} = {expression}" for column, expression in row.made.items()),
        "project " + ", ".join(f"{column} = {text}" for column, text in columns.items()),
    ]
    return " | ".join(steps)
