"""Which tables the real files hold and how many rows, counted without foxhunt.

json, csv, the evtx package and line counts; the mapping from sensor events to tables is
written down here a second time, on purpose.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evtx import PyEvtxParser

SYSMON = "Microsoft-Windows-Sysmon"
SYSMON_TABLES = {
    1: "DeviceProcessEvents",
    3: "DeviceNetworkEvents",
    7: "DeviceImageLoadEvents",
    11: "DeviceFileEvents",
    15: "DeviceFileEvents",
    22: "DnsEvents",
    23: "DeviceFileEvents",
    # 26 (FileDeleteDetected) bears hashes too, but is not read yet.
    29: "DeviceFileEvents",
}
ZEEK_TABLES = {
    "dns": "DnsEvents",
    "conn": "CommonSecurityLog",
    "http": "CommonSecurityLog",
    "ssl": "CommonSecurityLog",
    "files": "DeviceFileEvents",
}
SURICATA_TABLES = {
    "dns": "DnsEvents",
    "http": "CommonSecurityLog",
    "tls": "CommonSecurityLog",
    "alert": "CommonSecurityLog",
    "flow": "CommonSecurityLog",
    "fileinfo": "DeviceFileEvents",
}


def text_of(path: Path) -> str:
    """The whole file, decompressed."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def json_records(path: Path) -> list[dict[str, Any]]:
    """Records of a file with one object a line, or one array of objects."""
    text = text_of(path)
    if text.startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def zeek_rows(path: Path) -> Counter[str]:
    """Rows a table; the log's name is the file's."""
    lines = text_of(path).splitlines()
    kind = path.name.partition(".")[0].rpartition("_")[2]
    return Counter({ZEEK_TABLES[kind]: sum(not line.startswith("#") for line in lines)})


def sysmon_json_rows(path: Path) -> Counter[str]:
    """Rows a table; records of other channels belong to none."""
    rows: Counter[str] = Counter()
    for record in json_records(path):
        beat = record.get("winlog", {})
        source = record.get("SourceName", beat.get("provider_name"))
        event_id = record.get("EventID", beat.get("event_id"))
        if source == SYSMON and event_id in SYSMON_TABLES:
            rows[SYSMON_TABLES[event_id]] += 1
    return rows


def evtx_rows(path: Path) -> Counter[str]:
    """Rows a table; chunks that are damaged hold none."""
    rows: Counter[str] = Counter()
    for record in _readable(path):
        system = json.loads(record["data"])["Event"]["System"]
        event_id = system["EventID"]
        number = int(event_id if isinstance(event_id, int) else event_id["#text"])
        if number in SYSMON_TABLES:
            rows[SYSMON_TABLES[number]] += 1
    return rows


def _readable(path: Path) -> Iterator[dict[str, Any]]:
    records = PyEvtxParser(str(path)).records_json()
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except RuntimeError:  # what the package raises for a chunk it cannot read
            continue
        if record is not None:
            yield record


def suricata_rows(path: Path) -> Counter[str]:
    """Rows a table, by event type."""
    kinds = (record["event_type"] for record in json_records(path))
    return Counter(SURICATA_TABLES[kind] for kind in kinds if kind in SURICATA_TABLES)


def export_rows(path: Path) -> Counter[str]:
    """Rows of an export of one table, which is named at the start of the file's name."""
    table = path.name.partition("_")[0]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return Counter({table: sum(1 for _ in csv.DictReader(lines))})
    return Counter({table: len(json_records(path))})


def streamed_rows(path: Path) -> Counter[str]:
    """Rows a table of Defender's streaming API, which says the table in ``category``."""
    categories = (record["category"] for record in json_records(path))
    return Counter(category.removeprefix("AdvancedHunting-") for category in categories)
