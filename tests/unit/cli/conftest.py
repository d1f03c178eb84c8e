"""A small feed and small logs in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def record(number: int, value: str, type_: str, **fields: object) -> dict[str, object]:
    """A record of ThreatFox's export."""
    base: dict[str, object] = {
        "ioc_value": value,
        "ioc_type": type_,
        "threat_type": "botnet_cc",
        "malware": "win.unknown_rat",
        "malware_alias": None,
        "malware_printable": "Unknown RAT",
        "first_seen_utc": "2026-05-24 08:11:02",
        "last_seen_utc": None,
        "confidence_level": 100,
        "is_compromised": False,
        "reference": None,
        "tags": "rat",
        "anonymous": "0",
        "reporter": "abuse_ch",
    }
    return base | fields


@pytest.fixture
def feed(tmp_path: Path) -> str:
    """An export with two indicators of DESIGN 1, one of another family, one that is none."""
    other = {"malware": "win.asyncrat", "malware_printable": "AsyncRAT"}
    records = [
        record(1, "texornacu.com", "domain"),
        record(2, "winupdateservice.com", "domain"),
        record(3, "45.137.22.7:443", "ip:port", confidence_level=50, **other),
        record(4, "10.0.0.7:443", "ip:port"),
    ]
    path = tmp_path / "recent.json"
    path.write_text(json.dumps({str(1815000 + n): [one] for n, one in enumerate(records)}))
    return str(path)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with one file of DnsEvents: two hits of one host, two look-alikes."""
    names = ["c2.texornacu.com", "TEXORNACU.COM.", "texornacu.com.evil.org", "not-texornacu.com"]
    folder = tmp_path / "logs"
    folder.mkdir()
    lines = ["TimeGenerated [UTC],Computer,ClientIP,Name,QueryType"]
    lines += [
        f'"6/1/2026, 10:0{n}:00.000 AM",DC1,10.0.0.{5},{name},A' for n, name in enumerate(names)
    ]
    (folder / "dns.csv").write_text("\n".join(lines) + "\n")
    return folder
