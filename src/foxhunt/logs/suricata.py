"""Suricata's EVE output as table rows: JSON lines, or one JSON array of events.

Members as in Suricata's documentation (output/eve/eve-json-format, 7.0 and 8.0, 2025-07);
DNS in its three forms: an event for each answer (version 1), one for each reply with
``answers`` and ``grouped`` (2), and with ``queries`` for all of them (3).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from foxhunt.logs.json_records import read_records, sample
from foxhunt.logs.model import LogFile, RawPart
from foxhunt.logs.records import KindMapping, addresses_sql, raw_parts
from foxhunt.sql import literal

_FIELDS = (
    *("timestamp", "event_type", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port"),
    *("proto", "app_proto", "direction"),
)
_NESTED = ("dns", "http", "tls", "flow", "alert", "fileinfo")


def recognises(file: LogFile) -> bool:
    """See `Format.recognises`."""
    return any(
        isinstance(record.get("event_type"), str)
        and "timestamp" in record
        and ("flow_id" in record or "src_ip" in record or record["event_type"] in record)
        for record in sample(file.head)
    )


def read(con: duckdb.DuckDBPyConnection, file: LogFile, table: str | None) -> Iterator[RawPart]:
    """See `Format.read`."""
    members = ", ".join((*_FIELDS, *_NESTED))
    shape = f"event_type AS _kind, {_NAMES} AS _name, {_ANSWERS} AS _answers, {members}"
    records = read_records(con, file, _FIELDS, shape, nested=_NESTED)
    yield from raw_parts(records, _MAPPINGS, file, table)


def _at(member: str, path: str) -> str:
    """SQL for a text inside a member; an empty one is none."""
    return f"nullif(json_extract_string({member}, {literal('$.' + path)}), '')"


def _texts(member: str, path: str) -> str:
    """SQL for all texts at a path with wildcards, as a list; empty when there are none."""
    return f"coalesce(json_extract_string({member}, {literal('$.' + path)}), [])"


# A message may ask several names at once (version 3): a row for each.
_NAMES = (
    "unnest(CASE WHEN event_type <> 'dns' THEN [NULL] "
    f"WHEN {_at('dns', 'rrname')} IS NOT NULL THEN [{_at('dns', 'rrname')}] "
    f"WHEN json_array_length(dns, '$.queries') > 0 THEN {_texts('dns', 'queries[*].rrname')} "
    "ELSE [NULL] END)"
)
_ANSWERS = (
    f"list_distinct(list_concat([{_at('dns', 'rdata')}], {_texts('dns', 'answers[*].rdata')}, "
    f"{_texts('dns', 'grouped.A[*]')}, {_texts('dns', 'grouped.AAAA[*]')}))"
)

# A reply goes back to the one who asked. Up to version 2 its event has the sides of the packet,
# later ones may have those of the flow, so the DNS port decides first.
_FROM_SERVER = (
    "CASE WHEN {src_port} = '53' AND {dest_port} <> '53' THEN true "
    "WHEN {dest_port} = '53' AND {src_port} <> '53' THEN false "
    f"ELSE {_at('{dns}', 'type')} IN ('answer', 'response') END"
)


def _flow_or(side: str) -> str:
    """SQL for a side of the connection: the flow's where it is told (alerts, since 7.0).

    An alert has the sides of the packet that fired, which may be the reply.
    """
    other = {"src_ip": "dest_ip", "src_port": "dest_port"}
    other |= {to: from_ for from_, to in other.items()}
    return (
        f"coalesce(json_extract_string({{flow}}, '$.{side}'), "
        f"CASE WHEN {{direction}} = 'to_client' THEN {{{other[side]}}} ELSE {{{side}}} END)"
    )


# The port in a URL is http_port, which is told when the Host header (or a proxied URL) has one.
_HTTP_URL = (
    f"CASE WHEN regexp_matches({_at('{http}', 'url')}, '^[A-Za-z][A-Za-z0-9+.-]*://') "
    f"OR {_at('{http}', 'http_method')} = 'CONNECT' THEN {_at('{http}', 'url')} "
    f"WHEN starts_with({_at('{http}', 'url')}, '/') AND {_at('{http}', 'hostname')} IS NOT NULL "
    f"THEN 'http://' || {_at('{http}', 'hostname')} || {{port}} || {_at('{http}', 'url')} END"
)


def _url(server_port: str) -> str:
    port = (
        f"CASE WHEN regexp_matches({_at('{http}', 'hostname')}, '[^:]:[0-9]+$') THEN '' "
        f"ELSE coalesce(':' || nullif(coalesce({_at('{http}', 'http_port')}, {server_port}), '80'),"
        " '') END"
    )
    return _HTTP_URL.replace("{port}", port)


def _network(source: dict[str, str], activity: str) -> dict[str, str]:
    return {
        "TimeGenerated": "{timestamp}",
        "DeviceVendor": "'OISF'",
        "DeviceProduct": "'Suricata'",
        "Activity": activity,
        **source,
        "Protocol": "{proto}",
        "ApplicationProtocol": "{app_proto}",
        "DeviceExternalID": "{flow_id}",
    }


_SIDES = {
    "SourceIP": "{src_ip}",
    "SourcePort": "{src_port}",
    "DestinationIP": "{dest_ip}",
    "DestinationPort": "{dest_port}",
}
_ALERT_SIDES = {
    "SourceIP": _flow_or("src_ip"),
    "SourcePort": _flow_or("src_port"),
    "DestinationIP": _flow_or("dest_ip"),
    "DestinationPort": _flow_or("dest_port"),
}
_HTTP = {
    "DestinationHostName": _at("{http}", "hostname"),
    "RequestURL": _url("{dest_port}"),
    "RequestMethod": _at("{http}", "http_method"),
    "RequestClientApplication": _at("{http}", "http_user_agent"),
    "RequestContext": _at("{http}", "http_refer"),
    "EventOutcome": _at("{http}", "status"),
}
_ALERT = {
    **_network(_ALERT_SIDES, _at("{alert}", "signature")),
    **_HTTP,
    "DestinationHostName": (f"coalesce({_at('{http}', 'hostname')}, {_at('{tls}', 'sni')})"),
    "RequestURL": _url(_flow_or("dest_port")),
    "DeviceAction": _at("{alert}", "action"),
    "DeviceEventClassID": _at("{alert}", "signature_id"),
    "DeviceEventCategory": _at("{alert}", "category"),
    "LogSeverity": _at("{alert}", "severity"),
}
_FLOW = {
    **_network(_SIDES, "'flow'"),
    "DeviceAction": _at("{flow}", "action"),  # told by an inline sensor only
    "EventOutcome": _at("{flow}", "state"),
    "SentBytes": _at("{flow}", "bytes_toserver"),
    "ReceivedBytes": _at("{flow}", "bytes_toclient"),
}
_DNS = {
    "TimeGenerated": "{timestamp}",
    "ClientIP": f"CASE WHEN {_FROM_SERVER} THEN {{dest_ip}} ELSE {{src_ip}} END",
    "Name": "{_name}",
    "IPAddresses": addresses_sql("{_answers}"),
    "QueryType": f"coalesce({_at('{dns}', 'rrtype')}, {_at('{dns}', 'queries[0].rrtype')})",
    "Result": _at("{dns}", "rcode"),
    "SubType": _at("{dns}", "type"),
}
# The sides of a file's event are those of its transfer: the destination got it. Its URL is where
# it came from only when the server sent it, which is the side with the lower port.
_DOWNLOADED = "TRY_CAST({src_port} AS INTEGER) < TRY_CAST({dest_port} AS INTEGER)"
_FILE = {
    "Timestamp": "{timestamp}",
    "DeviceName": "{dest_ip}",
    "FileName": f"nullif(regexp_extract({_at('{fileinfo}', 'filename')}, '[^\\\\/]*$'), '')",
    "FolderPath": _at("{fileinfo}", "filename"),
    "FileSize": _at("{fileinfo}", "size"),
    "FileOriginIP": "{src_ip}",
    "FileOriginUrl": f"CASE WHEN {_DOWNLOADED} THEN {_url('{src_port}')} END",
    "FileOriginReferrerUrl": _at("{http}", "http_refer"),
    "RequestProtocol": "{app_proto}",
    "MD5": _at("{fileinfo}", "md5"),
    "SHA1": _at("{fileinfo}", "sha1"),
    "SHA256": _at("{fileinfo}", "sha256"),
}
_MAPPINGS = (
    KindMapping("dns", "DnsEvents", _DNS),
    KindMapping("http", "CommonSecurityLog", {**_network(_SIDES, "'http'"), **_HTTP}),
    KindMapping(
        "tls",
        "CommonSecurityLog",
        {**_network(_SIDES, "'tls'"), "DestinationHostName": _at("{tls}", "sni")},
    ),
    KindMapping("flow", "CommonSecurityLog", _FLOW),
    KindMapping("alert", "CommonSecurityLog", _ALERT),
    KindMapping("fileinfo", "DeviceFileEvents", _FILE),
)
