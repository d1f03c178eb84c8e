"""SSLBL: addresses and ports of command-and-control servers found by their certificates.

Read are ``sslipblacklist.csv`` and ``sslipblacklist_aggressive.csv``, as published in 2026-10.
``sslblacklist.csv``, the list of certificates, is refused: a SHA1 there is the fingerprint of a
certificate, no table that foxhunt knows has a column of those, and taken for the hash of a file it
could only miss. The same servers are in the list of addresses.

- It gives no ids: they are derived from address, port and first sight.
- Family: none is given, so ``unknown``. Threat type: ``botnet_cc``, which is what the list is of.
- Confidence: 75: an address met a listed certificate, which says less than a family seen at work.
"""

from __future__ import annotations

from typing import TextIO

from foxhunt.errors import FeedError, SourceSpan
from foxhunt.feeds.raw import Broken, Reading
from foxhunt.feeds.siblings.csv_tables import Layout, header_of, rows
from foxhunt.feeds.siblings.told import RawTold, Told, address_and_port, family

SOURCE = "sslbl"
_CONFIDENCE = 75
_CERTIFICATES = frozenset({"Listingdate", "SHA1", "Listingreason"})
_LAYOUT = Layout(
    what="SSLBL's CSV of addresses",
    needed=(frozenset({"Firstseen", "DstIP", "DstPort"}), _CERTIFICATES),
    known=frozenset({"Firstseen", "DstIP", "DstPort"}),
)


def recognises(head: str) -> bool:
    """Whether the beginning of a file is SSLBL's."""
    names = header_of(head, _LAYOUT)
    # Feodo Tracker's CSV of 2020 has the same columns and one more.
    return bool(names) and "Malware" not in names


def told(stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
    """Yield the records of a list of addresses.

    Raises:
        FeedError: It is not SSLBL's, or its list of certificates.
    """
    reading.format = "SSLBL CSV export"
    for row in rows(stream, reading, _LAYOUT):
        if isinstance(row.fields, Broken):
            yield Told(source=SOURCE, record=row.fields, type="ip:port")
            continue
        if row.fields.keys() >= _CERTIFICATES:
            raise FeedError(
                "SSLBL's list of certificates: no table shows the hash of a certificate",
                at=SourceSpan(reading.name),
                hint="take sslipblacklist.csv",
            )
        value = address_and_port(row.fields["DstIP"], row.fields["DstPort"])
        record = {
            "ioc_value": value,
            "ioc_type": "ip:port",
            "threat_type": "botnet_cc",
            "first_seen": row.fields["Firstseen"],
            "confidence_level": _CONFIDENCE,
        }
        yield Told(source=SOURCE, record=record | family([]), type="ip:port")
