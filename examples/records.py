"""What the tables of Sentinel and Defender record of what happened."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

import company
import story
from company import Host
from story import Click, Contact, FileEvent, Process, Scan

Row = dict[str, object]


def iso(time: datetime) -> str:
    """``2026-06-01T08:00:00.000Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"


def dns_events(contacts: Iterable[Contact]) -> Iterator[Row]:
    """DnsEvents of the domain controller, as Sentinel exports them."""
    rng = Random("foxhunt example: dns")
    for contact in contacts:
        if "dns" in contact.seen_by:
            first, _, last = contact.address.rpartition(".")
            sibling = f", {first}.{int(last) + 1}" if rng.random() < 0.25 else ""
            yield {
                "TimeGenerated": iso(contact.time),
                "SourceSystem": "OpsManager",
                "Computer": company.DNS_SERVER.fqdn,
                "EventId": 256,
                "SubType": "LookupQuery",
                "ClientIP": contact.host.address,
                "Name": contact.name,
                "QueryType": "A",
                "IPAddresses": contact.address + sibling,
                "Result": "Success",
                "ResultCode": 0,
                "Type": "DnsEvents",
            }


def firewall_rows(contacts: Iterable[Contact], scans: Iterable[Scan]) -> Iterator[Row]:
    """CommonSecurityLog of the border firewall: outbound, then inbound."""
    rng = Random("foxhunt example: firewall")

    def row(time: datetime, action: str, direction: int, source: str, destination: str) -> Row:
        return {
            "TimeGenerated": iso(time + timedelta(seconds=1)),
            "DeviceVendor": "Palo Alto Networks",
            "DeviceProduct": "PAN-OS",
            "Activity": "TRAFFIC",
            "DeviceAction": action,
            "CommunicationDirection": str(direction),
            "Protocol": "tcp",
            "SourceIP": source,
            "SourcePort": rng.randint(49152, 65535),
            "DestinationIP": destination,
        }

    for contact in contacts:
        if "firewall" in contact.seen_by:
            url = contact.url if contact.port == 80 else ""
            yield row(contact.time, contact.action, 1, contact.host.address, contact.address) | {
                "DestinationPort": contact.port,
                "DestinationHostName": contact.server_name or None,
                "RequestURL": url or None,
                "SourceUserName": contact.host.user,
                "Type": "CommonSecurityLog",
            }
    for scan in scans:
        yield row(scan.time, scan.action, 0, scan.source, scan.host.address) | {
            "DestinationPort": scan.port,
            "Type": "CommonSecurityLog",
        }


def device_row(time: datetime, host: Host, action: str) -> Row:
    """The columns that all Defender tables have."""
    return {
        "Timestamp": iso(time),
        "DeviceId": story.digest("sha1", host.name),
        "DeviceName": host.fqdn,
        "ActionType": action,
    }


def initiating(process: str, command: str, user: str) -> Row:
    """Who did it, in Defender's columns."""
    return {
        "InitiatingProcessFileName": process.rpartition("\\")[2],
        "InitiatingProcessFolderPath": process,
        "InitiatingProcessCommandLine": command,
        "InitiatingProcessAccountName": user,
    }


def device_network_events(contacts: Iterable[Contact], scans: Iterable[Scan]) -> Iterator[Row]:
    """DeviceNetworkEvents: connections of contacts, and scans that an open port let in."""
    rng = Random("foxhunt example: device network")
    for contact in contacts:
        if "edr" in contact.seen_by:
            action = "ConnectionFailed" if contact.action == "deny" else "ConnectionSuccess"
            time = contact.time + timedelta(seconds=1)
            yield device_row(time, contact.host, action) | {
                "LocalIP": contact.host.address,
                "LocalPort": rng.randint(49152, 65535),
                "RemoteIP": contact.address,
                "RemotePort": contact.port,
                "RemoteUrl": contact.url or contact.server_name,
                "Protocol": "Tcp",
                **initiating(contact.process, contact.command, contact.host.user),
            }
    for scan in scans:
        if scan.action == "allow" and scan in story.SCANS:
            yield device_row(scan.time, scan.host, "InboundConnectionAccepted") | {
                "LocalIP": scan.host.address,
                "LocalPort": scan.port,
                "RemoteIP": scan.source,
                "RemotePort": rng.randint(49152, 65535),
                "RemoteUrl": "",
                "Protocol": "Tcp",
                **initiating("System", "", "SYSTEM"),
            }


def device_file_events(files: Iterable[FileEvent]) -> Iterator[Row]:
    """DeviceFileEvents; a hash that Defender did not compute is empty."""
    for file in files:
        yield device_row(file.time, file.host, "FileCreated") | {
            "FileName": file.name,
            "FolderPath": f"{file.folder}\\{file.name}",
            "SHA256": file.sha256,
            "SHA1": file.sha1,
            "MD5": file.md5,
            "FileOriginUrl": file.origin,
            **initiating(file.process, file.process, file.host.user),
        }


def device_process_events(processes: Iterable[Process]) -> Iterator[Row]:
    """DeviceProcessEvents; hashes in lower case, as Defender's portal exports them."""
    for process in processes:
        yield device_row(process.time, process.host, "ProcessCreated") | {
            "FileName": process.file_name,
            "FolderPath": process.image,
            **{kind.upper(): story.digest(kind, process.file_name) for kind in _HASHES},
            "ProcessCommandLine": process.command,
            "AccountName": process.host.user,
            **initiating(process.parent, process.parent, process.host.user),
        }


_HASHES = ("sha256", "sha1", "md5")


def url_click_events(clicks: Iterable[Click]) -> Iterator[Row]:
    """UrlClickEvents; the company's mail gateway passes inner addresses on."""
    for click in clicks:
        yield {
            "TimeGenerated": iso(click.time),
            "Url": click.url,
            "ActionType": click.action,
            "AccountUpn": f"{click.host.user}@{company.DOMAIN}",
            "Workload": "Email",
            "IPAddress": click.host.address,
            "IsClickedThrough": False,
            "NetworkMessageId": str(uuid.UUID(story.digest("md5", iso(click.time)))),
            "Type": "UrlClickEvents",
        }
