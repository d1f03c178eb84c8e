"""Sysmon's events as table rows: what EVTX files and the JSON forms share.

Field names as in Sysmon's manifest (schema 4.90, Sysmon 15, 2023-06).
"""

from __future__ import annotations

from collections.abc import Iterable

from foxhunt.logs.records import KindMapping, addresses_sql

CHANNEL = "Microsoft-Windows-Sysmon/Operational"
PROVIDER = "Microsoft-Windows-Sysmon"

DATA_FIELDS = (
    *("UtcTime", "User", "Image", "ProcessId", "ProcessGuid", "CommandLine", "IntegrityLevel"),
    *("OriginalFileName", "Company", "Product", "Description", "Hashes", "Hash"),
    *("ParentImage", "ParentCommandLine", "ParentProcessId", "ParentProcessGuid", "ParentUser"),
    *("Protocol", "Initiated", "SourceIp", "SourcePort", "SourceHostname"),
    *("DestinationIp", "DestinationPort", "DestinationHostname"),
    *("ImageLoaded", "TargetFilename", "Contents", "QueryName", "QueryStatus", "QueryResults"),
)

# Windows event logs of many channels share one file and number their events alike.
KIND = (
    f"CASE WHEN lower({{_channel}}) = lower('{CHANNEL}') OR lower({{_provider}}) = "
    f"lower('{PROVIDER}') THEN {{_event_id}} END"
)


def _text(field: str) -> str:
    """A field's text; Sysmon writes ``-`` for what it does not know."""
    return f"nullif(nullif({field}, ''), '-')"


def _base(field: str) -> str:
    """The last part of a Windows path."""
    return f"nullif(regexp_extract({field}, '[^\\\\/]*$'), '')"


def _domain(field: str) -> str:
    # With a group for all but the last character it takes three times as long.
    return f"nullif(left(regexp_extract({field}, '^.*\\\\'), -1), '')"


def _account(field: str) -> str:
    return f"nullif(nullif(regexp_extract({field}, '[^\\\\]*$'), ''), '-')"


def _hash(field: str, name: str, digits: int) -> str:
    """One hash of ``SHA1=…,MD5=…,SHA256=…,IMPHASH=…``."""
    pattern = f"(?i)(?:^|[,;|\\s]){name}=([0-9a-f]{{{digits}}})(?:$|[^0-9a-f])"
    return f"nullif(regexp_extract({field}, '{pattern}', 1), '')"


def _hashes(field: str) -> dict[str, str]:
    return {
        "MD5": _hash(field, "MD5", 32),
        "SHA1": _hash(field, "SHA1", 40),
        "SHA256": _hash(field, "SHA256", 64),
    }


def _machine(name: str) -> str:
    """The first label of a host name: Sysmon writes names with and without their domain."""
    return f"lower(split_part({name}, '.', 1))"


_WHEN_WHERE = {"Timestamp": "coalesce({UtcTime}, {_time})", "DeviceName": _text("{_computer}")}
_BY_IMAGE = {
    "InitiatingProcessFileName": _base("{Image}"),
    "InitiatingProcessFolderPath": _text("{Image}"),
    "InitiatingProcessId": "{ProcessId}",
    "InitiatingProcessUniqueId": _text("{ProcessGuid}"),
    "InitiatingProcessAccountName": _account("{User}"),
    "InitiatingProcessAccountDomain": _domain("{User}"),
}

# Who initiated decides which side is remote, except where a side bears the machine's own name:
# for UDP, Sysmon also writes Initiated=false with our side as the source (OTRF's data sets have
# FILE001's own DNS queries so), and then which way it went is not known.
_SOURCE_IS_OURS = (
    f"({_machine('{SourceHostname}')} = {_machine('{_computer}')} "
    f"AND coalesce({_machine('{DestinationHostname}')}, '') <> {_machine('{_computer}')})"
)
_OUTBOUND = "(lower({Initiated}) = 'true')"
_REMOTE_IS_DESTINATION = (
    f"(coalesce({_OUTBOUND}, false) OR coalesce({_SOURCE_IS_OURS}, false) "
    "OR coalesce({Initiated}, '') = '')"
)


def _side(destination: str, source: str) -> str:
    return f"CASE WHEN {_REMOTE_IS_DESTINATION} THEN {destination} ELSE {source} END"


_PROCESS = {
    **_WHEN_WHERE,
    "ActionType": "'ProcessCreated'",
    "FileName": _base("{Image}"),
    "FolderPath": _text("{Image}"),
    "ProcessCommandLine": _text("{CommandLine}"),
    "ProcessId": "{ProcessId}",
    "ProcessUniqueId": _text("{ProcessGuid}"),
    "ProcessIntegrityLevel": _text("{IntegrityLevel}"),
    "AccountName": _account("{User}"),
    "AccountDomain": _domain("{User}"),
    **_hashes("{Hashes}"),
    "ProcessVersionInfoOriginalFileName": _text("{OriginalFileName}"),
    "ProcessVersionInfoCompanyName": _text("{Company}"),
    "ProcessVersionInfoProductName": _text("{Product}"),
    "ProcessVersionInfoFileDescription": _text("{Description}"),
    "InitiatingProcessFileName": _base("{ParentImage}"),
    "InitiatingProcessFolderPath": _text("{ParentImage}"),
    "InitiatingProcessCommandLine": _text("{ParentCommandLine}"),
    "InitiatingProcessId": "{ParentProcessId}",
    "InitiatingProcessUniqueId": _text("{ParentProcessGuid}"),
    "InitiatingProcessAccountName": _account("{ParentUser}"),
    "InitiatingProcessAccountDomain": _domain("{ParentUser}"),
}
_NETWORK = {
    **_WHEN_WHERE,
    "ActionType": (
        f"CASE WHEN {_OUTBOUND} THEN 'ConnectionSuccess' WHEN lower({{Initiated}}) = 'false' "
        f"AND NOT (coalesce({_SOURCE_IS_OURS}, false) AND lower({{Protocol}}) <> 'tcp') "
        "THEN 'InboundConnectionAccepted' END"
    ),
    "RemoteIP": _side(_text("{DestinationIp}"), _text("{SourceIp}")),
    "RemotePort": _side("{DestinationPort}", "{SourcePort}"),
    "RemoteUrl": _side(_text("{DestinationHostname}"), "NULL"),
    "LocalIP": _side(_text("{SourceIp}"), _text("{DestinationIp}")),
    "LocalPort": _side("{SourcePort}", "{DestinationPort}"),
    "Protocol": _text("{Protocol}"),
    **_BY_IMAGE,
}
_IMAGE_LOAD = {
    **_WHEN_WHERE,
    "ActionType": "'ImageLoaded'",
    "FileName": _base("{ImageLoaded}"),
    "FolderPath": _text("{ImageLoaded}"),
    **_hashes("{Hashes}"),
    **_BY_IMAGE,
}
_FILE = {
    **_WHEN_WHERE,
    "FileName": _base("{TargetFilename}"),
    "FolderPath": _text("{TargetFilename}"),
    **_BY_IMAGE,
}
_DNS = {
    "TimeGenerated": _WHEN_WHERE["Timestamp"],
    # Here Computer is the machine that asked: Sysmon runs on it, and there is no ClientIP.
    "Computer": _text("{_computer}"),
    "Name": _text("{QueryName}"),
    # "type:  5 alias.example;::ffff:203.0.113.7;": what is no address is an alias.
    "IPAddresses": addresses_sql("string_split({QueryResults}, ';')"),
    "ResultCode": _text("{QueryStatus}"),
    "_process": _text("{Image}"),
    "_user": _text("{User}"),
}


def _files(kinds: Iterable[tuple[str, str, dict[str, str]]]) -> list[KindMapping]:
    return [
        KindMapping(kind, "DeviceFileEvents", {**_FILE, "ActionType": literal, **more})
        for kind, literal, more in kinds
    ]


MAPPINGS = (
    KindMapping("1", "DeviceProcessEvents", _PROCESS),
    KindMapping("3", "DeviceNetworkEvents", _NETWORK),
    KindMapping("7", "DeviceImageLoadEvents", _IMAGE_LOAD),
    *_files(
        [
            ("11", "'FileCreated'", {}),
            (
                "15",  # a stream; that of a download says where it came from (Zone.Identifier)
                "'FileCreated'",
                {
                    **_hashes("{Hash}"),
                    "FileOriginUrl": "nullif(regexp_extract({Contents}, 'HostUrl=(\\S+)', 1), '')",
                    "FileOriginReferrerUrl": "nullif(regexp_extract({Contents}, "
                    "'ReferrerUrl=(\\S+)', 1), '')",
                },
            ),
            ("23", "'FileDeleted'", _hashes("{Hashes}")),
            ("29", "'FileCreated'", _hashes("{Hashes}")),
        ]
    ),
    KindMapping("22", "DnsEvents", _DNS),
)
