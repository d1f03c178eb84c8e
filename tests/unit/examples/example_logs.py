"""The example's logs, made once a run, and the plainest possible reading of them.

Nothing here uses foxhunt: what the example holds is counted with json, csv and string
comparison, so that ``expected.json`` and the product are two things compared with a third.
"""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import idna
import pyarrow.parquet as pq

EXAMPLES = Path(__file__).parents[3] / "examples"

# Strongest first, as DESIGN 4 orders them.
STRENGTH = ("hash", "url", "exact", "ip:port", "url-prefix", "subdomain", "ip", "resolved-ip",
            "url-host")  # fmt: skip
SERIOUSNESS = ("open", "inbound", "stale", "suppressed")
# Of the feed's indicators only one is too old for events of June 2026 (R6).
STALE = "karvolin-stats.com"
SHARED = ("duckdns.org", "drive.google.com")


@dataclass(frozen=True, slots=True)
class Event:
    """A record, and what it shows: lists of names, URLs, (address, port), answers, hashes."""

    table: str
    host: str
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    remote: tuple[str, int | None] | None = None
    answers: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    is_inbound: bool = False


def make_example(out: Path) -> None:
    """Run the script as a user would."""
    script = EXAMPLES / "make_example.py"
    subprocess.run([sys.executable, str(script), str(out)], check=True, capture_output=True)


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Records of a file with one object a line, compressed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.splitlines()]


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Records of a CSV file, with or without a byte order mark."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def zeek_rows(path: Path) -> list[dict[str, str]]:
    """Records of a compressed Zeek TSV file, values as text."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    (names,) = (line.split("\t")[1:] for line in lines if line.startswith("#fields"))
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return [dict(zip(names, row, strict=True)) for row in rows]


def log_analytics_rows(path: Path) -> list[dict[str, Any]]:
    """Records of an answer of the Log Analytics API."""
    (table,) = json.loads(path.read_text("utf-8"))["tables"]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def events(logs: Path) -> Iterator[Event]:
    """Every event of the example's logs."""
    for row in csv_rows(logs / "sentinel/DnsEvents.csv"):
        answers = tuple(row["IPAddresses"].split(", "))
        yield Event("DnsEvents", row["ClientIP"], names=(row["Name"],), answers=answers)
    for record in json_lines(logs / "sentinel/CommonSecurityLog.ndjson"):
        yield _firewall_event(record)
    for record in log_analytics_rows(logs / "sentinel/UrlClickEvents.json"):
        yield Event("UrlClickEvents", record["IPAddress"], urls=(record["Url"],))
    for record in pq.read_table(logs / "defender/DeviceNetworkEvents.parquet").to_pylist():
        yield Event(
            "DeviceNetworkEvents",
            record["DeviceName"],
            urls=(record["RemoteUrl"],),
            remote=(record["RemoteIP"], record["RemotePort"]),
            is_inbound=record["ActionType"].startswith("Inbound"),
        )
    for row in csv_rows(logs / "defender/DeviceFileEvents.csv"):
        hashes = (row["SHA256"], row["SHA1"], row["MD5"])
        yield Event(
            "DeviceFileEvents", row["DeviceName"], urls=(row["FileOriginUrl"],), hashes=hashes
        )
    for record in json_lines(logs / "defender/DeviceProcessEvents.ndjson.gz"):
        hashes = (record["SHA256"], record["SHA1"], record["MD5"])
        yield Event("DeviceProcessEvents", record["DeviceName"], hashes=hashes)
    yield from _zeek_events(logs)
    yield from _suricata_events(logs)
    yield from _sysmon_events(logs)


def _firewall_event(record: dict[str, Any]) -> Event:
    is_inbound = record["CommunicationDirection"] == "0"
    if is_inbound:
        remote = (record["SourceIP"], record["SourcePort"])
        return Event(
            "CommonSecurityLog", record["DestinationIP"], remote=remote, is_inbound=is_inbound
        )
    return Event(
        "CommonSecurityLog",
        record["SourceIP"],
        names=(record.get("DestinationHostName", ""),),
        urls=(record.get("RequestURL", ""),),
        remote=(record["DestinationIP"], record["DestinationPort"]),
    )


def _zeek_events(logs: Path) -> Iterator[Event]:
    for row in zeek_rows(logs / "zeek/dns.log.gz"):
        answers = tuple(row["answers"].split(","))
        yield Event("DnsEvents", row["id.orig_h"], names=(row["query"],), answers=answers)
    for record in json_lines(logs / "zeek/conn.log"):
        if record["local_orig"]:
            remote = (record["id.resp_h"], record["id.resp_p"])
            yield Event("CommonSecurityLog", record["id.orig_h"], remote=remote)
        else:
            remote = (record["id.orig_h"], record["id.orig_p"])
            yield Event("CommonSecurityLog", record["id.resp_h"], remote=remote, is_inbound=True)


def _suricata_events(logs: Path) -> Iterator[Event]:
    for record in json_lines(logs / "suricata/eve.json"):
        kind = record["event_type"]
        if kind == "dns":
            dns = record["dns"]
            answers = tuple(dns["grouped"]["A"])
            yield Event("DnsEvents", record["src_ip"], names=(dns["rrname"],), answers=answers)
        elif kind in ("tls", "http"):
            is_http = kind == "http"
            name = record["http"]["hostname"] if is_http else record["tls"]["sni"]
            url = f"http://{name}{record['http']['url']}" if is_http else ""
            remote = (record["dest_ip"], record["dest_port"])
            yield Event(
                "CommonSecurityLog", record["src_ip"], names=(name,), urls=(url,), remote=remote
            )


def _sysmon_events(logs: Path) -> Iterator[Event]:
    for record in json_lines(logs / "sysmon/WS-014.json"):
        host, kind = record["Hostname"], record["EventID"]
        if kind == 1:
            yield Event("DeviceProcessEvents", host, hashes=_hashes(record["Hashes"]))
        elif kind == 3:
            remote = (record["DestinationIp"], int(record["DestinationPort"]))
            yield Event("DeviceNetworkEvents", host, remote=remote)
        elif kind in (11, 15):
            origin = record.get("Contents", "").partition("HostUrl=")[2]
            hashes = _hashes(record.get("Hash", ""))
            yield Event("DeviceFileEvents", host, urls=(origin,), hashes=hashes)
        elif kind == 22:
            results = record["QueryResults"].split(";")
            answers = tuple(text.removeprefix("::ffff:") for text in results)
            yield Event("DnsEvents", host, names=(record["QueryName"],), answers=answers)


def _hashes(text: str) -> tuple[str, ...]:
    return tuple(part.partition("=")[2] for part in text.split(","))


# --- meeting an indicator ---


def indicators() -> list[tuple[str, str]]:
    """Type and value of each indicator of the example's feed, lower case, quarantine left out."""
    feed = json.loads((EXAMPLES / "indicators.json").read_text("utf-8"))
    found = [
        (record["ioc_type"], record["ioc_value"] if record["ioc_type"] == "url"
         else record["ioc_value"].lower())
        for records in feed.values()
        for record in records
    ]  # fmt: skip
    return [
        (kind, value)
        for kind, value in found
        if not value.endswith(".example") and not value.startswith("192.168.")
    ]


def meets(event: Event, kind: str, value: str) -> str | None:
    """How ``event`` meets an indicator, strongest first, or None."""
    ways = list(_ways(event, kind, value))
    return min(ways, key=STRENGTH.index) if ways else None


def _ways(event: Event, kind: str, value: str) -> Iterator[str]:
    hosts = [_name(name) for name in event.names if name]
    hosts += [_url(url)[0] for url in event.urls if url]
    if kind == "domain":
        for host in hosts:
            if host == value:
                yield "exact"
            elif host.endswith("." + value) and value not in SHARED:
                yield "subdomain"
    elif kind == "ip:port":
        address, port = value.split(":")
        if event.remote and event.remote[0] == address:
            yield "ip:port" if event.remote[1] == int(port) else "ip"
        if address in event.answers:
            yield "resolved-ip"
    elif kind == "url":
        yield from _url_ways(event, hosts, value)
    elif value in (text.lower() for text in event.hashes):
        yield "hash"


def _url_ways(event: Event, hosts: list[str], value: str) -> Iterator[str]:
    wanted_host, wanted_port, wanted_path = _url(value)
    for url in filter(None, event.urls):
        host, port, path = _url(url)
        if path and (host, port) == (wanted_host, wanted_port):
            if path == wanted_path:
                yield "url"
            elif path.startswith(tuple(wanted_path + border for border in "/?#&")):
                yield "url-prefix"
    # A whole URL that is another one is no contact with the indicator; a bare host may be.
    bare = [_name(name) for name in event.names if name]
    bare += [_url(url)[0] for url in event.urls if url and not _url(url)[2]]
    if event.remote:
        bare.append(event.remote[0])
    if wanted_host in bare and wanted_host not in SHARED:
        yield "url-host"


@cache
def _name(text: str) -> str:
    return idna.encode(text.rstrip("."), uts46=True).decode().lower()


@cache
def _url(text: str) -> tuple[str, int, str]:
    """Host, port, and path with query; a bare host name has no path."""
    if "://" not in text:
        return _name(text), 0, ""
    parts = urlsplit(text)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme.lower()]
    query = f"?{parts.query}" if parts.query else ""
    # The scheme does not count (R4), so its default port does not either.
    port = 0 if port in (80, 443) else port
    return parts.hostname or "", port, (parts.path or "/") + query


def naive_findings(logs: Path) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What a hunt must find: (indicator, table, host) to match, verdict and events."""
    wanted = indicators()
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event, times in Counter(events(logs)).items():
        for kind, value in wanted:
            match = meets(event, kind, value)
            if match is None:
                continue
            verdict = "inbound" if event.is_inbound else "open"
            if value == STALE:
                verdict = "stale"
            entry = found.setdefault(
                (value, event.table, event.host.lower()),
                {"match": match, "verdict": verdict, "events": 0},
            )
            entry["match"] = min(entry["match"], match, key=STRENGTH.index)
            entry["verdict"] = min(entry["verdict"], verdict, key=SERIOUSNESS.index)
            entry["events"] += times
    return found
