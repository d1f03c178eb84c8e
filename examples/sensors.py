"""What sensors of the network and of one machine record: Zeek, Suricata, Sysmon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

import company
import story
from company import Host
from records import Row, iso
from story import Contact, FileEvent, Process, Scan

_SERVERS = frozenset(host.name for host in company.SERVERS)


def _is_on(time: datetime, day: datetime) -> bool:
    return day <= time < day + timedelta(days=1)


def _identifier(rng: Random) -> str:
    """A connection's ``uid`` in Zeek's form."""
    return f"C{rng.getrandbits(80):020x}"[:18]


# --- Zeek ---


def _zeek_sees(contact: Contact) -> bool:
    return contact.host.name in _SERVERS and _is_on(contact.time, company.ZEEK_DAY)


def _zeek_base(rng: Random, time: datetime, source: str, target: str, port: int) -> Row:
    return {
        "ts": round(time.timestamp() + rng.randrange(1000) / 1_000_000, 6),
        "uid": _identifier(rng),
        "id.orig_h": source,
        "id.orig_p": rng.randint(49152, 65535),
        "id.resp_h": target,
        "id.resp_p": port,
    }


def zeek_dns(contacts: Iterable[Contact]) -> Iterator[Row]:
    """dns.log of the sensor in front of the servers, in the columns of `ZEEK_DNS`."""
    rng = Random("foxhunt example: zeek dns")
    for contact in contacts:
        if "dns" in contact.seen_by and _zeek_sees(contact):
            server = company.DNS_SERVER.address
            yield _zeek_base(rng, contact.time, contact.host.address, server, 53) | {
                "proto": "udp",
                "trans_id": rng.randrange(65536),
                "rtt": round(rng.uniform(0.0004, 0.04), 6),
                # Zeek lower-cases names and drops the root's dot.
                "query": contact.server_name,
                "qclass": 1,
                "qclass_name": "C_INTERNET",
                "qtype": 1,
                "qtype_name": "A",
                "rcode": 0,
                "rcode_name": "NOERROR",
                "AA": False,
                "TC": False,
                "RD": True,
                "RA": True,
                "Z": 0,
                "answers": [contact.address],
                "TTLs": [float(rng.randrange(30, 3600))],
                "rejected": False,
            }


ZEEK_DNS = {
    "ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr",
    "id.resp_p": "port", "proto": "enum", "trans_id": "count", "rtt": "interval",
    "query": "string", "qclass": "count", "qclass_name": "string", "qtype": "count",
    "qtype_name": "string", "rcode": "count", "rcode_name": "string", "AA": "bool", "TC": "bool",
    "RD": "bool", "RA": "bool", "Z": "count", "answers": "vector[string]",
    "TTLs": "vector[interval]", "rejected": "bool",
}  # fmt: skip


def zeek_conn(contacts: Iterable[Contact], scans: Iterable[Scan]) -> Iterator[Row]:
    """conn.log of the same sensor: what servers open, file shares, and what comes in."""
    rng = Random("foxhunt example: zeek conn")
    for contact in contacts:
        if "firewall" in contact.seen_by and _zeek_sees(contact):
            time = contact.time + timedelta(milliseconds=40)
            base = _zeek_base(rng, time, contact.host.address, contact.address, contact.port)
            service = "http" if contact.port == 80 else "ssl"
            yield base | _zeek_traffic(rng, service, is_inside=True)
    for time, host in _share_visits(rng):
        server = rng.choice((company.HOSTS["SRV-FILE-01"], company.HOSTS["SRV-FILE-02"]))
        base = _zeek_base(rng, time, host.address, server.address, 445)
        yield base | _zeek_traffic(rng, "smb", is_inside=True) | {"local_resp": True}
    for scan in scans:
        if scan.action == "allow" and _is_on(scan.time, company.ZEEK_DAY):
            base = _zeek_base(rng, scan.time, scan.source, scan.host.address, scan.port)
            yield base | _zeek_traffic(rng, "ssl", is_inside=False) | {"local_resp": True}


def _share_visits(rng: Random) -> Iterator[tuple[datetime, Host]]:
    for host in company.WORKSTATIONS:
        for _ in range(rng.randint(150, 250)):
            yield company.ZEEK_DAY + timedelta(hours=7, seconds=rng.randrange(11 * 3600)), host


def _zeek_traffic(rng: Random, service: str, *, is_inside: bool) -> Row:
    sent, received = rng.randint(200, 5_000), rng.randint(500, 90_000)
    return {
        "proto": "tcp",
        "service": service,
        "duration": round(rng.uniform(0.02, 60), 6),
        "orig_bytes": sent,
        "resp_bytes": received,
        "conn_state": "SF",
        "local_orig": is_inside,
        "local_resp": False,
        "missed_bytes": 0,
        "history": "ShADadfF",
        "orig_pkts": sent // 600 + 4,
        "resp_pkts": received // 1200 + 4,
    }


# --- Suricata ---


def suricata_eve(contacts: Iterable[Contact]) -> Iterator[Row]:
    """EVE of the second floor's sensor: DNS answers (version 2), TLS, HTTP, statistics."""
    rng = Random("foxhunt example: suricata")
    yield {"timestamp": _eve_time(company.SURICATA_DAY), "event_type": "stats", "stats": {}}
    for contact in contacts:
        on_floor = contact.host.name in company.SURICATA_HOSTS
        if not (on_floor and _is_on(contact.time, company.SURICATA_DAY)):
            continue
        if "dns" in contact.seen_by:
            yield _eve(rng, "dns", contact.time, contact) | {
                "dns": {
                    "version": 2,
                    "type": "answer",
                    "id": rng.randrange(65536),
                    "rrname": contact.name,
                    "rrtype": "A",
                    "rcode": "NOERROR",
                    "answers": [
                        {"rrname": contact.name, "rrtype": "A", "ttl": 60, "rdata": contact.address}
                    ],
                    "grouped": {"A": [contact.address]},
                },
            }
        if "firewall" in contact.seen_by and contact.name:
            kind = "http" if contact.url and contact.port == 80 else "tls"
            time = contact.time + timedelta(milliseconds=30)
            yield _eve(rng, kind, time, contact) | {kind: _eve_request(contact, kind)}


def _eve(rng: Random, kind: str, time: datetime, contact: Contact) -> Row:
    is_dns = kind == "dns"
    return {
        "timestamp": _eve_time(time),
        "flow_id": rng.randrange(10**15),
        "in_iface": "eth1",
        "event_type": kind,
        "src_ip": contact.host.address,
        "src_port": rng.randint(49152, 65535),
        "dest_ip": company.DNS_SERVER.address if is_dns else contact.address,
        "dest_port": 53 if is_dns else contact.port,
        "proto": "UDP" if is_dns else "TCP",
    }


def _eve_time(time: datetime) -> str:
    """``2026-06-12T08:00:00.000000+0000``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f%z")


def _eve_request(contact: Contact, kind: str) -> Row:
    if kind == "tls":
        return {"sni": contact.server_name, "version": "TLS 1.3"}
    path = contact.url.partition("://")[2].partition("/")[2]
    return {
        "hostname": contact.server_name,
        "url": f"/{path}",
        "http_user_agent": "Mozilla/5.0",
        "http_method": "GET",
        "protocol": "HTTP/1.1",
        "status": 200,
        "length": 1024,
    }


# --- Sysmon ---


def sysmon(
    contacts: Iterable[Contact], processes: Iterable[Process], files: Iterable[FileEvent]
) -> Iterator[Row]:
    """Sysmon events 1, 3, 11, 15 and 22 of one workstation, flat, as NXLog forwards them."""
    for process in processes:
        if _has_sysmon(process.time, process.host):
            yield _sysmon_row(process.time, process.host, 1, process.image) | {
                "CommandLine": process.command,
                "Hashes": _sysmon_hashes(process.file_name),
                "ParentImage": process.parent,
                "ParentCommandLine": process.parent,
            }
    for contact in contacts:
        if _has_sysmon(contact.time, contact.host):
            yield from _sysmon_contact(contact)
    for file in files:
        if _has_sysmon(file.time, file.host):
            yield from _sysmon_file(file)


def _has_sysmon(time: datetime, host: Host) -> bool:
    first, last = company.SYSMON_DAYS[0], company.SYSMON_DAYS[-1]
    return host.name == company.SYSMON_HOST and first <= time < last + timedelta(days=1)


def _sysmon_row(time: datetime, host: Host, event_id: int, image: str) -> Row:
    return {
        "SourceName": "Microsoft-Windows-Sysmon",
        "ProviderGuid": "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Hostname": f"{host.name}.{company.DOMAIN}",
        "TimeCreated": iso(time),
        "@timestamp": iso(time),
        "EventID": event_id,
        "RuleName": "-",
        "UtcTime": iso(time).replace("T", " ").rstrip("Z"),
        "ProcessId": str(1000 + 4 * Random(f"{time} {image}").randrange(4000)),
        "Image": image,
        "User": f"BRIGHTWATER\\{host.user}",
    }


def _sysmon_hashes(name: str) -> str:
    kinds = ("SHA1", "MD5", "SHA256")
    return ",".join(f"{kind}={story.digest(kind.lower(), name).upper()}" for kind in kinds)


def _sysmon_contact(contact: Contact) -> Iterator[Row]:
    if "dns" in contact.seen_by:
        yield _sysmon_row(contact.time, contact.host, 22, contact.process) | {
            "QueryName": contact.name,
            "QueryStatus": "0",
            "QueryResults": f"::ffff:{contact.address};",
        }
    if "firewall" in contact.seen_by:
        time = contact.time + timedelta(seconds=1)
        source_port = Random(f"{time} {contact.name}").randint(49152, 65535)
        yield _sysmon_row(time, contact.host, 3, contact.process) | {
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIsIpv6": "false",
            "SourceIp": contact.host.address,
            "SourceHostname": "-",
            "SourcePort": str(source_port),
            "DestinationIsIpv6": "false",
            "DestinationIp": contact.address,
            "DestinationHostname": "-",
            "DestinationPort": str(contact.port),
        }


def _sysmon_file(file: FileEvent) -> Iterator[Row]:
    target = f"{file.folder}\\{file.name}"
    created = iso(file.time).replace("T", " ").rstrip("Z")
    yield _sysmon_row(file.time, file.host, 11, file.process) | {
        "TargetFilename": target,
        "CreationUtcTime": created,
    }
    if file.origin and file.sha256:
        yield _sysmon_row(file.time, file.host, 15, file.process) | {
            "TargetFilename": target,
            "CreationUtcTime": created,
            "Hash": f"SHA256={file.sha256}",
            "Contents": f"[ZoneTransfer]  ZoneId=3  HostUrl={file.origin}",
        }
