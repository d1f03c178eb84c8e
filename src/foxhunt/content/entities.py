"""Which columns of a query's result are entities: hosts, accounts, addresses, files.

A mapping has one to three identifiers, a rule one to ten mappings; the required identifiers
are those of Azure-Sentinel's EntityMappingIdentifiers (2026).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from foxhunt.tables import Fact, Observable, Shows, Table

_MOST_MAPPINGS = 10


@dataclass(frozen=True, slots=True)
class EntityMapping:
    """An entity.

    Attributes:
        type: Sentinel's name of its type.
        fields: Identifier and column.
    """

    type: str
    fields: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, object]:
        """As Sentinel's files say it."""
        return {
            "entityType": self.type,
            "fieldMappings": [
                {"identifier": identifier, "columnName": column}
                for identifier, column in self.fields
            ],
        }


def entity_mappings(
    table: Table, observable: Observable, shown: Sequence[str]
) -> tuple[EntityMapping, ...]:
    """Map the columns that are shown: whose machine and account it was, and what was met."""
    found = (
        one
        for one in _mappings(table, observable)
        if all(column in shown for _, column in one.fields)
    )
    return tuple(dict.fromkeys(found))[:_MOST_MAPPINGS]


def _mappings(table: Table, observable: Observable) -> Iterator[EntityMapping]:
    addresses = {
        *table.facts.get(Fact.SOURCE_IP, ()),
        *table.facts.get(Fact.REMOTE_IP, ()),
        *(one.column for one in table.observables if one.shows is Shows.ADDRESS),
    }
    for column in _machine(observable.host, addresses):
        if column.endswith("EmailAddress"):
            yield EntityMapping("Mailbox", (("MailboxPrimaryAddress", column),))
        elif column in addresses:
            yield EntityMapping("IP", (("Address", column),))
        else:
            yield EntityMapping("Host", (("FullName", column),))
    for column in observable.user[:1]:
        identifier = "FullName" if column.endswith(("Upn", "EmailAddress")) else "Name"
        yield EntityMapping("Account", ((identifier, column),))
    yield from _observed(observable)
    yield EntityMapping("Malware", (("Name", "Malware"),))


def _machine(host: Sequence[str], addresses: Collection[str]) -> Iterator[str]:
    """Columns of whose machine it is: its name, and its address for rows without the name.

    Where the address comes first, the next is another machine: of a DNS row, the server.
    """
    yield from host[:1]
    if host and host[0] not in addresses:
        yield from [column for column in host[1:] if column in addresses][:1]


def _observed(observable: Observable) -> Iterator[EntityMapping]:
    match observable.shows:
        case Shows.NAME:
            yield EntityMapping("DNS", (("DomainName", observable.column),))
        case Shows.URL:
            yield EntityMapping("URL", (("Url", observable.column),))
        case Shows.ADDRESS:
            yield EntityMapping("IP", (("Address", observable.column),))
        case Shows.ANSWERS:
            pass  # several addresses in one text are no entity
        case _:
            yield EntityMapping(
                "FileHash", (("Algorithm", "HashAlgorithm"), ("Value", observable.column))
            )
