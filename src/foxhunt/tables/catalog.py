"""The tables foxhunt knows, read from one data file each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from foxhunt.errors import TableError
from foxhunt.tables.model import Action, Direction, Fact, Observable, Remote, Shows, Table

# The order of the pages' queries first, then the rest of DESIGN 5: reports and rules follow it.
_ORDER = (
    "CommonSecurityLog",
    "DeviceNetworkEvents",
    "DnsEvents",
    "UrlClickEvents",
    "DeviceFileEvents",
    "DeviceProcessEvents",
    "DeviceImageLoadEvents",
    "ASimDnsActivityLogs",
    "ASimNetworkSessionLogs",
    "EmailUrlInfo",
    "EmailAttachmentInfo",
)

# What log formats may tell beyond a table's columns; see `Table.process`.
EXTRA_COLUMNS: Mapping[str, str] = MappingProxyType({"_process": "string", "_user": "string"})


@cache
def catalog() -> Mapping[str, Table]:
    """Every known table by name, in the order reports use."""
    return MappingProxyType({name: _load(name) for name in _ORDER})


def get_table(name: str) -> Table:
    """Return the table called ``name`` (any case).

    Raises:
        TableError: Unknown name; the message lists the known ones.
    """
    for table in catalog().values():
        if table.name.casefold() == name.casefold():
            return table
    raise TableError(f"unknown table {name!r}", hint=f"known: {', '.join(catalog())}")


def _load(name: str) -> Table:
    text = resources.files(__package__).joinpath("data", f"{name}.json").read_text("utf-8")
    raw = json.loads(text)
    return Table(
        name=raw["name"],
        title=raw["title"],
        connector=raw["connector"],
        must_deliver=raw["must_deliver"],
        columns=raw["columns"],
        time=raw["time"],
        other_time=raw["other_time"],
        recognised_by=tuple(frozenset(columns) for columns in raw["recognised_by"]),
        observables=tuple(_observable(one, raw) for one in raw["observables"]),
        host=tuple(raw["host"]),
        user=tuple(raw["user"]),
        process=tuple(raw["process"]),
        facts=_facts(raw["facts"]),
        direction=_direction(raw["direction"]),
        action=_action(raw["action"]),
    )


def _observable(raw: dict[str, Any], table: dict[str, Any]) -> Observable:
    return Observable(
        column=raw["column"],
        shows=Shows(raw["shows"]),
        port=raw.get("port"),
        remote=Remote(raw["remote"]) if "remote" in raw else None,
        host=tuple(raw.get("host", table["host"])),
        user=tuple(raw.get("user", table["user"])),
        facts=_facts(raw.get("facts", {})),
    )


def _facts(raw: dict[str, Any]) -> dict[Fact, tuple[str, ...]]:
    return {Fact(name): tuple(columns) for name, columns in raw.items()}


def _direction(raw: dict[str, Any] | None) -> Direction | None:
    if raw is None:
        return None
    sides = raw.get("sides")
    return Direction(
        column=raw.get("column"),
        inbound=tuple(value.lower() for value in raw.get("inbound", ())),
        outbound=tuple(value.lower() for value in raw.get("outbound", ())),
        sides=(sides[0], sides[1]) if sides else None,
        default=raw.get("default"),
    )


def _action(raw: dict[str, Any] | None) -> Action | None:
    if raw is None:
        return None
    return Action(
        column=raw["column"],
        blocked=tuple(raw["blocked"]),
        allowed=tuple(raw["allowed"]),
        allowed_if=raw.get("allowed_if"),
    )
