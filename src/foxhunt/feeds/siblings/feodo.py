"""Feodo Tracker: command-and-control servers of a few families, as address and port.

Read are ``ipblocklist.csv``, ``ipblocklist_aggressive.csv`` and ``ipblocklist.json``, as published
in 2026-10, and the CSV of 2020 with its shorter header.

- It gives no ids: they are derived from address, port, family and first sight.
- Family: ``malware``. Threat type: ``botnet_cc``, which is what the list is of.
- Confidence: 100 while a server is ``online``, which abuse.ch itself checks; 75 once it is
  ``offline``; 50 in a list without status: the aggressive one holds every address ever seen, which
  somebody else may have by now.
- ``last_online`` is a day; ``last_seen`` is its beginning, which claims no more than is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TextIO

from foxhunt.feeds.raw import Reading
from foxhunt.feeds.siblings.csv_tables import Layout, header_of, rows
from foxhunt.feeds.siblings.json_documents import Shape, keys_in, records
from foxhunt.feeds.siblings.told import RawTold, Told, address_and_port, broken, family

SOURCE = "feodotracker"
_LAYOUT = Layout(
    what="Feodo Tracker's CSV",
    needed=(
        frozenset({"dst_ip", "dst_port", "malware"}),
        frozenset({"DstIP", "DstPort", "Malware"}),
    ),
    known=frozenset(
        {
            *("first_seen_utc", "dst_ip", "dst_port", "c2_status", "last_online", "malware"),
            *("Firstseen", "DstIP", "DstPort", "LastOnline", "Malware"),
        }
    ),
)
_SHAPE = Shape("Feodo Tracker", (), frozenset({"ip_address"}))
_KEYS = frozenset({"ip_address", "port", "malware", "last_online"})
_KNOWN = (
    _LAYOUT.known | _KEYS | {"status", "hostname", "as_number", "as_name", "country", "first_seen"}
)
_CONFIDENCE = {"online": 100, "offline": 75}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def recognises(head: str) -> bool:
    """Whether the beginning of a file is Feodo Tracker's."""
    is_json = head.lstrip().startswith("[") and keys_in(head) >= _KEYS
    return is_json or bool(header_of(head, _LAYOUT))


def told(stream: TextIO, reading: Reading, *, is_json: bool) -> RawTold:
    """Yield the records of a list.

    Raises:
        FeedError: It is not Feodo Tracker's.
    """
    if is_json:
        for _, raw in records(stream, reading, _SHAPE):
            yield _told(raw, reading)
        return
    reading.format = "Feodo Tracker CSV export"
    for row in rows(stream, reading, _LAYOUT):
        yield _told(row.fields, reading)


def _told(raw: object, reading: Reading) -> Told:
    if not isinstance(raw, Mapping):
        return Told(source=SOURCE, record=broken(raw), type="ip:port")
    reading.columns.update(raw.keys() - _KNOWN)

    def given(*names: str) -> object:
        return next((raw[name] for name in names if raw.get(name)), None)

    last = given("last_online", "LastOnline")
    status = given("c2_status", "status")
    malware = given("malware", "Malware")
    record = {
        "ioc_value": address_and_port(
            given("dst_ip", "ip_address", "DstIP"), given("dst_port", "port", "DstPort")
        ),
        "ioc_type": "ip:port",
        "threat_type": "botnet_cc",
        "first_seen": given("first_seen_utc", "first_seen", "Firstseen"),
        "last_seen": f"{last} 00:00:00" if isinstance(last, str) and _DAY.fullmatch(last) else last,
        "confidence_level": _CONFIDENCE.get(str(status), 50),
    }
    names = family([malware] if isinstance(malware, str) else [])
    return Told(source=SOURCE, record=record | names, type="ip:port")
