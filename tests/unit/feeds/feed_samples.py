"""ThreatFox records and files for the tests of the readers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from foxhunt.feeds import FeedRead, read_feed, read_record
from foxhunt.indicators import Indicator, Quarantined

COLUMNS_2026 = (
    *("first_seen_utc", "ioc_id", "ioc_value", "ioc_type", "threat_type", "fk_malware"),
    *("malware_alias", "malware_printable", "last_seen_utc", "confidence_level"),
    *("is_compromised", "reference", "tags", "anonymous", "reporter"),
)


# Any: fields of several types, wrong ones among them.
def record(**changes: Any) -> dict[str, Any]:
    """A record as the JSON export spells it; a change to `...` leaves the field out."""
    fields: dict[str, Any] = {
        "ioc_value": "texornacu.com",
        "ioc_type": "domain",
        "threat_type": "botnet_cc",
        "malware": "unknown_rat",
        "malware_alias": None,
        "malware_printable": "Unknown RAT",
        "first_seen_utc": "2026-05-24 06:12:33",
        "last_seen_utc": None,
        "confidence_level": 100,
        "is_compromised": False,
        "reference": None,
        "tags": "rat,c2",
        "anonymous": 0,
        "reporter": "somebody",
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def api_record(**changes: Any) -> dict[str, Any]:
    """The same as the API spells it."""
    fields: dict[str, Any] = {
        "id": "1892956",
        "ioc": "texornacu.com",
        "ioc_type": "domain",
        "ioc_type_desc": "Domain that is used for botnet Command&control (C&C)",
        "threat_type": "botnet_cc",
        "threat_type_desc": "Indicator that identifies a botnet command&control server (C&C)",
        "malware": "unknown_rat",
        "malware_printable": "Unknown RAT",
        "malware_alias": None,
        "malware_malpedia": "https://malpedia.caad.fkie.fraunhofer.de/details/unknown_rat",
        "confidence_level": 100,
        "is_compromised": False,
        "first_seen": "2026-05-24 06:12:33 UTC",
        "last_seen": None,
        "reference": None,
        "reporter": "somebody",
        "sightings": 1,
        "tags": ["rat", "c2"],
        "malware_samples": [],
    }
    return {name: value for name, value in (fields | changes).items() if value is not ...}


def export(*records: dict[str, Any], start: int = 1) -> bytes:
    """A JSON export, ids counted from ``start``."""
    return json.dumps({str(n): [r] for n, r in enumerate(records, start=start)}).encode()


def csv_export(*rows: dict[str, str], entries: int | None = None) -> bytes:
    """A CSV export of 2026: header in a comment, CRLF, comma and space."""
    out = io.StringIO()
    out.write("#" * 64 + "\r\n# ThreatFox IOCs: recent additions - CSV format #\r\n#\r\n")
    out.write("# " + ",".join(f'"{name}"' for name in COLUMNS_2026) + "\r\n")
    for row in rows:
        line = io.StringIO()
        csv.writer(line, quoting=csv.QUOTE_ALL).writerow(row[name] for name in COLUMNS_2026)
        out.write(line.getvalue().replace('","', '", "'))
    out.write(f"# Number of entries: {len(rows) if entries is None else entries}\r\n")
    return out.getvalue().encode()


def csv_row(**changes: str) -> dict[str, str]:
    """A record as the CSV export spells it."""
    fields = {
        "first_seen_utc": "2026-05-24 06:12:33",
        "ioc_id": "1766774",
        "ioc_value": "texornacu.com",
        "ioc_type": "domain",
        "threat_type": "botnet_cc",
        "fk_malware": "unknown_rat",
        "malware_alias": "None",
        "malware_printable": "Unknown RAT",
        "last_seen_utc": "",
        "confidence_level": "100",
        "is_compromised": "False",
        "reference": "None",
        "tags": "rat,c2",
        "anonymous": "0",
        "reporter": "somebody",
    }
    return fields | changes


def read_bytes(data: bytes, name: str = "feed") -> FeedRead:
    """What `read_feed` makes of bytes; every record is accounted for."""
    read = read_feed(io.BufferedReader(io.BytesIO(data)), name)
    assert read.report.read == read.report.indicators + len(read.report.quarantined)
    assert read.report.quarantined == read.indicators.quarantined
    return read


def write(folder: Path, name: str, data: bytes) -> str:
    """Write a file and return its path as a user would type it."""
    path = folder / name
    path.write_bytes(data)
    return str(path)


def taken(raw: object, source_id: str | None = "1") -> Indicator:
    """`read_record` of what must be an indicator."""
    found = read_record(raw, source_id)
    assert isinstance(found, Indicator), found
    return found


def refused(raw: object, source_id: str | None = "1") -> Quarantined:
    """`read_record` of what must not be one."""
    found = read_record(raw, source_id)
    assert isinstance(found, Quarantined), found
    return found
