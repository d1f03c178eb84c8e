"""The table ``indicators`` of an emitted query: in its text, or read from where it is kept.

Whatever the delivery it has the same columns. In the text, a column that says the same
in every row is said once, below the rows, and one that follows from the indicator is
computed: an analytics rule has 10,000 characters for everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from foxhunt.backends.kql_text import string_list, string_literal, timespan
from foxhunt.findings import ValidityPolicy
from foxhunt.indicators import (
    Indicator,
    IndicatorType,
    unicode_name,
)
from foxhunt.rules.parsed import address_and_port, address_of_host, is_shared_host, key_of_url
from foxhunt.tables import Shows

_POLICY = ValidityPolicy()


class Shape(StrEnum):
    """What is compared, hence which columns the table has besides the common ones."""

    NAME = "name"
    URL = "url"
    ADDRESS = "address"
    HASH = "hash"


SHAPES = {
    Shows.NAME: Shape.NAME,
    Shows.URL: Shape.URL,
    Shows.ADDRESS: Shape.ADDRESS,
    Shows.ANSWERS: Shape.ADDRESS,
    Shows.MD5: Shape.HASH,
    Shows.SHA1: Shape.HASH,
    Shows.SHA256: Shape.HASH,
    Shows.HASH: Shape.HASH,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table: what is looked up, and what a hit reports.

    Attributes:
        lookup: A host name, a hash, or an address in its shortest spelling.
        indicator: Whose.
        port: Of an address or URL; empty when a URL has its scheme's own.
        path: Of a URL, with its query.
        is_shared: Strangers have names below this one, or pages on it (R1, R4).
    """

    lookup: str
    indicator: Indicator
    port: str = ""
    path: str = ""
    is_shared: bool = False
    made: list[tuple[str, ...]] = field(default_factory=list, compare=False, repr=False)

    def cells(self, shape: Shape) -> tuple[str, ...]:
        """The row's values as KQL, by column; made once, since lists are tried in many parts.

        Args:
            shape: The one in which its kind is compared: an entry is of one list alone.

        Raises:
            UnsupportedError: One has no KQL literal.
        """
        if not self.made:
            self.made.append(tuple([column.literal(self) for column in _COLUMNS[shape]]))
        return self.made[0]


def entries_of(shows: Shows, indicator: Indicator) -> Iterator[Entry]:
    """The rows by which a column that shows ``shows`` can tell an indicator; maybe none."""
    if indicator.type is IndicatorType.IP_PORT:
        address, port = address_and_port(indicator.value)
        yield Entry(str(address), indicator, str(port))
    elif indicator.type is IndicatorType.URL:
        yield from _url_entries(shows, indicator)
    elif indicator.type is IndicatorType.DOMAIN:
        shared = is_shared_host(indicator.value)
        # KQL knows no UTS 46: the name as a log may spell it is listed beside its A-labels.
        for name in dict.fromkeys((indicator.value, unicode_name(indicator.value))):
            yield Entry(name, indicator, is_shared=shared)
    else:
        yield Entry(indicator.value, indicator)


def _url_entries(shows: Shows, indicator: Indicator) -> Iterator[Entry]:
    """A URL column shows all of it, a name or an address column its host, if it is one."""
    key = key_of_url(indicator.value)
    if key is None:
        return
    shared = is_shared_host(key.host)
    if shows is Shows.URL:
        yield Entry(key.host, indicator, key.port, key.path or "/", shared)
    elif shows is Shows.ADDRESS:
        address = address_of_host(key.host)
        if address is not None:
            yield Entry(address, indicator)
    elif shows is Shows.NAME and not shared:
        # An address may stand where a name should: in a proxy's host column, in a URL's domain.
        yield Entry(key.host, indicator)


def validity(indicator: Indicator) -> tuple[datetime | None, datetime | None]:
    """For events between which times, inclusive, an indicator counts (R6); None has no end."""
    lifetime = _POLICY.lifetimes.get(indicator.type)
    if lifetime is None:
        return None, None
    last = max(indicator.first_seen, indicator.last_seen or indicator.first_seen)
    return indicator.first_seen - _POLICY.lead, last + lifetime


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table.

    Attributes:
        name: Its name.
        type: Its Kusto type.
        literal: A row's value of it, as KQL.
        derived: What it follows from in the rows of some lists, as KQL.
        derives: Whether it does in a row.
    """

    name: str
    type: str
    literal: Callable[[Entry], str]
    derived: str = ""
    derives: Callable[[Entry], bool] = lambda entry: False


def _datetime(time: datetime | None) -> str:
    return f"datetime({time.astimezone(UTC).isoformat()[:19]})" if time else "datetime(null)"


_ADDRESS_OF = 'extract(@"^\\[?([^\\]]*?)\\]?:[0-9]+$", 1, Indicator)'
_PORT_OF = 'extract(@":([0-9]+)$", 1, Indicator)'
_COMMON = (
    _Column("IndicatorType", "string", lambda e: string_literal(e.indicator.type)),
    _Column("Malware", "string", lambda e: string_literal(e.indicator.malware_printable)),
    # Not "Confidence": DnsEvents has a column of that name, which would win in the join.
    _Column("ConfidenceLevel", "long", lambda e: str(e.indicator.confidence_level)),
    _Column("ValidFrom", "datetime", lambda e: _datetime(validity(e.indicator)[0])),
    _Column("ValidUntil", "datetime", lambda e: _datetime(validity(e.indicator)[1])),
)
_INDICATOR = _Column("Indicator", "string", lambda e: string_literal(e.indicator.value))
_LOOKUP = _Column(
    "Lookup",
    "string",
    lambda e: string_literal(e.lookup),
    "Indicator",
    lambda e: e.lookup == e.indicator.value,
)
_PORT = _Column(
    "IndicatorPort",
    "string",
    lambda e: string_literal(e.port),
    _PORT_OF,
    lambda e: e.indicator.type is IndicatorType.IP_PORT,
)
_PATH = _Column("IndicatorPath", "string", lambda e: string_literal(e.path))
_SHARED = _Column("IsShared", "bool", lambda e: str(e.is_shared).lower())
_ADDRESS = _Column(
    "Address",
    "string",
    lambda e: string_literal(e.lookup),
    _ADDRESS_OF,
    lambda e: e.indicator.type is IndicatorType.IP_PORT,
)
_COLUMNS: dict[Shape, tuple[_Column, ...]] = {
    Shape.NAME: (_INDICATOR, _LOOKUP, _SHARED, *_COMMON),
    Shape.URL: (_INDICATOR, _LOOKUP, _PORT, _PATH, _SHARED, *_COMMON),
    Shape.ADDRESS: (_INDICATOR, _ADDRESS, _PORT, *_COMMON),
    Shape.HASH: (_INDICATOR, _LOOKUP, *_COMMON),
}
# Full groups, IPv4 mapped: the one spelling in which addresses are compared (R2).
_FULL_ADDRESS = "| extend Lookup = parse_ipv6(Address)"


def inline(shape: Shape, entries: Sequence[Entry]) -> list[str]:
    """Lines of a ``let`` with all entries in the query's text.

    Raises:
        UnsupportedError: A value has no KQL literal.
    """
    # Column by column, since lists are long: no work of Python's own for each of their cells.
    columns = list(zip(*(entry.cells(shape) for entry in entries), strict=True))
    listed, cells, said_once = [_INDICATOR], [columns[0]], []
    for column, values in zip(_COLUMNS[shape][1:], columns[1:], strict=True):
        if column.derived and all(map(column.derives, entries)):
            said_once.append(f"{column.name} = {column.derived}")
        elif values.count(values[0]) == len(values):
            said_once.append(f"{column.name} = {values[0]}")
        else:
            listed.append(column)
            cells.append(values)
    rows = [f"  {', '.join(row)}" for row in zip(*cells, strict=True)]
    header = ", ".join(f"{column.name}: {column.type}" for column in listed)
    return [
        f"let indicators = datatable({header}) [",
        ",\n".join(rows),
        "]",
        *([f"| extend {', '.join(said_once)}"] if said_once else []),
        *([_FULL_ADDRESS] if shape is Shape.ADDRESS else []),
    ]


CSV_COLUMNS = (
    *("Shape", "SearchKey", "Indicator", "Lookup", "IndicatorPort", "IndicatorPath", "IsShared"),
    *("IndicatorType", "Malware", "ConfidenceLevel", "ValidFrom", "ValidUntil"),
)


def csv_rows(shape: Shape, entries: Sequence[Entry]) -> Iterator[tuple[str, ...]]:
    """Rows of the list that a watchlist or ``externaldata`` query reads; see `CSV_COLUMNS`."""
    shape_name = str(shape)
    for entry in entries:
        one = entry.indicator
        valid_from, valid_until = validity(one)
        yield (
            shape_name,
            entry.lookup,
            one.value,
            entry.lookup,
            entry.port,
            entry.path,
            "true" if entry.is_shared else "false",
            str(one.type),
            one.malware_printable,
            str(one.confidence_level),
            valid_from.isoformat() if valid_from else "",
            valid_until.isoformat() if valid_until else "",
        )


def from_watchlist(types: Sequence[IndicatorType], shape: Shape, alias: str) -> list[str]:
    """Lines of a ``let`` that reads ``types`` from the watchlist ``alias`` (of `csv_rows`)."""
    source = f"_GetWatchlist({string_literal(alias)})"
    return [f"let indicators = materialize({source}", *_kept(types, shape)]


def from_external_data(types: Sequence[IndicatorType], shape: Shape, url: str) -> list[str]:
    """Lines of a ``let`` that reads ``types`` from a list of `csv_rows` at ``url``.

    Raises:
        UnsupportedError: The address has no KQL literal.
    """
    columns = ", ".join(f"{name}: string" for name in CSV_COLUMNS)
    source = f"externaldata({columns}) [{string_literal(url)}]"
    return [
        f"let indicators = materialize({source}",
        '  with (format="csv", ignoreFirstRecord=true)',
        *_kept(types, shape),
    ]


def _kept(types: Sequence[IndicatorType], shape: Shape) -> list[str]:
    """Everything in a watchlist is text, and it holds more types than a column shows."""
    typed = {"long": "tolong", "datetime": "todatetime", "bool": "tobool", "string": "tostring"}
    columns = [
        f"{column.name} = {typed[column.type]}({'Lookup' if column is _ADDRESS else column.name})"
        for column in _COLUMNS[shape]
    ]
    return [
        f"| where Shape == {string_literal(shape)} and IndicatorType in ({string_list(types)})",
        f"| project {', '.join(columns)}",
        *([_FULL_ADDRESS] if shape is Shape.ADDRESS else []),
        ")",
    ]


# As what foxhunt uploads indicators, and the labels by which a query finds them again.
SOURCE_SYSTEM = "foxhunt-threatfox"
MALWARE_LABEL = "malware:"
SHARED_LABEL = "shared-host"
# Sentinel publishes all indicators again every seven to ten days (facts of 2025-04).
_REPUBLISHED = "14d"
_TYPES_OF = {
    "domain-name:value": IndicatorType.DOMAIN,
    "url:value": IndicatorType.URL,
    "network-traffic:dst_ref.value": IndicatorType.IP_PORT,
    "file:hashes.MD5": IndicatorType.MD5,
    "file:hashes.'SHA-1'": IndicatorType.SHA1,
    "file:hashes.'SHA-256'": IndicatorType.SHA256,
}


def from_ti_table(
    types: Sequence[IndicatorType], shape: Shape, malware: str, name: str
) -> list[str]:
    """Lines of a ``let`` that reads ThreatIntelIndicators, as foxhunt's STIX files fill it.

    Each indicator is there several times: the newest of each counts, and only then is asked
    whether it is still active. Without ValidUntil it has no end.

    Args:
        types: Types of indicator that are looked up.
        shape: How they are compared.
        malware: Malpedia label of the family.
        name: Its printable name.

    Raises:
        UnsupportedError: The label has no KQL literal.
    """
    keys = [key for key, type_ in _TYPES_OF.items() if type_ in types]
    cases = ", ".join(
        f"ObservableKey == {string_literal(key)}, {string_literal(_TYPES_OF[key])}" for key in keys
    )
    label = string_literal(f'"{MALWARE_LABEL}{malware}"')
    return [
        "let indicators = materialize(ThreatIntelIndicators",
        f"| where TimeGenerated > ago({_REPUBLISHED})",
        "| summarize arg_max(TimeGenerated, *) by Id, ObservableKey, ObservableValue",
        f"| where SourceSystem == {string_literal(SOURCE_SYSTEM)} and Tags contains_cs {label}",
        "| where coalesce(IsActive, true) and not(coalesce(IsDeleted, false)) "
        "and not(coalesce(Revoked, false))",
        f"| where ObservableKey in ({string_list(keys)})",
        f'| extend IndicatorType = case({cases}, ""), Malware = {string_literal(name)}, '
        f"IsShared = Tags contains_cs {string_literal(chr(34) + SHARED_LABEL + chr(34))}",
        # What is uploaded says when it was first seen; R6 counts from some time before.
        f"| extend ValidFrom = ValidFrom - {timespan(_POLICY.lead)}, "
        "ConfidenceLevel = tolong(Confidence)",
        *_TI_COLUMNS[shape],
        f"| project {', '.join(column.name for column in _COLUMNS[shape])}",
        *([_FULL_ADDRESS] if shape is Shape.ADDRESS else []),
        ")",
    ]


_HOST = 'iff(IndicatorType == "url", UrlHost(ObservableValue), tolower(ObservableValue))'
_TI_COLUMNS = {
    Shape.NAME: (
        f"| extend Indicator = ObservableValue, Lookup = {_HOST}",
        '| where IndicatorType != "url" or not(IsShared)',
    ),
    Shape.URL: (
        f"| extend Indicator = ObservableValue, Lookup = {_HOST}, "
        'IndicatorPort = iff(IndicatorType == "url", UrlPort(ObservableValue), ""), '
        'IndicatorPath = iff(IndicatorType == "url", UrlPath(ObservableValue), "")',
    ),
    Shape.ADDRESS: (
        '| extend Address = iff(IndicatorType == "url", UrlHost(ObservableValue), '
        'ObservableValue), IndicatorPort = iff(IndicatorType == "url", "", '
        'extract(@"dst_port\\s*=\\s*([0-9]+)", 1, Pattern))',
        "| where isnotempty(parse_ipv6(Address))",
        '| extend Indicator = case(IndicatorType == "url", ObservableValue, Address contains ":", '
        'strcat("[", Address, "]:", IndicatorPort), strcat(Address, ":", IndicatorPort))',
    ),
    Shape.HASH: (
        "| extend Indicator = tolower(ObservableValue), Lookup = tolower(ObservableValue)",
    ),
}
